import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { parkingLot } from '../../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../adapters/dynamodb/usage-views.ts';
import { instantFromMillis, parseInstant } from '../../core/time/instant.ts';
import { acceptEvents } from '../../core/usage/accept-events.ts';
import { type AppendDeps, appendUsage } from '../../core/usage/append-usage.ts';
import { type FoldDeps, foldPartition, foldPartitions } from '../../core/usage/fold-partitions.ts';
import { VIEW_LIMITS } from '../../core/usage/fold-view.ts';
import type { PartitionHeader } from '../../core/usage/log-partition.ts';
import { PartitionCache } from '../../core/usage/partition-state.ts';
import type { UsageRegistry } from '../../core/usage/ports.ts';
import type { RebuildDeps } from '../../core/usage/rebuild-day.ts';
import { settleUsage } from '../../core/usage/settle-usage.ts';
import { voidEvents } from '../../core/usage/void-events.ts';
import { type Difference, differences } from './oracle.ts';
import { Random } from './random.ts';
import { rebuildAll, rebuildDeps, spoilViews } from './rebuilding.ts';
import { BACKFILL, clientEvents, clientVoids } from './traffic.ts';
import { Actor, METERS, PROJECT, TABLES, World } from './world.ts';

/**
 * One fault schedule over the real core and the real adapters: clients that retry in other groupings, ingest, append workers
 * and folders that run at once and die, time that passes; then peace, until the queue is empty and the usage is settled.
 */
export interface Workers {
  append: AppendDeps;
  fold: FoldDeps & { registry: UsageRegistry };
  rebuild: RebuildDeps;
}

/** Changes the wiring of every worker: how a mutant is planted. */
export type Mutation = (workers: Workers, world: World) => Workers;

/** What is changed in a run: nothing, unless a mutant is planted. */
export interface Planted {
  readonly client?: (client: DynamoDBClient) => DynamoDBClient;
  readonly workers?: Mutation;
}

const ROUNDS = 6;
const SPOILT_ROUNDS = 0.08;
const DAY = 86_400_000;

/** Runs the schedule of a seed and answers how the result differs from the truth: an empty list is what must come out. */
export async function runSchedule(seed: number, planted: Planted = {}): Promise<Difference[]> {
  const random = new Random(seed);
  const world = new World(random);
  const risk = random.pick([0, 0.02, 0.05, 0.12]);
  const events = clientEvents(random, world.millis);
  const voids = random.chance(0.6) ? clientVoids(random, events) : [];
  const appenders = [newWorker(world, risk, planted), newWorker(world, risk, planted)];
  const headers = new Map<string, PartitionHeader>();
  for (let round = 0; round < ROUNDS; round++) {
    // Not of views so small that rebuilt ones may not fit.
    const isSpoilt =
      round > 0 && world.viewLimits === VIEW_LIMITS && random.chance(SPOILT_ROUNDS) && (await spoilt(world));
    const requests = Array.from({ length: random.below(4) }, (_, i) => {
      const actor = new Actor(world, risk);
      const client = clientOf(world, actor, planted);
      const chosen = random.some(events, 0.4);
      return acceptEvents(
        {
          project: PROJECT,
          events: chosen,
          batchId: `${seed}-${round}-${i}`,
          meters: METERS,
          openBackfills: new Set([BACKFILL]),
        },
        {
          claims: usageClaims(client, TABLES.claims),
          queue: world.queueOf(actor),
          clock: world.clock,
          headers: random.chance(0.5) ? headers : new Map(),
        },
      );
    });
    const voiding = Array.from({ length: voids.length === 0 ? 0 : random.below(3) }, (_, i) => {
      const actor = new Actor(world, risk);
      const claims = usageClaims(clientOf(world, actor, planted), TABLES.claims);
      return voidEvents(
        { project: PROJECT, targets: random.some(voids, 0.5), by: 'key1', batchId: `${seed}-${round}-v${i}` },
        { claims, queue: world.queueOf(actor), clock: world.clock, headers: new Map() },
      );
    });
    const appends = appenders.map((worker, i) => {
      if (worker.actor.dead) appenders[i] = newWorker(world, risk, planted);
      return random.chance(0.8) ? appendOnce(world, appenders[i] ?? worker, 0.6) : Promise.resolve();
    });
    const folds = random.chance(0.6)
      ? [foldSome(world, newWorker(world, risk, planted)), foldSome(world, newWorker(world, risk, planted))]
      : [];
    const rebuilds = isSpoilt ? [rebuildAll(world, newWorker(world, 0, planted).deps.rebuild)] : [];
    await world.run([...requests, ...voiding, ...appends, ...folds, ...rebuilds]);
    await Promise.all(rebuilds);
    world.millis += random.pick([1000, 60_000, 40 * 60_000, 3 * 3_600_000]);
  }
  await bringToPeace(world, planted);
  return differences(world);
}

