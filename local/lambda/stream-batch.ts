/**
 * Works one batch of stream records off: invokes, and on failure repeats, halves or gives up, by the rules of the event
 * source mapping. What is given up goes to the on-failure destination; then the stream goes on.
 */

import type { JsonObject } from '../template/json.ts';
import type { EventSourceModel } from '../template/model.ts';
import type { Outcome } from './environment.ts';
import { failedItems } from './item-failures.ts';

export interface BatchRecord {
  readonly sequenceNumber: string;
  /** Real time, ms since the epoch. */
  readonly createdAt: number;
  /** As the handler gets it. */
  readonly event: JsonObject;
}

export interface BatchWork {
  readonly source: EventSourceModel;
  readonly invoke: (payload: string) => Promise<Outcome>;
  /** Called when everything up to this record is done with. */
  readonly advance: (sequenceNumber: string) => void;
  readonly giveUp: (records: readonly BatchRecord[], condition: GiveUpCondition, attempts: number) => Promise<void>;
  readonly signal: AbortSignal;
}

export type GiveUpCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Resolves when all records are done with, or at once when the signal aborts (then the position stays where it is). */
export async function workBatch(records: readonly BatchRecord[], work: BatchWork): Promise<void> {
  let left = records;
  for (let attempt = 0; left.length > 0 && !work.signal.aborted; attempt++) {
    const condition = giveUpCondition(left, attempt, work.source);
    if (condition !== undefined) {
      await work.giveUp(left, condition, attempt);
      return finish(left, work);
    }
    if (attempt > 0) await pause(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS), work.signal);
    const outcome = await work.invoke(JSON.stringify({ Records: left.map((record) => record.event) }));
    const numbers = left.map((record) => record.sequenceNumber);
    const failed = failedItems(outcome, numbers, work.source.reportsItemFailures);
    const firstFailed = numbers.findIndex((number) => failed.has(number));
    if (firstFailed === -1) return finish(left, work);
    const isWhole = outcome.kind === 'error' || failed.size === numbers.length;
    if (isWhole && work.source.bisectsOnError && left.length > 1) {
      // Halving costs no attempt.
      const middle = Math.ceil(left.length / 2);
      await workBatch(left.slice(0, middle), work);
      return workBatch(left.slice(middle), work);
    }
    if (firstFailed > 0) {
      // The handler got this far; what is left is a batch of its own, with its attempts before it.
      finish(left.slice(0, firstFailed), work);
      left = left.slice(firstFailed);
      attempt = 0;
    }
  }
}

function giveUpCondition(
  records: readonly BatchRecord[],
  attempt: number,
  source: EventSourceModel,
): GiveUpCondition | undefined {
  const age = Date.now() - (records[0]?.createdAt ?? Date.now());
  if (source.maxRecordAgeSeconds >= 0 && age > source.maxRecordAgeSeconds * 1000) return 'RecordAgeExceeded';
  return source.maxRetries >= 0 && attempt > source.maxRetries ? 'RetryAttemptsExhausted' : undefined;
}

function finish(records: readonly BatchRecord[], work: BatchWork): void {
  const last = records.at(-1);
  if (last !== undefined && !work.signal.aborted) work.advance(last.sequenceNumber);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
