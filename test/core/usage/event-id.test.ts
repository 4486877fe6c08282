import { describe, expect, test } from 'vitest';
import { bornMillisOf } from '../../../core/usage/event-id.ts';

/**
 * Frozen: every row was worked out by hand from the id's text. A changed answer would send an id that was seen before to
 * another partition, and its event would be counted again; so these rows may be added to and never changed.
 */
const CARRIED: readonly (readonly [name: string, id: string, bornMillis: number])[] = [
  // 0x017F22E279B0 = 1 645 557 742 000, the example of RFC 9562, appendix A.6
  ['the UUIDv7 of the RFC', '017F22E2-79B0-7CC3-98C4-DC0C0C07398F', 1_645_557_742_000],
  ['the same in lower case', '017f22e2-79b0-7cc3-98c4-dc0c0c07398f', 1_645_557_742_000],
  // 0x01a1fc0be380
  ['a UUIDv7 of 2026-11-21T03:00:00Z', '01a1fc0b-e380-7000-8000-000000000000', 1_795_230_000_000],
  ['the same millisecond, other random bits', '01a1fc0b-e380-7fff-bfff-ffffffffffff', 1_795_230_000_000],
  ['the first UUIDv7', '00000000-0000-7000-8000-000000000000', 0],
  ['the last UUIDv7', 'ffffffff-ffff-7fff-bfff-ffffffffffff', 281_474_976_710_655],
  // the example of the ULID specification's first library
  ['a ULID', '01ARZ3NDEKTSV4RRFFQ69G5FAV', 1_469_922_850_259],
  ['the same ULID in lower case', '01arz3ndektsv4rrffq69g5fav', 1_469_922_850_259],
  ['a ULID of 2026-11-21T03:00:00Z', '01M7Y0QRW00000000000000000', 1_795_230_000_000],
  ['the first ULID', '00000000000000000000000000', 0],
  ['the last ULID', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ', 281_474_976_710_655],
];

const FOREIGN: readonly (readonly [name: string, id: string])[] = [
  ['a word', 'order-1'],
  ['a UUIDv4', '5b1f4f0e-8f7f-4d2e-9c7a-2f1b7c3d4e5f'],
  ['a UUIDv6', '1ec9414c-232a-6b00-b3c8-9f6bdeced846'],
  ['a UUIDv8', '01a1fc0b-e380-8000-8000-000000000000'],
  ['version 7 with the variant of Microsoft', '01a1fc0b-e380-7000-c000-000000000000'],
  ['version 7 with the variant below', '01a1fc0b-e380-7000-7000-000000000000'],
  ['a UUIDv7 without hyphens', '01a1fc0be38070008000000000000000'],
  ['a UUIDv7 in braces', '{01a1fc0b-e380-7000-8000-000000000000}'],
  ['a UUIDv7 as a URN', 'urn:uuid:01a1fc0b-e380-7000-8000-000000000000'],
  ['a UUIDv7 with a space behind', '01a1fc0b-e380-7000-8000-000000000000 '],
  ['a UUIDv7 with a sign that is not hex', '01a1fc0b-e380-7000-8000-00000000000g'],
  ['a ULID beyond 48 bits', '80000000000000000000000000'],
  ['25 signs', '01ARZ3NDEKTSV4RRFFQ69G5FA'],
  ['27 signs', '01ARZ3NDEKTSV4RRFFQ69G5FAVV'],
  ['a ULID with the letter I', '01ARZ3NDEKTSV4RRFFQ69G5FAI'],
  ['a ULID with the letter L', '01ARZ3NDEKTSV4RRFFQ69G5FAL'],
  ['a ULID with the letter O', '01ARZ3NDEKTSV4RRFFQ69G5FAO'],
  ['a ULID with the letter U', '01ARZ3NDEKTSV4RRFFQ69G5FAU'],
  ['36 signs that are no UUID', 'abcdefghijklmnopqrstuvwxyz0123456789'],
];

describe('the born time of an event id', () => {
  test.each(CARRIED)('is carried for ever by %s', (_name, id, bornMillis) => {
    expect(bornMillisOf('', id)).toBe(bornMillis);
    expect(bornMillisOf('web', id)).toBe(bornMillis);
  });

  test.each(FOREIGN)('is not carried by %s', (_name, id) => {
    expect(bornMillisOf('', id)).toBeNull();
  });

  test('is never taken from the id of a backfill, whatever its form', () => {
    expect(bornMillisOf('backfill:march', '01a1fc0b-e380-7000-8000-000000000000')).toBeNull();
    expect(bornMillisOf('backfill:', '01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBeNull();
  });

  test('is taken from ids whose source only looks like a backfill', () => {
    expect(bornMillisOf('backfill', '01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(1_469_922_850_259);
    expect(bornMillisOf('Backfill:march', '01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(1_469_922_850_259);
  });
});
