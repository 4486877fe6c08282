import type { Clock } from '../../core/time/clock.ts';
import { millisOf } from '../../core/time/instant.ts';

/** Values that are read often and change seldom, kept for a while by each worker. */
export interface Cached<K, V> {
  /** `fresh` reads again, whatever is kept. */
  get(key: K, read: 'cached' | 'fresh'): Promise<V>;
}

const MAX_ENTRIES = 1000;

/** Keeps what `read` answers for `maxAgeMillis`; nothing is kept when it throws. */
export function cached<K, V>(input: {
  readonly read: (key: K, read: 'cached' | 'fresh') => Promise<V>;
  readonly maxAgeMillis: number;
  readonly clock: Clock;
}): Cached<K, V> {
  const entries = new Map<K, { value: V; readAt: number }>();
  return {
    async get(key, read) {
      const now = millisOf(input.clock.now());
      const entry = entries.get(key);
      const age = entry === undefined ? Number.POSITIVE_INFINITY : now - entry.readAt;
      if (entry !== undefined && read === 'cached' && age >= 0 && age < input.maxAgeMillis) return entry.value;
      const value = await input.read(key, read);
      if (entries.size >= MAX_ENTRIES) entries.clear();
      entries.set(key, { value, readAt: now });
      return value;
    },
  };
}
