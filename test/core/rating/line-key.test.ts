import { expect, test } from 'vitest';
import type { SubscriptionId } from '../../../core/ids.ts';
import { lineKeyPrefix } from '../../../core/rating/line-key.ts';

const prefix = (subscription: string, more: { phase?: number; list?: number } = {}) =>
  lineKeyPrefix({ subscription: subscription as SubscriptionId, ...more });

test('names the subscription, its phase from the second on, and the span of the price list', () => {
  expect(prefix('sub-a')).toBe('sub-a');
  expect(prefix('sub-a', { phase: 1, list: 1 })).toBe('sub-a/list');
  expect(prefix('sub-a', { phase: 2 })).toBe('sub-a/phase-2');
  expect(prefix('sub-a', { phase: 2, list: 3 })).toBe('sub-a/phase-2/list-3');
});

test('no two services have one prefix, whatever slashes their ids hold', () => {
  const all = [
    prefix('a', { phase: 2 }),
    prefix('a/phase-2'),
    prefix('a%2Fphase-2'),
    prefix('a', { list: 1 }),
    prefix('a/list'),
    prefix('a/list', { phase: 2 }),
    prefix('a', { phase: 2, list: 1 }),
  ];
  expect(new Set(all).size).toBe(all.length);
});
