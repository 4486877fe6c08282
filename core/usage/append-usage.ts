import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import { batchFingerprint, digestOf, fingerprintOf } from './identity.ts';
import { hourKey, type LogPartition, partitionBornEnd } from './log-partition.ts';
import type { PartitionCache, PartitionState } from './partition-state.ts';
import { type PartitionShare, planChunk } from './plan-chunk.ts';
import type { ParkingLot, UsageLog, UsageRegistry } from './ports.ts';
import { appendDeadline, REGISTRY_LIFE_MILLIS } from './retention.ts';
import { decodeUsageBatch, encodeUsageBatches, type UsageBatch } from './usage-batch.ts';

/**
 * The only writer of the log. Many messages, one chunk per partition, one conditional put per chunk.
 *
 * Why a crash, a redelivery or a lost answer is harmless: identities, events and receipts commit in the same put, whose
 * condition (the sequence is free) is the guard. A put that was refused is followed by a reload, never taken for one's own;
 * a put whose outcome is unknown is neither remembered nor acknowledged: the message comes again, finds its receipt in the
 * log, and is done.
 */
export interface AppendDeps {
  readonly log: UsageLog;
  readonly registry: UsageRegistry;
  readonly parking: ParkingLot;
  readonly clock: Clock;
  readonly cache: PartitionCache;
  /** Partitions this worker has registered, by append hour. */
  readonly registered: Set<string>;
  /** Waits before try number `attempt` (from 1), longer each time, with jitter. */
  pause(attempt: number): Promise<void>;
}

export interface UsageMessage {
  readonly messageId: string;
  readonly body: string;
}

export interface AppendResult {
  /** Messages that are not done: they come again. */
  readonly failed: readonly { readonly messageId: string; readonly error: unknown }[];
}

const MAX_ATTEMPTS = 12;
const PARTITIONS_AT_ONCE = 8;

interface PartitionWork {
  readonly place: LogPartition;
  readonly shares: (PartitionShare & { readonly messageId: string; readonly batch: UsageBatch })[];
}

/** Appends the events of many messages. A message is done when all its partitions are durable; all others are reported. */
export async function appendUsage(messages: readonly UsageMessage[], deps: AppendDeps): Promise<AppendResult> {
  const failed = new Map<string, unknown>();
  const work = new Map<string, PartitionWork>();
  for (const message of messages) {
    try {
      addShares(work, message, decodeUsageBatch(message.body));
    } catch (error) {
      failed.set(message.messageId, error);
    }
  }
  const queue = [...work.values()];
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      try {
        await appendToPartition(next, deps);
      } catch (error) {
        deps.cache.forget(cacheName(next.place));
        for (const share of next.shares) failed.set(share.messageId, error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARTITIONS_AT_ONCE }, lane));
  deps.cache.trim();
  return { failed: [...failed].map(([messageId, error]) => ({ messageId, error })) };
}

function cacheName({ project, partition }: LogPartition): string {
  return `${project}/${partition}`;
}

interface Carried {
  readonly events: PartitionShare['events'][number][];
  readonly voids: PartitionShare['voids'][number][];
}

function addShares(work: Map<string, PartitionWork>, message: UsageMessage, batch: UsageBatch): void {
  const { project, batchId, receivedAtMillis: requestedAtMillis } = batch;
  const shares = new Map<string, Carried>();
  const shareOf = (partition: string): Carried => {
    const known = shares.get(partition);
    if (known !== undefined) return known;
    const share: Carried = { events: [], voids: [] };
    shares.set(partition, share);
    return share;
  };
  for (const { partition, ...fields } of batch.events) {
    const event = { ...fields, meterRevision: batch.meterRevision };
    shareOf(partition).events.push({ event, fingerprint: fingerprintOf(project, event), digest: digestOf(event) });
  }
  for (const { partition, ...fields } of batch.voids ?? []) {
    const entry = { ...fields, requestedAtMillis };
    shareOf(partition).voids.push({ entry, fingerprint: fingerprintOf(project, entry) });
  }
  let rejected = batch.rejected;
  for (const [partition, { events, voids }] of shares) {
    const place = { project, partition };
    const entry = work.get(cacheName(place)) ?? { place, shares: [] };
    entry.shares.push({ batchId, events, voids, rejected, messageId: message.messageId, batch });
    work.set(cacheName(place), entry);
    rejected = 0;
  }
}

async function appendToPartition({ place, shares }: PartitionWork, deps: AppendDeps): Promise<void> {
  const state = deps.cache.of(cacheName(place));
  await catchUp(place, state, deps.log);
  for (let attempt = 1; ; ) {
    const nowMillis = millisOf(deps.clock.now());
    const chunk = planChunk(state, shares, nowMillis);
    if (chunk === null) return;
    if (nowMillis > appendDeadline(partitionBornEnd(place.partition))) {
      const open = shares.filter((share) => !state.settled.has(batchFingerprint(share.batchId)));
      await parkLate(place, open, deps, nowMillis);
      return;
    }
    await register(place, nowMillis, deps);
    if ((await deps.log.putChunk(place, chunk)) === 'stored') {
      state.apply(chunk);
      continue;
    }
    if (attempt >= MAX_ATTEMPTS)
      throw new Error(`Partition ${place.partition} is contended: ${attempt} puts were refused.`);
    await deps.pause(attempt);
    attempt += 1;
    await catchUp(place, state, deps.log);
  }
}

/** Reads what others appended. Strong, in unbroken order, so that nothing in the log is unknown when the put is planned. */
async function catchUp(place: LogPartition, state: PartitionState, log: UsageLog): Promise<void> {
  for await (const page of log.readChunks(place, state.head)) {
    for (const chunk of page) state.apply(chunk);
  }
}

/** Before the put, so that a chunk can never exist in a partition that no settlement would look at. */
async function register(place: LogPartition, nowMillis: number, deps: AppendDeps): Promise<void> {
  const appendHour = hourKey(nowMillis);
  const name = `${appendHour}/${cacheName(place)}`;
  if (deps.registered.has(name)) return;
  await deps.registry.register(place, appendHour, Math.ceil((nowMillis + REGISTRY_LIFE_MILLIS) / 1000));
  if (deps.registered.size > 100_000) deps.registered.clear();
  deps.registered.add(name);
}

/** Messages so old that their partition may be about to expire are not appended; they wait, by name, for a person. Settled ones do not: the books would count them twice. */
async function parkLate(
  place: LogPartition,
  shares: PartitionWork['shares'],
  deps: AppendDeps,
  nowMillis: number,
): Promise<void> {
  for (const { batch, batchId, rejected, ...share } of shares) {
    const { partition } = place;
    const events = share.events.map(({ event }) => ({ ...event, partition }));
    const voids = share.voids.map(({ entry }) => ({ ...entry, partition }));
    await deps.parking.park(place.project, {
      name: `append:${place.partition}:${batchId}`,
      reason: 'append_deadline',
      detail: `The log partition ${place.partition} no longer takes events; these came after its append deadline.`,
      body: encodeUsageBatches({ ...batch, rejected, events, voids }, Number.POSITIVE_INFINITY).join('\n'),
      events: events.length + voids.length,
      parkedAtMillis: nowMillis,
    });
  }
}
