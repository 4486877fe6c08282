import type { FaultEffect } from '../../local/gateway/faults.ts';
import type { LocalStack } from '../../local/stack.ts';
import { Random } from '../faults/random.ts';

/**
 * Bad weather over a running stack: calls that are throttled, meet a conflict, fail, are slow or lose their answer, before or
 * after they took effect, and functions that are killed in the middle. Which, when and how often is random.
 */
const FUNCTIONS = ['post-events', 'append-usage', 'fold-usage', 'sweep-usage', 'publish-usage', 'park-messages', 'api'];
const DATABASE_WRITES = ['PutItem', 'TransactWriteItems'];
const DATABASE_READS = ['Query', 'GetItem'];
const QUEUE_CALLS = ['SendMessage', 'SendMessageBatch', 'ReceiveMessage', 'DeleteMessageBatch'];
const OPERATIONS = [...DATABASE_WRITES, ...DATABASE_READS, ...QUEUE_CALLS];
const LONGEST_DELAY_MILLIS = 9_000;
const FAULT_EVERY_MILLIS = 700;
const KILL_EVERY_MILLIS = 6_000;
/** A fault that met no call is taken away, so that it does not lie in wait for ever. */
const FAULT_LIFE_MILLIS = 15_000;

/** How often each thing has happened. */
export type Happened = Record<string, number>;

export interface Weather {
  /** Up to now, what still hangs over the stack included. */
  happened(): Happened;
  /** Clear skies from now on; what has begun ends. */
  end(): void;
}

export function startWeather(stack: LocalStack, seed: number): Weather {
  const random = new Random(seed);
  const past: Happened = {};
  const active = new Map<() => void, () => readonly [kind: string, hits: number]>();
  const tell = (what: string, times: number, happened = past) => {
    if (times > 0) happened[what] = (happened[what] ?? 0) + times;
  };
  const inject = () => {
    const [kind, effect] = effectFrom(random);
    const fault = stack.gateway.inject({
      principal: stack.principalOf(random.pick(FUNCTIONS)),
      operation: kind === 'conflict' ? random.pick(DATABASE_WRITES) : random.pick(OPERATIONS),
      nth: 1 + random.below(4),
      times: 1 + random.below(4),
      effect,
    });
    const remove = () => {
      clearTimeout(timer);
      fault.remove();
      tell(kind, fault.hits);
      active.delete(remove);
    };
    const timer = setTimeout(remove, FAULT_LIFE_MILLIS);
    active.set(remove, () => [kind, fault.hits]);
  };
  const kill = async () => tell('killed functions', (await stack.kill(random.pick(FUNCTIONS))) > 0 ? 1 : 0);
  const faults = every(FAULT_EVERY_MILLIS, random, inject);
  const kills = every(KILL_EVERY_MILLIS, random, () => void kill());
  return {
    happened() {
      const now = { ...past };
      for (const hits of active.values()) tell(...hits(), now);
      return now;
    },
    end() {
      faults();
      kills();
      for (const remove of [...active.keys()]) remove();
    },
  };
}

function effectFrom(random: Random): readonly [string, FaultEffect] {
  const when = random.pick(['before', 'after'] as const);
  switch (random.below(5)) {
    case 0:
      return ['throttled', { kind: 'throttle' }];
    case 1:
      return ['conflict', { kind: 'transaction-conflict' }];
    case 2:
      return [when === 'after' ? 'lost answers' : 'lost calls', { kind: 'drop', when }];
    case 3:
      return ['slow calls', { kind: 'delay', ms: random.below(LONGEST_DELAY_MILLIS) }];
    default:
      return [`failed, ${when === 'after' ? 'with' : 'without'} effect`, { kind: 'fail', when }];
  }
}

/** Calls `act` again and again, on average after `meanMillis`; returns the way to stop. */
function every(meanMillis: number, random: Random, act: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = () => {
    timer = setTimeout(
      () => {
        act();
        arm();
      },
      2 * meanMillis * random.next(),
    );
  };
  arm();
  return () => clearTimeout(timer);
}
