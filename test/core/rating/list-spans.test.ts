import { describe, expect, test } from 'vitest';
import type { PriceListVersion } from '../../../core/catalog/price-list.ts';
import type { SubscriptionId } from '../../../core/ids.ts';
import { type ListedSegment, listSpans } from '../../../core/rating/list-spans.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { tokensCharge } from '../../support/pricing-fixtures.ts';

const day = (n: number) => parseInstant(`2026-11-${String(n).padStart(2, '0')}T00:00:00Z`);
const charge = (meter: string) => ({ ...tokensCharge({ model: 'per_unit', unitPrice: '1' }), key: meter, meter });
const LIST = { currency: 'USD', version: 1, charges: [charge('disk'), charge('calls')] } as const;
const segment = (
  name: string,
  start: number,
  end: number | null,
  more: Partial<ListedSegment> = {},
): ListedSegment => ({
  subscription: name as SubscriptionId,
  currency: 'USD',
  subscribedAt: day(start),
  start: day(start),
  end: end === null ? null : day(end),
  isActive: true,
  meters: new Set(),
  ...more,
});
const spansOf = (
  name: string,
  [start, end]: readonly [number, number],
  segments: readonly ListedSegment[],
  lists: readonly PriceListVersion[] = [LIST],
) =>
  listSpans({ subscription: name as SubscriptionId, start: day(start), end: day(end) }, segments, lists).map((span) => [
    span.start.slice(8, 10),
    span.end.slice(8, 10),
    span.charges.map(({ key }) => key).join(' '),
  ]);

describe('the price list', () => {
  test('bills what no plan prices with the only subscription', () => {
    const a = segment('a', 1, null, { meters: new Set(['calls']) });
    expect(spansOf('a', [1, 30], [a])).toEqual([['01', '30', 'disk']]);
  });

  test('bills it once where several are active: with the first by start, then by id', () => {
    const segments = [
      segment('b', 1, null),
      segment('a', 1, null),
      segment('early', 10, null, { subscribedAt: day(10) }),
    ];
    expect(spansOf('a', [1, 30], segments)).toEqual([['01', '30', 'disk calls']]);
    expect(spansOf('b', [1, 30], segments)).toEqual([]);
    expect(spansOf('early', [10, 30], segments)).toEqual([]);
  });

  test('goes over to the next subscription at the instant at which the first ends', () => {
    const segments = [segment('a', 1, 12), segment('b', 5, null)];
    expect(spansOf('a', [1, 12], segments)).toEqual([['01', '12', 'disk calls']]);
    expect(spansOf('b', [5, 30], segments)).toEqual([['12', '30', 'disk calls']]);
  });

  test('leaves a meter alone while any plan prices it, in whatever currency', () => {
    const segments = [segment('a', 1, null), segment('yen', 10, 20, { meters: new Set(['disk']) })];
    expect(spansOf('a', [1, 30], segments)).toEqual([
      ['01', '10', 'disk calls'],
      ['10', '20', 'calls'],
      ['20', '30', 'disk calls'],
    ]);
  });

  test('takes nothing in a trial or a pause, nor what that plan would price', () => {
    const trial = segment('a', 1, 10, { isActive: false, meters: new Set(['disk']) });
    const after = segment('a', 10, null, { subscribedAt: day(1), meters: new Set(['disk']) });
    const b = segment('b', 3, null);
    expect(spansOf('b', [3, 30], [trial, after, b])).toEqual([['03', '10', 'calls']]);
    expect(spansOf('a', [10, 30], [trial, after, b])).toEqual([['10', '30', 'calls']]);
  });

  test('bills a meter with the first subscription whose currency has a list that prices it', () => {
    const yen = segment('a', 1, null, { currency: 'JPY' });
    const dollars = segment('b', 1, null);
    const inYen = { currency: 'JPY', version: 1, charges: [charge('calls')] } as const;
    expect(spansOf('b', [1, 30], [yen, dollars])).toEqual([['01', '30', 'disk calls']]);
    expect(spansOf('a', [1, 30], [yen, dollars])).toEqual([]);
    expect(spansOf('a', [1, 30], [yen, dollars], [LIST, inYen])).toEqual([['01', '30', 'calls']]);
    expect(spansOf('b', [1, 30], [yen, dollars], [LIST, inYen])).toEqual([['01', '30', 'disk']]);
  });

  test('goes to the subscription that began first, though its id is the last', () => {
    const segments = [segment('a', 5, null), segment('z', 1, null), segment('m', 3, null)];
    expect(spansOf('z', [1, 30], segments)).toEqual([['01', '30', 'disk calls']]);
    expect(spansOf('a', [5, 30], segments)).toEqual([]);
    expect(spansOf('m', [3, 30], segments)).toEqual([]);
  });

  test('is cut by nothing that begins or ends outside the service, or at its bounds', () => {
    const other = (name: string, start: number, end: number | null) =>
      segment(name, start, end, { meters: new Set(['disk']) });
    const segments = [segment('a', 1, null), other('before', 2, 5), other('until', 3, 10), other('from', 20, 25)];
    expect(spansOf('a', [10, 20], segments)).toEqual([['10', '20', 'disk calls']]);
  });

  test('is one span while the same charges are taken, and another when others are, be they as many', () => {
    const segments = [
      segment('a', 1, null),
      segment('calls', 10, 20, { meters: new Set(['calls']) }),
      segment('disk', 20, 25, { meters: new Set(['disk']) }),
      segment('none', 27, null),
    ];
    expect(spansOf('a', [1, 30], segments)).toEqual([
      ['01', '10', 'disk calls'],
      ['10', '20', 'disk'],
      ['20', '25', 'calls'],
      ['25', '30', 'disk calls'],
    ]);
  });

  test('bills nothing where the currency of the service has no list', () => {
    const inYen = { currency: 'JPY', version: 1, charges: [charge('calls')] } as const;
    expect(spansOf('a', [1, 30], [segment('a', 1, null)], [inYen])).toEqual([]);
    expect(spansOf('a', [1, 30], [segment('a', 1, null)], [])).toEqual([]);
    expect(spansOf('a', [1, 30], [], [LIST])).toEqual([]);
  });
});