/** Whether there was anything to spoil; nobody else is at work meanwhile. */
async function spoilt(world: World): Promise<boolean> {
  const spoiling = spoilViews(world);
  await world.run([spoiling]);
  return (await spoiling) > 0;
}

interface Worker {
  readonly actor: Actor;
  readonly deps: Workers;
}

function clientOf(world: World, actor: Actor, planted: Planted): DynamoDBClient {
  const client = world.database.client(actor.faults);
  return planted.client?.(client) ?? client;
}

function newWorker(world: World, risk: number, planted: Planted): Worker {
  const actor = new Actor(world, risk);
  const client = clientOf(world, actor, planted);
  const log = usageLog(client, TABLES.log);
  const registry = usageRegistry(client, TABLES.views);
  const parking = parkingLot(client, TABLES.views);
  const views = usageViews(client, TABLES.views);
  const { clock } = world;
  const fold = {
    log,
    views,
    registry,
    parking,
    clock,
    meters: { revision: async () => METERS, newest: async () => METERS },
    seen: new Set<string>(),
    viewLimits: world.viewLimits,
  };
  const deps: Workers = {
    append: {
      log,
      registry,
      parking,
      clock,
      cache: new PartitionCache(),
      registered: new Set(),
      pause: async () => {},
    },
    fold,
    rebuild: rebuildDeps(fold),
  };
  return { actor, deps: planted.workers?.(deps, world) ?? deps };
}

async function appendOnce(world: World, worker: Worker, share: number): Promise<void> {
  const messages = world.receive(share);
  if (messages.length === 0) return;
  const { failed } = await appendUsage(messages, worker.deps.append);
  // The acknowledgement of a dead worker is never sent, and that of a living one may be lost.
  if (worker.actor.dead || world.random.chance(0.1)) return;
  const failedIds = new Set(failed.map(({ messageId }) => messageId));
  world.acknowledge(new Set(messages.map(({ messageId }) => messageId).filter((id) => !failedIds.has(id))));
}

async function foldSome(world: World, worker: Worker): Promise<void> {
  const partitions = [...new Set(world.chunks.map((chunk) => (chunk.pk?.S ?? '').split('#')[1] ?? ''))];
  const targets = world.random.some(partitions, 0.7).map((partition) => ({ place: { project: PROJECT, partition } }));
  if (world.random.chance(0.5)) await foldPartitions(targets, worker.deps.fold);
  else for (const { place } of targets) await foldPartition(place, worker.deps.fold);
}

/** No more faults: the queue is drained, time passes, old messages come again after the log has expired, usage is settled. */
async function bringToPeace(world: World, planted: Planted): Promise<void> {
  const drain = async () => {
    for (let tries = 0; world.backlog > 0 && tries < 50; tries++)
      await world.run([appendOnce(world, newWorker(world, 0, planted), 1)]);
  };
  const settle = async () => {
    const worker = newWorker(world, 0, planted);
    const since = parseInstant('2026-11-03T00:00:00Z');
    let cursor: string | null = null;
    const settleAll = async () => {
      do {
        const stopAt = instantFromMillis(world.millis + (world.random.chance(0.5) ? 1 : 0));
        ({ cursor } = await settleUsage({ project: PROJECT, since, cursor, stopAt }, worker.deps.fold));
      } while (cursor !== null);
    };
    await world.run([settleAll()]);
  };
  world.redrive();
  await drain();
  await settle();
  if (world.random.chance(0.3)) {
    // Beyond the append deadline (b + H + 29 days) and then beyond the log's own life (b + H + 45 days).
    world.millis += world.random.pick([65, 82]) * DAY;
    world.database.expire(Math.floor(world.millis / 1000));
    world.redrive();
    await drain();
    await settle();
  }
}
