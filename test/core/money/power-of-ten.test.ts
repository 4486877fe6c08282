import { expect, test } from 'vitest';
import { exponentOf, powerOfTen } from '../../../core/money/power-of-ten.ts';

test.each([
  [0, 1n],
  [1, 10n],
  [12, 1_000_000_000_000n],
  [63, BigInt(`1${'0'.repeat(63)}`)],
  [64, BigInt(`1${'0'.repeat(64)}`)],
  [200, BigInt(`1${'0'.repeat(200)}`)],
])('10 to the power of %i is %i', (exponent, power) => {
  expect(powerOfTen(exponent)).toBe(power);
  expect(exponentOf(power)).toBe(exponent < 64 ? exponent : undefined);
});

test.each([0n, -1n, -10n, 2n, 5n, 11n, 99n, 1001n])('%i is no power of ten', (number) => {
  expect(exponentOf(number)).toBeUndefined();
});
