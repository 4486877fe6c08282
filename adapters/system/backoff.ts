import type { Backoff } from '../../core/invoicing/ports.ts';

const FIRST_MILLIS = 20;
const LONGEST_MILLIS = 1_000;

/** Full jitter: a random wait below 40 ms, 80 ms, 160 ms and so on up to 1 s, so that workers which met once part. */
export const systemBackoff: Backoff = {
  wait: (attempt) => {
    const longest = Math.min(LONGEST_MILLIS, FIRST_MILLIS * 2 ** Math.min(attempt, 10));
    return new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
  },
};
