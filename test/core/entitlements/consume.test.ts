import { describe, expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { quotaStore } from '../../../adapters/dynamodb/quotas.ts';
import { reservationStore } from '../../../adapters/dynamodb/reservations.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { checkEntitlement } from '../../../core/entitlements/check-entitlement.ts';
import { type ConsumeInput, consumeEntitlement } from '../../../core/entitlements/consume-entitlement.ts';
import { type MeteredFeature, quotaKeyOf } from '../../../core/entitlements/feature.ts';
import { usedOf } from '../../../core/entitlements/quota.ts';
import { refreshQuotas } from '../../../core/entitlements/refresh-quotas.ts';
import { resendConsumed } from '../../../core/entitlements/resend-consumed.ts';
import type { CustomerId } from '../../../core/ids.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { acceptEvents } from '../../../core/usage/accept-events.ts';
import { appendUsage } from '../../../core/usage/append-usage.ts';
import { foldPartitions } from '../../../core/usage/fold-partitions.ts';
import { PartitionCache } from '../../../core/usage/partition-state.ts';
import { rebuildDay } from '../../../core/usage/rebuild-day.ts';
import { decodeUsageBatch } from '../../../core/usage/usage-batch.ts';
import { voidEvents } from '../../../core/usage/void-events.ts';
import { Random } from '../../faults/random.ts';
import { Actor, METERS, PROJECT, TABLES, World } from '../../faults/world.ts';

const ADA = 'ada' as CustomerId;
const FEATURE: MeteredFeature = {
  kind: 'metered',
  feature: 'tokens',
  scope: {
    feature: 'tokens',
    meter: 'tokens',
    filter: {},
    window: { start: parseInstant('2026-11-01T00:00:00Z'), end: parseInstant('2026-12-01T00:00:00Z') },
  },
  limit: '10',
  isHard: true,
  grants: [],
  sources: [],
};
const KEY = quotaKeyOf(PROJECT, 'ada', FEATURE.scope);

let batches = 0;
/** Everything one worker is, over a database and a queue that fail as its actor does. */
function workerOf(world: World, actor: Actor, feature: MeteredFeature = FEATURE) {
  const client = world.database.client(actor.faults);
  const { clock } = world;
  const quotas = quotaStore(client, TABLES.views);
  const views = usageViews(client, TABLES.views);
  const accept = {
    claims: usageClaims(client, TABLES.claims),
    queue: world.queueOf(actor),
    clock,
    headers: new Map(),
  };
  const common = { clock, views, log: usageLog(client, TABLES.log), registry: usageRegistry(client, TABLES.views) };
  return {
    actor,
    accept,
    consume: {
      features: async () => new Map([['tokens', feature]]),
      meters: async () => METERS,
      quotas,
      views,
      clock,
      maxAgeMillis: 0,
      marked: new Set<string>(),
      reservations: reservationStore(client, TABLES.views),
      accept,
      newBatchId: () => `b-${++batches}`,
      pause: async () => {},
    },
    append: {
      ...common,
      parking: parkingLot(client, TABLES.views),
      cache: new PartitionCache(),
      registered: new Set<string>(),
      pause: async () => {},
    },
    fold: {
      ...common,
      parking: parkingLot(client, TABLES.views),
      meters: { revision: async () => METERS, newest: async () => METERS },
      seen: new Set<string>(),
      quotas: {
        isUsed: () => quotas.isUsed(PROJECT),
        refresh: (touched: Parameters<typeof refreshQuotas>[0]) => refreshQuotas(touched, { quotas, views, clock }),
      },
    },
  };
}
type Worker = ReturnType<typeof workerOf>;

const asked = (id: string, quantity: string): ConsumeInput => ({
  project: PROJECT,
  customer: ADA,
  feature: 'tokens',
  quantity: Decimal.parse(quantity),
  id,
  time: null,
  properties: { region: 'eu' },
});

async function append(world: World, worker: Worker, share: number): Promise<void> {
  const messages = world.receive(share);
  if (messages.length === 0) return;
  const { failed } = await appendUsage(messages, worker.append);
  if (worker.actor.dead) return;
  const failedIds = new Set(failed.map(({ messageId }) => messageId));
  world.acknowledge(new Set(messages.map(({ messageId }) => messageId).filter((id) => !failedIds.has(id))));
}

function fold(world: World, worker: Worker) {
  const partitions = [...new Set(world.chunks.map((chunk) => (chunk.pk?.S ?? '').split('#')[1] ?? ''))];
  return foldPartitions(
    partitions.map((partition) => ({ place: { project: PROJECT, partition } })),
    worker.fold,
  );
}

/** No more faults: what was never sent is sent, everything is appended and folded. */
async function bringToPeace(world: World): Promise<Worker> {
  const worker = workerOf(world, new Actor(world, 0));
  world.millis += 120_000;
  const { reservations } = worker.consume;
  await world.run([resendConsumed(PROJECT, { reservations, queue: worker.accept.queue, clock: world.clock })]);
  for (let tries = 0; world.backlog > 0 && tries < 50; tries++) await world.run([append(world, worker, 1)]);
  await world.run([fold(world, worker)]);
  return worker;
}

/** What all queued messages come to: every event once, less those that a void names. */
function truthOf(world: World) {
  const events = new Map<string, string>();
  const voided = new Set<string>();
  for (const body of world.queued.values()) {
    const batch = decodeUsageBatch(body);
    for (const { id, properties } of batch.events) events.set(id, properties.tokens ?? '0');
    for (const { id } of batch.voids ?? []) voided.add(id);
  }
  const sum = (list: [string, string][]) =>
    list.reduce((total, [, value]) => total.plus(Decimal.parse(value)), Decimal.ZERO);
  const all = [...events];
  return {
    used: sum(all.filter(([id]) => !voided.has(id))).toString(),
    consumed: sum(all.filter(([id]) => id.startsWith('c'))),
  };
}

async function runSchedule(seed: number): Promise<void> {
  const random = new Random(seed);
  const world = new World(random);
  const risk = random.pick([0, 0.03, 0.08, 0.15]);
  const feature = { ...FEATURE, isHard: true };
  const withVoids = random.chance(0.4);
  const pool = Array.from({ length: 9 }, (_, i) => asked(`c${i}`, String(1 + (i % 4) / 2)));
  const granted = new Set<string>();
  let others = 0;
  for (let round = 0; round < 6; round++) {
    const consumers = random.some(pool, 0.5).map(async (input) => {
      const worker = workerOf(world, new Actor(world, risk), feature);
      const { recorded } = await consumeEntitlement(input, worker.consume);
      if (recorded && !worker.actor.dead) granted.add(input.id);
    });
    const tasks: Promise<unknown>[] = [...consumers];
    const another = () => workerOf(world, new Actor(world, risk));
    if (random.chance(0.3)) {
      others += 1;
      const event = { id: `o${others}`, type: 'call', customer: 'ada', properties: { tokens: '1' } };
      const request = { project: PROJECT, events: [event], batchId: `o-${seed}-${round}`, meters: METERS };
      tasks.push(acceptEvents({ ...request, openBackfills: new Set() }, another().accept));
    }
    if (withVoids && random.chance(0.4)) {
      const target = { customer: 'ada', source: '', id: random.pick(pool).id, reason: '' };
      const voiding = { project: PROJECT, targets: [target], by: 'k', batchId: `v-${seed}-${round}` };
      tasks.push(voidEvents(voiding, another().accept));
    }
    if (random.chance(0.7)) tasks.push(append(world, another(), 0.7));
    if (random.chance(0.7)) tasks.push(fold(world, another()), fold(world, another()));
    await world.run(tasks);
    world.millis += random.pick([10, 1_000, 61_000]);
  }
  const worker = await bringToPeace(world);
  const { used, consumed } = truthOf(world);
  const read = async () => {
    const quota = await worker.consume.quotas.find(KEY);
    if (quota === undefined) return;
    const reserved = new Map<string, string>();
    for (const { id, quantity } of pool) {
      if ([...world.queued.values()].some((body) => decodeUsageBatch(body).events.some((event) => event.id === id)))
        reserved.set(id, quantity.toString());
    }
    for (const id of granted) expect(reserved.has(id)).toBe(true);
    expect(quota.consumed).toBe(consumed.toString());
    // Without voids nothing is ever given back, so all that was taken has to fit the limit.
    if (!withVoids) expect(consumed.compare(Decimal.parse('10'))).toBeLessThanOrEqual(0);
    expect(usedOf(quota).toString()).toBe(used);
    expect(
      Object.values(quota.folded)
        .reduce((sum, part) => sum.plus(Decimal.ofTotal(part)), Decimal.ZERO)
        .toString(),
    ).toBe(consumed.toString());
  };
  const reading = read();
  await world.run([reading]);
  await reading;
  // Counting everything again finds nothing to mend: the hidden meters follow from the log like all others.
  const rebuilt = rebuildDay(
    { project: PROJECT, day: '20261103', customers: ['ada'] },
    { ...worker.fold, isPriced: () => false, disputes: { openDays: async () => [], settle: async () => {} } },
  );
  await world.run([rebuilt]);
  expect((await rebuilt).mended).toEqual([]);
}

describe('consuming', () => {
  test('never passes a hard limit, takes nothing twice and loses nothing, whoever dies and whatever comes back late', async () => {
    for (let seed = 1; seed <= 120; seed++) {
      try {
        await runSchedule(seed);
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  }, 120_000);

  test('refuses what does not fit, says so, and takes what fits to the last unit', async () => {
    const world = new World(new Random(1));
    const worker = workerOf(world, new Actor(world, 0));
    const steps = async () => {
      expect(await consumeEntitlement(asked('c1', '7'), worker.consume)).toMatchObject({
        allowed: true,
        used: '7',
        remaining: '3',
        recorded: true,
        duplicate: false,
      });
      expect(await consumeEntitlement(asked('c2', '3.000000000001'), worker.consume)).toMatchObject({
        allowed: false,
        reason: 'limit_reached',
        recorded: false,
        used: '7',
      });
      expect(await consumeEntitlement(asked('c3', '3'), worker.consume)).toMatchObject({
        allowed: true,
        used: '10',
        remaining: '0',
      });
      // A retry of what was taken is answered as taken, though nothing is left.
      expect(await consumeEntitlement(asked('c1', '7'), worker.consume)).toMatchObject({
        allowed: true,
        recorded: true,
        duplicate: true,
        used: '10',
      });
      await expect(consumeEntitlement(asked('c1', '6'), worker.consume)).rejects.toMatchObject({
        code: 'consume_id_reused',
      });
      const check = { project: PROJECT, customer: ADA, feature: 'tokens', quantity: null };
      expect(await checkEntitlement(check, worker.consume)).toMatchObject({ allowed: false, used: '10' });
    };
    await world.run([
      steps().catch((error: unknown) => {
        failure = error;
      }),
    ]);
    if (failure !== null) throw failure;
    expect(world.queued.size).toBe(2);
  });

  test('beyond a soft limit is allowed and told', async () => {
    const world = new World(new Random(2));
    const worker = workerOf(world, new Actor(world, 0), { ...FEATURE, isHard: false });
    let answer: unknown;
    await world.run([
      consumeEntitlement(asked('c1', '11'), worker.consume).then((result) => {
        answer = result;
      }),
    ]);
    expect(answer).toMatchObject({
      allowed: true,
      overLimit: true,
      reason: 'over_soft_limit',
      used: '11',
      recorded: true,
    });
  });

  test('a consumed event that is voided gives its quantity back once it is folded, before or after it came', async () => {
    for (const isVoidFirst of [false, true]) {
      const world = new World(new Random(3));
      const worker = workerOf(world, new Actor(world, 0));
      await world.run([consumeEntitlement(asked('c1', '8'), worker.consume)]);
      const event = world.receive(1);
      if (!isVoidFirst) {
        await world.run([append(world, worker, 1)]);
        await world.run([fold(world, worker)]);
      }
      const target = { customer: 'ada', source: '', id: 'c1', reason: 'wrong' };
      if (isVoidFirst) world.acknowledge(new Set(event.map(({ messageId }) => messageId)));
      await world.run([voidEvents({ project: PROJECT, targets: [target], by: 'k', batchId: 'v' }, worker.accept)]);
      await world.run([append(world, worker, 1)]);
      if (isVoidFirst) {
        await world.run([worker.accept.queue.send(event.map(({ body }) => body))]);
        await world.run([append(world, worker, 1)]);
      }
      await world.run([fold(world, worker)]);
      let answer: unknown;
      const check = { project: PROJECT, customer: ADA, feature: 'tokens', quantity: null };
      await world.run([
        checkEntitlement(check, worker.consume).then((result) => {
          answer = result;
        }),
      ]);
      expect(answer).toMatchObject({ used: '0', remaining: '10' });
    }
  });
});

let failure: unknown = null;
