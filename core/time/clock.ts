import type { Instant } from './instant.ts';

/** The clock port: core never reads the time itself. */
export interface Clock {
  now(): Instant;
}
