import type { MeterRevision } from '../../core/catalog/meter.ts';
import type { ProjectId } from '../../core/ids.ts';
import { instantFromMillis } from '../../core/time/instant.ts';
import { VIEW_LIMITS, type ViewLimits } from '../../core/usage/fold-view.ts';
import { decodeUsageBatch } from '../../core/usage/usage-batch.ts';
import type { Item } from '../support/dynamodb-expression.ts';
import { type Call, type Fault, type FaultPlan, LostCall, MemoryDynamoDb } from '../support/memory-dynamodb.ts';
import type { Random } from './random.ts';

/**
 * The world of one fault schedule: a database and a queue that lose calls and answers, a clock that jumps, actors that die
 * at any call, and an order of concurrent calls that the seed decides.
 */
export const PROJECT = 'prj_faults' as ProjectId;
/** Two minutes before an hour ends. */
export const START_MILLIS = Date.UTC(2026, 10, 3, 9, 58, 0);
export const TABLES = { log: 'UsageLog', claims: 'UsageClaims', views: 'UsageViews' } as const;
export const METERS: MeterRevision = {
  revision: 1,
  meters: [
    { key: 'calls', eventType: 'call', aggregation: 'count', dimensions: ['region'] },
    { key: 'tokens', eventType: 'call', aggregation: 'sum', value: 'tokens', dimensions: [] },
    { key: 'peak', eventType: 'call', aggregation: 'max', value: 'tokens', dimensions: [] },
    { key: 'level', eventType: 'call', aggregation: 'latest', value: 'tokens', dimensions: ['region'] },
    { key: 'payments', eventType: 'call', aggregation: 'transactions', value: 'tokens', dimensions: [] },
    { key: 'users', eventType: 'call', aggregation: 'unique_count', value: 'tokens', dimensions: [] },
    { key: 'mean', eventType: 'call', aggregation: 'average', value: 'tokens', dimensions: [] },
    { key: 'stored', eventType: 'call', aggregation: 'time_weighted_sum', value: 'tokens', dimensions: [] },
  ],
};

/** One who acts and may die. A dead actor's calls never return, and nothing it says is heard. */
export class Actor {
  dead = false;
  readonly faults: FaultPlan;

  constructor(world: World, risk: number) {
    this.faults = async (call) => {
      await world.turn();
      return this.#fate(call, world.random, risk);
    };
  }

  #fate({ operation }: Call, random: Random, risk: number): Fault {
    if (this.dead) throw new LostCall('dead');
    if (!random.chance(risk)) return 'none';
    const writes = operation !== 'get' && operation !== 'query';
    const lot = random.below(4);
    if (lot < 2) this.dead = true;
    if (!writes) return 'lost_before';
    return lot === 0 || lot === 2
      ? 'lost_before'
      : random.chance(0.5)
        ? 'lost_after'
        : lot === 1
          ? 'lost_after'
          : 'repeat';
  }
}

export class World {
  readonly random: Random;
  readonly database = new MemoryDynamoDb({
    [TABLES.log]: { keys: ['pk', 'sk'] },
    [TABLES.claims]: { keys: ['pk'] },
    [TABLES.views]: { keys: ['pk', 'sk'] },
  });
  /** Every chunk ever stored, in order, whether or not it has expired since. */
  readonly chunks: Item[] = [];
  /** Every message ever queued, by batch id. */
  readonly queued = new Map<string, string>();
  #queue: { id: number; body: string }[] = [];
  #messages = 0;
  #waiting: (() => void)[] = [];
  millis = START_MILLIS;
  /** In some schedules views are so small that not everything fits into them. */
  readonly viewLimits: ViewLimits;
  readonly clock = { now: () => instantFromMillis(this.millis) };

  constructor(random: Random) {
    this.random = random;
    this.viewLimits = random.chance(0.15)
      ? { ...VIEW_LIMITS, splitBytes: 150, maxBytes: random.pick([150, 200, 300]) }
      : VIEW_LIMITS;
    this.database.onPut = (table, item) => {
      if (table === TABLES.log) this.chunks.push(item);
    };
  }

  /** Waits until the schedule lets this call go. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Runs tasks to their end, letting one waiting call go at a time, in an order the seed decides. */
  async run(tasks: readonly Promise<unknown>[]): Promise<void> {
    let open = tasks.length;
    for (const task of tasks) {
      const close = () => {
        open -= 1;
      };
      task.then(close, close);
    }
    while (open > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#waiting.splice(this.random.below(this.#waiting.length), 1)[0];
      next?.();
    }
  }

  /** The queue as an actor sees it: sending may fail before or after it took effect, or happen twice. */
  queueOf(actor: Actor) {
    return {
      send: async (messages: readonly string[]) => {
        for (const body of messages) {
          const fault = await actor.faults({ operation: 'put', table: 'queue' });
          if (fault === 'lost_before') throw new LostCall('the send was lost');
          this.#enqueue(body);
          if (fault === 'repeat') this.#enqueue(body);
          if (fault === 'lost_after') throw new LostCall('the answer to the send was lost');
        }
      },
    };
  }

  #enqueue(body: string): void {
    this.queued.set(decodeUsageBatch(body).batchId, body);
    this.#messages += 1;
    this.#queue.push({ id: this.#messages, body });
  }

  /** Some of the messages, in any order; they stay in the queue until acknowledged, so two workers may hold the same one. */
  receive(probability: number): { messageId: string; body: string }[] {
    return this.random.some(this.#queue, probability).map(({ id, body }) => ({ messageId: String(id), body }));
  }

  acknowledge(messageIds: ReadonlySet<string>): void {
    this.#queue = this.#queue.filter(({ id }) => !messageIds.has(String(id)));
  }

  /** Messages acknowledged long ago come again, as a redrive by hand or a late redelivery would bring them. */
  redrive(): void {
    for (const body of this.random.some([...this.queued.values()], 0.3)) this.#enqueue(body);
  }

  get backlog(): number {
    return this.#queue.length;
  }
}
