import type { Clock } from '../../core/time/clock.ts';
import { instantFromMillis } from '../../core/time/instant.ts';

export const systemClock: Clock = { now: () => instantFromMillis(Date.now()) };
