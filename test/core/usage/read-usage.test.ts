import { beforeEach, describe, expect, test } from 'vitest';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import type { MeterRevision } from '../../../core/catalog/meter.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { foldEvents } from '../../../core/usage/fold.ts';
import { foldView } from '../../../core/usage/fold-view.ts';
import type { StoredView } from '../../../core/usage/ports.ts';
import { readUsage, withoutStale } from '../../../core/usage/read-usage.ts';
import { EMPTY_VIEW } from '../../../core/usage/usage-view.ts';
import { logged, METERS, memoryTables, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const WITH_PAYMENTS: MeterRevision = {
  revision: 1,
  meters: [
    ...METERS.meters,
    {
      key: 'payments',
      eventType: 'call',
      aggregation: 'transactions',
      value: 'tokens',
      dimensions: [],
      filter: { kind: ['payment'] },
    },
  ],
};

let views: ReturnType<typeof usageViews>;
let sequence: number;

beforeEach(() => {
  views = usageViews(memoryTables().client(), TABLES.views);
  sequence = 0;
});

/** Folds one event at that time. */
async function use(time: string, tokens = '1', properties: Record<string, string> = {}, micros = 0): Promise<void> {
  sequence += 1;
  const event = logged({
    id: `order-${sequence}`,
    occurredAtMicros: Date.parse(time) * 1000 + micros,
    properties: { tokens, ...properties },
  });
  const { days } = foldEvents(PROJECT, [event], new Map([[1, WITH_PAYMENTS]]));
  for (const { day, readings } of days) {
    const key = { project: PROJECT, customer: 'ada', day, part: '' };
    await foldView(
      { key, partitions: [{ partition: '0.2026112103', upTo: sequence, chunks: [{ sequence, readings }] }] },
      views,
    );
  }
}
async function read(from: string, to: string, customer = 'ada') {
  return readUsage({ project: PROJECT, customer, from: parseInstant(from), to: parseInstant(to) }, { views });
}
async function quantity(meter: string, from: string, to: string): Promise<string | undefined> {
  return (await read(from, to)).slices.find((slice) => slice.meter === meter)?.quantity;
}

describe('reading usage', () => {
  test('tells every single transaction of the span, by time, then by value, beside their sum', async () => {
    await use('2026-11-21T10:15:00Z', '2.50', { kind: 'payment' });
    await use('2026-11-21T10:14:59.999Z', '10', { kind: 'payment' }, 999);
    await use('2026-11-21T10:00:00Z', '-4', { kind: 'payment' });
    await use('2026-11-21T10:00:00Z', '-12', { kind: 'payment' });
    await use('2026-11-20T09:00:00Z', '7', { kind: 'payment' });
    const { slices } = await read('2026-11-21T10:00:00Z', '2026-11-21T10:15:00Z');
    // 1795255200 s is 2026-11-21T10:00:00Z
    expect(slices.find(({ meter }) => meter === 'payments')).toEqual({
      meter: 'payments',
      dimensions: {},
      quantity: '-6',
      transactions: [
        { value: '-12', occurredAtMicros: 1_795_255_200_000_000 },
        { value: '-4', occurredAtMicros: 1_795_255_200_000_000 },
        { value: '10', occurredAtMicros: 1_795_256_099_999_999 },
      ],
    });
    expect(await quantity('payments', '2026-11-20T00:00:00Z', '2026-11-22T00:00:00Z')).toBe('3.5');
  });

  test('takes a half-open span: the first instant belongs to it, the last does not', async () => {
    await use('2026-11-21T10:00:00.000Z');
    await use('2026-11-21T10:14:59.999Z', '1', {}, 999);
    await use('2026-11-21T10:15:00.000Z');
    expect(await quantity('calls', '2026-11-21T10:00:00Z', '2026-11-21T10:15:00Z')).toBe('2');
    expect(await quantity('calls', '2026-11-21T10:15:00Z', '2026-11-21T10:30:00Z')).toBe('1');
    expect(await quantity('calls', '2026-11-21T10:00:00Z', '2026-11-21T10:30:00Z')).toBe('3');
    expect(await quantity('calls', '2026-11-21T09:45:00Z', '2026-11-21T10:00:00Z')).toBeUndefined();
    expect(await quantity('calls', '2026-11-21T10:30:00Z', '2026-11-22T00:00:00Z')).toBeUndefined();
  });

  test('adds spans that touch to the span over both, at any midnight on earth', async () => {
    for (const time of ['2026-11-20T18:29:59Z', '2026-11-20T18:30:00Z', '2026-11-21T18:29:59Z', '2026-11-21T18:30:00Z'])
      await use(time);
    // midnight in Kolkata is 18:30 UTC, in Kathmandu 18:15
    expect(await quantity('calls', '2026-11-20T18:30:00Z', '2026-11-21T18:30:00Z')).toBe('2');
    expect(await quantity('calls', '2026-11-20T18:15:00Z', '2026-11-21T18:15:00Z')).toBe('2');
    expect(await quantity('calls', '2026-11-20T00:00:00Z', '2026-11-22T00:00:00Z')).toBe('4');
  });

  test('takes whole days between the first and the last, and nothing of the days beside them', async () => {
    for (const day of ['19', '20', '21', '22', '23']) {
      await use(`2026-11-${day}T00:00:00Z`);
      await use(`2026-11-${day}T23:59:59Z`);
    }
    expect(await quantity('calls', '2026-11-20T00:00:00Z', '2026-11-22T00:00:00Z')).toBe('4');
    expect(await quantity('calls', '2026-11-20T00:15:00Z', '2026-11-22T23:45:00Z')).toBe('4');
  });

  test('has 96 quarter hours on the days on which clocks change', async () => {
    for (const day of ['2026-03-29', '2026-11-01']) {
      for (let quarter = 0; quarter < 96; quarter++)
        await use(new Date(Date.parse(day) + quarter * 900_000).toISOString());
    }
    expect(await quantity('calls', '2026-03-29T00:00:00Z', '2026-03-30T00:00:00Z')).toBe('96');
    expect(await quantity('calls', '2026-11-01T05:00:00Z', '2026-11-01T07:00:00Z')).toBe('8');
  });

  test('keeps dimension values apart and tells them by name, in a fixed order', async () => {
    await use('2026-11-21T10:00:00Z', '2', { region: 'us', model: 'small' });
    await use('2026-11-21T11:00:00Z', '3.5', { region: 'eu', model: 'small' });
    await use('2026-11-22T11:00:00Z', '4', { region: 'eu' });
    const { slices } = await read('2026-11-21T00:00:00Z', '2026-11-23T00:00:00Z');
    expect(slices.map(({ meter, dimensions, quantity: amount }) => [meter, dimensions, amount])).toEqual([
      ['calls', { region: 'eu' }, '2'],
      ['calls', { region: 'us' }, '1'],
      ['level', {}, '4'],
      ['low', {}, '2'],
      ['peak', {}, '4'],
      ['tokens', { model: '' }, '4'],
      ['tokens', { model: 'small' }, '5.5'],
    ]);
  });

  test('chooses max, min and latest over days, and says when and by whom the latest was', async () => {
    await use('2026-11-21T10:00:00Z', '9');
    await use('2026-11-22T10:00:00Z', '10');
    await use('2026-11-23T10:00:00Z', '-1.50');
    const { slices } = await read('2026-11-21T00:00:00Z', '2026-11-24T00:00:00Z');
    const of = (meter: string) => slices.find((slice) => slice.meter === meter);
    expect([of('peak')?.quantity, of('low')?.quantity]).toEqual(['10', '-1.5']);
    expect(of('level')).toMatchObject({ quantity: '-1.5', latestAt: Date.parse('2026-11-23T10:00:00Z') * 1000 });
    expect(of('level')?.latestBy).toMatch(/^[0-9a-f]{32}$/);
    expect(await quantity('level', '2026-11-21T00:00:00Z', '2026-11-23T10:00:00Z')).toBe('10');
  });

  test('answers an empty span, a reversed one and an unknown customer with nothing', async () => {
    await use('2026-11-21T10:00:00Z');
    expect((await read('2026-11-21T10:00:00Z', '2026-11-21T10:00:00Z')).slices).toEqual([]);
    expect((await read('2026-11-22T00:00:00Z', '2026-11-21T00:00:00Z')).views).toEqual([]);
    expect((await read('2026-11-21T00:00:00Z', '2026-11-22T00:00:00Z', 'bob')).slices).toEqual([]);
    // a customer whose name begins like another's is another customer
    expect((await read('2026-11-21T00:00:00Z', '2026-11-22T00:00:00Z', 'ad')).slices).toEqual([]);
  });

  test('names the version and the cursors of every view it read', async () => {
    await use('2026-11-21T10:00:00Z');
    await use('2026-11-21T10:00:00Z');
    await use('2026-11-22T10:00:00Z');
    const { views: positions } = await read('2026-11-21T00:00:00Z', '2026-11-23T00:00:00Z');
    expect(positions).toEqual([
      { key: '20261121/', version: 2, cursors: { '0.2026112103': 2 } },
      { key: '20261122/', version: 1, cursors: { '0.2026112103': 3 } },
    ]);
  });

  test.each([
    ['2026-11-21T10:00:00.001Z', '2026-11-21T11:00:00Z'],
    ['2026-11-21T10:00:00Z', '2026-11-21T11:07:00Z'],
  ])('refuses a span that quarter hours cannot answer, rather than round it: %s to %s', async (from, to) => {
    await expect(read(from, to)).rejects.toMatchObject({ kind: 'invalid', code: 'span_invalid' });
  });
});

describe('a read in the middle of a split', () => {
  const item = (part: string, split: StoredView['view']['split']): StoredView => ({
    key: { project: PROJECT, customer: 'ada', day: '20261121', part },
    version: 1,
    view: { ...EMPTY_VIEW, split },
  });
  const parts = (stored: readonly StoredView[]) => withoutStale(stored).map(({ key }) => key.part);

  test('sees the whole or its parts, never both', () => {
    expect(parts([item('', null), item('calls', null), item('calls~0', null)])).toEqual(['']);
    expect(parts([item('', 'by_meter'), item('calls', null), item('calls~0', null), item('tokens', null)])).toEqual([
      '',
      'calls',
      'tokens',
    ]);
    expect(
      parts([item('', 'by_meter'), item('calls', 'by_dimension'), item('calls~0', null), item('calls~f', null)]),
    ).toEqual(['', 'calls', 'calls~0', 'calls~f']);
  });

  test('hides the parts of its own day only', () => {
    const other = { ...item('calls', null), key: { ...item('calls', null).key, day: '20261122' } };
    expect(withoutStale([item('', null), other])).toHaveLength(2);
  });
});
