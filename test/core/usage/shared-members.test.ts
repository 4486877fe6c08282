import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantityOf } from '../../../core/usage/quantity-of.ts';
import { withSharedMembers } from '../../../core/usage/shared-members.ts';
import { encodeMembers, memberOf } from '../../../core/usage/unique-members.ts';
import type { UsageSlice } from '../../../core/usage/usage-snapshot.ts';

const slice = (meter: string, values: readonly string[]): UsageSlice => {
  const members = encodeMembers(new Set(values.map(memberOf)));
  return { meter, dimensions: {}, quantity: String(new Set(values).size), unique: { members, alone: '0' } };
};

test('slices unite to the same count as before, any of them, with only the values that several have', () => {
  const value = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('m', 'n'), fc.array(value), fc.boolean()), { maxLength: 6 }),
      (list) => {
        const slices = list.map(([meter, values]) => slice(meter, values));
        const kept = withSharedMembers(slices);
        for (const meter of ['m', 'n']) {
          const isChosen = (_: unknown, index: number) => list[index]?.[0] === meter && list[index]?.[2] === true;
          const distinct = new Set(list.filter(isChosen).flatMap(([, values]) => values)).size;
          expect(quantityOf('unique_count', kept.filter(isChosen))).toBe(String(distinct));
        }
        // done again it changes nothing
        expect(withSharedMembers(kept)).toEqual(kept);
      },
    ),
  );
});

test('a slice that stands alone keeps no values, and other usage stays as it is', () => {
  const tokens: UsageSlice = { meter: 'tokens', dimensions: {}, quantity: '7' };
  expect(withSharedMembers([slice('users', ['a', 'b']), tokens])).toEqual([
    { ...slice('users', ['a', 'b']), unique: { members: '', alone: '2' } },
    tokens,
  ]);
});
