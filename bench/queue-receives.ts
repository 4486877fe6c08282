import { queueUnits } from './cost-meter.ts';

/**
 * How an event source mapping reads a queue, as far as it is billed. AWS does not publish it, so this is an assumption, stated
 * once, here: five pollers that wait up to 20 s; a receive takes what arrives within 20 ms, one to ten messages.
 */
const POLLERS = 5;
const LONG_POLL_SECONDS = 20;
const GATHERED_SECONDS = 0.02;
const MOST_MESSAGES = 10;

export interface Traffic {
  readonly messages: number;
  readonly seconds: number;
  readonly averageBytes: number;
}

/** Billed requests for receiving all messages, empty receives included. */
export function receiveUnits({ messages, seconds, averageBytes }: Traffic): number {
  const perSecond = messages / seconds;
  const together = Math.min(MOST_MESSAGES, Math.max(1, Math.floor(perSecond * GATHERED_SECONDS)));
  const full = (messages / together) * queueUnits(together * averageBytes);
  return full + emptyReceives(perSecond / together) * seconds;
}

/** Receives per second that come back empty, when messages come at random times: a poller's wait ends at 20 s without one. */
function emptyReceives(receivesPerSecond: number): number {
  const perPoller = receivesPerSecond / POLLERS;
  const isEmpty = Math.exp(-LONG_POLL_SECONDS * perPoller);
  const averageWait = (1 - isEmpty) / perPoller;
  return (POLLERS * isEmpty) / averageWait;
}

/** Billed requests for deleting the messages of one invocation: ten a call. */
export function deleteUnits(messages: number): number {
  return Math.ceil(messages / MOST_MESSAGES);
}
