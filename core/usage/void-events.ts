import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import { bornMillisOf } from './event-id.ts';
import { fingerprintHex, fingerprintOf } from './identity.ts';
import { inLanes } from './in-lanes.ts';
import { partitionName, shardOf } from './log-partition.ts';
import { type HeaderDeps, pinnedHeader } from './pinned-header.ts';
import type { UsageClaims, UsageQueue } from './ports.ts';
import { appendDeadline, bornHourEnd, FUTURE_TOLERANCE_MILLIS } from './retention.ts';
import { type PlacedVoid, packedUsageBatches } from './usage-batch.ts';

/** An event to be voided, by its identity. */
export interface VoidTarget {
  readonly customer: string;
  /** Empty unless the event named one. */
  readonly source: string;
  readonly id: string;
  /** In the caller's words; may be empty. */
  readonly reason: string;
}

export interface VoidInput {
  readonly project: ProjectId;
  readonly targets: readonly VoidTarget[];
  /** Who asks: the id of the API key, or of the job. */
  readonly by: string;
  /** Unique to this request. */
  readonly batchId: string;
}

export interface VoidDeps extends HeaderDeps {
  readonly claims: Pick<UsageClaims, 'findClaim' | 'pinHeader'>;
  readonly queue: UsageQueue;
  readonly clock: Clock;
}

/** Why one void was refused. */
export interface VoidRefusal {
  readonly index: number;
  readonly code: 'event_not_found' | 'void_too_late';
  readonly detail: string;
}

export interface VoidResult {
  readonly accepted: number;
  readonly rejected: readonly VoidRefusal[];
}

const CLAIMS_AT_ONCE = 16;

/**
 * Takes voids: finds the log partition of each event and hands the voids to the usage queue. Accepted means that the queue has
 * them; whether the event is there, or voided already, is for append to see, and either is harmless. A void never makes a
 * claim: an id that neither carries its time nor was ever claimed names no event. Repeating a request is safe.
 */
export async function voidEvents(input: VoidInput, deps: VoidDeps): Promise<VoidResult> {
  const { project, batchId, by, targets } = input;
  const nowMillis = millisOf(deps.clock.now());
  const outcomes: (PlacedVoid | VoidRefusal)[] = [];
  await inLanes([...targets.entries()], CLAIMS_AT_ONCE, async ([index, target]) => {
    outcomes[index] = await placeVoid({ project, index, target, by, nowMillis }, deps);
  });
  const voids = outcomes.filter((outcome) => 'partition' in outcome);
  if (voids.length > 0) {
    const batch = { project, batchId, rejected: 0, meterRevision: 0, receivedAtMillis: nowMillis, events: [], voids };
    await deps.queue.send(packedUsageBatches(batch));
  }
  return { accepted: voids.length, rejected: outcomes.filter((outcome) => 'code' in outcome) };
}

interface Placing {
  readonly project: ProjectId;
  readonly index: number;
  readonly target: VoidTarget;
  readonly by: string;
  readonly nowMillis: number;
}

async function placeVoid(placing: Placing, deps: VoidDeps): Promise<PlacedVoid | VoidRefusal> {
  const { project, index, target, by, nowMillis } = placing;
  const { customer, source, id } = target;
  const bornMillis =
    bornMillisOf(source, id) ?? (await deps.claims.findClaim(project, fingerprintHex(fingerprintOf(project, target))));
  if (bornMillis === undefined || bornMillis > nowMillis + FUTURE_TOLERANCE_MILLIS) return notFound(index, target);
  if (nowMillis > appendDeadline(bornHourEnd(bornMillis))) return tooLate(index, target);
  const header = await pinnedHeader(project, bornMillis, deps);
  const partition = partitionName(header, shardOf(header, customer, id), bornMillis);
  return { ...target, index, by, partition };
}

function notFound(index: number, { id, customer, source }: VoidTarget): VoidRefusal {
  const from = source === '' ? 'without a source' : `with the source ${JSON.stringify(source.slice(0, 64))}`;
  return {
    index,
    code: 'event_not_found',
    detail: `No event ${JSON.stringify(id.slice(0, 64))} of customer ${JSON.stringify(customer.slice(0, 64))} ${from} was ever accepted, or it is more than 80 days old. Look for it with GET /v1/events, and name customer, source and id exactly as the event did.`,
  };
}

function tooLate(index: number, { id }: VoidTarget): VoidRefusal {
  return {
    index,
    code: 'void_too_late',
    detail: `The log took changes about ${JSON.stringify(id.slice(0, 64))} until 64 days after its id was made. Correct it on an invoice instead, or with an event of the opposite value where its meter is a sum.`,
  };
}
