import { conflict, notFound } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import type { ParkedMessage, ParkingDecision, ParkingDesk, ParkingLot, UsageQueue } from './ports.ts';
import { isReplayable, replayParked } from './replay-parked.ts';

/**
 * What people decide about a parked message, over HTTP and on the command line. The decision is recorded before it takes
 * effect and the message leaves the lot last: after a crash in between it is still parked, and deciding again is harmless.
 */
export interface DecideDeps {
  readonly parking: ParkingLot;
  readonly desk: ParkingDesk;
  readonly queue: UsageQueue;
  readonly clock: Clock;
}

export interface DecideInput {
  readonly project: ProjectId | 'system';
  readonly name: string;
  /** The id of the API key that asks, or `command-line`. */
  readonly by: string;
}

/** Far more than any derived name has, and less than a key may have. */
const MAX_NAME = 512;

/** The message under a name if it is parked, else what was decided about it. Throws `parked_not_found`. */
export async function findParked(
  { project, name }: Pick<DecideInput, 'project' | 'name'>,
  { desk }: Pick<DecideDeps, 'desk'>,
): Promise<ParkedMessage | ParkingDecision> {
  const found =
    name.length > MAX_NAME ? undefined : ((await desk.find(project, name)) ?? (await desk.decision(project, name)));
  if (found === undefined)
    throw notFound('parked_not_found', `No parked message ${name.slice(0, 64)}; GET /v1/parked lists what is parked.`);
  return found;
}

/**
 * Sends a parked message to the usage queue again. A message that was replayed before is left alone; what it holds counts once
 * in any case. Throws `parked_not_found`, `parked_not_replayable` or `parked_discarded`.
 */
export async function replayByName(input: DecideInput, deps: DecideDeps): Promise<ParkingDecision> {
  const message = await findParked(input, deps);
  if ('outcome' in message) return decidedAlready(message, 'replayed');
  if (!isReplayable(message)) throw notReplayable(message);
  const decision = decisionOf(message, 'replayed', input.by, deps);
  await deps.desk.record(input.project, decision);
  await replayParked(input.project, message, deps);
  return decision;
}

/**
 * Takes a parked message out of the lot for good; the record keeps its content, who asked and when. Throws
 * `parked_not_found` or `parked_replayed`.
 */
export async function discardByName(input: DecideInput, deps: DecideDeps): Promise<ParkingDecision> {
  const message = await findParked(input, deps);
  if ('outcome' in message) return decidedAlready(message, 'discarded');
  const decision = decisionOf(message, 'discarded', input.by, deps);
  await deps.desk.record(input.project, decision);
  await deps.parking.remove(input.project, input.name);
  return decision;
}

function decisionOf(
  { body, ...message }: ParkedMessage,
  outcome: ParkingDecision['outcome'],
  by: string,
  { clock }: Pick<DecideDeps, 'clock'>,
): ParkingDecision {
  const decidedAtMillis = millisOf(clock.now());
  return { ...message, outcome, by, decidedAtMillis, body: outcome === 'discarded' ? body : null };
}

function decidedAlready(decision: ParkingDecision, asked: ParkingDecision['outcome']): ParkingDecision {
  if (decision.outcome === asked) return decision;
  const { name, by } = decision;
  if (asked === 'discarded')
    throw conflict('parked_replayed', `${name} was replayed by ${by}; nothing is parked under this name any more.`);
  throw conflict(
    'parked_discarded',
    `${name} was discarded by ${by}. Its events are shown; send them again as events.`,
  );
}

function notReplayable({ name, reason }: ParkedMessage): Error {
  const advice =
    reason === 'append_deadline'
      ? 'the log no longer takes its events under their ids. Send them again through a backfill, then discard it'
      : 'its event is in the log already and only missing from a view; it stays parked until the view is rebuilt';
  return conflict('parked_not_replayable', `${name} cannot be replayed: ${advice}.`);
}
