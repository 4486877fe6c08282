import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocate } from '../../../core/money/allocate.ts';

test.each([
  // 100/3 = 33.33...: one cent is left, all remainders alike, so the earliest part gets it
  [100n, [1n, 1n, 1n], [34n, 33n, 33n]],
  [101n, [1n, 1n, 1n], [34n, 34n, 33n]],
  // 5 x 1/10 = 0.5, 5 x 9/10 = 4.5: a tie, the earlier part gets the cent
  [5n, [1n, 9n], [1n, 4n]],
  // 10 x 15/100 = 1.5, 10 x 59/100 = 5.9, 10 x 26/100 = 2.6: two cents left, to .9 and .6
  [10n, [15n, 59n, 26n], [1n, 6n, 3n]],
  [0n, [3n, 4n], [0n, 0n]],
  [7n, [0n, 1n, 0n], [0n, 7n, 0n]],
  [-100n, [1n, 1n, 1n], [-34n, -33n, -33n]],
  // 8 x 1/7 = 1.14, 8 x 2/7 = 2.29, 8 x 4/7 = 4.57: one cent left, to the last
  [8n, [1n, 2n, 4n], [1n, 2n, 5n]],
  // 9 x 2/6 = 3, 9 x 1/6 = 1.5, 9 x 3/6 = 4.5: one cent left, a tie of the second and the third
  [9n, [2n, 1n, 3n], [3n, 2n, 4n]],
])('%i split by %s is %s', (total, weights, parts) => {
  expect(allocate(total, weights)).toEqual(parts);
});

test.each([[[]], [[0n, 0n]], [[2n, -1n]]])('the weights %s are refused', (weights) => {
  expect(() => allocate(10n, weights)).toThrow(expect.objectContaining({ code: 'weights_invalid' }));
  expect(() => allocate(10n, weights)).toThrow(
    'Got weights that are negative or sum to 0; expected whole numbers with a sum above 0.',
  );
});

test('the parts sum to the whole, and none is a unit or more away from its exact share', () => {
  const weights = fc.array(fc.bigInt(0n, 10n ** 12n), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 15n), 10n ** 15n), weights, (total, list) => {
      const sum = list.reduce((a, b) => a + b, 0n);
      fc.pre(sum > 0n);
      const parts = allocate(total, list);
      const isNear = parts.every((part, index) => {
        const distance = part * sum - total * (list[index] ?? 0n);
        return distance < sum && distance > -sum;
      });
      return isNear && parts.reduce((a, b) => a + b, 0n) === total;
    }),
  );
});
