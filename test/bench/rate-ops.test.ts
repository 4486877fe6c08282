import { expect, test } from 'vitest';
import { amountsWithBig, rateOpsInput } from '../../bench/rate-ops.ts';
import { rateCharges } from '../../core/rating/rate.ts';

test('both sides of the rating bench come to the same cents, and ours explains each of its fifty tiers', () => {
  const { lines } = rateCharges(rateOpsInput());
  expect(lines.map(({ amountMinor }) => amountMinor.toString())).toEqual(amountsWithBig());
  // 10,000 x 0.0025 + 90,000 x 0.002 + 900,000 x 0.00175 + 9,000,000 x 0.0015 = 15,280; and 2,345,678.025 x 0.00125 = 2,932.09753125
  expect(lines[0]?.exactAmount).toBe('18212.09753125');
  expect(lines.map(({ steps }) => steps.length)).toEqual([5, 5, 5, 5, 5, 5, 5, 5, 5, 5]);
});
