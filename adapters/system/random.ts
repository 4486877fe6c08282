import { randomBytes } from 'node:crypto';
import type { RandomBytes } from '../../core/accounts/api-key.ts';

export const systemRandom: RandomBytes = (length) => randomBytes(length);
