import { beforeEach, describe, expect, test } from 'vitest';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import type { Aggregation, Meter } from '../../../core/catalog/meter.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { foldEvents } from '../../../core/usage/fold.ts';
import { foldView } from '../../../core/usage/fold-view.ts';
import { type UsageReportInput, usageReport } from '../../../core/usage/usage-report.ts';
import { logged, memoryTables, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const meterOf = (key: string, aggregation: Aggregation, more: Partial<Meter> = {}): Meter => ({
  key,
  eventType: 'call',
  aggregation,
  ...(aggregation !== 'count' && { value: aggregation === 'unique_count' ? 'user' : 'n' }),
  dimensions: ['region'],
  ...more,
});
const METERS = {
  calls: meterOf('calls', 'count'),
  mean: meterOf('mean', 'average'),
  users: meterOf('users', 'unique_count'),
  load: meterOf('load', 'time_weighted_sum'),
  disk: meterOf('disk', 'time_weighted_sum', { reset: 'carry_over' }),
  seats: meterOf('seats', 'sum', { reset: 'carry_over' }),
  plan: meterOf('plan', 'latest', { reset: 'carry_over' }),
} as const;
const REVISIONS = new Map([[1, { revision: 1, meters: Object.values(METERS) }]]);

let views: ReturnType<typeof usageViews>;
let sequence: number;
beforeEach(() => {
  views = usageViews(memoryTables().client(), TABLES.views);
  sequence = 0;
});

async function use(time: string, n: string, user = 'ada', region = 'eu'): Promise<void> {
  sequence += 1;
  const event = logged({
    id: `e${sequence}`,
    occurredAtMicros: Date.parse(time) * 1000,
    properties: { n, user, region },
  });
  for (const { day, readings } of foldEvents(PROJECT, [event], REVISIONS).days) {
    const key = { project: PROJECT, customer: 'ada', day, part: '' };
    const chunks = [{ sequence, readings }];
    await foldView({ key, partitions: [{ partition: '0.2026112103', upTo: sequence, chunks }] }, views);
  }
}

/** Rows as `start quantity`, of one meter. */
async function rows(
  meter: keyof typeof METERS,
  span: readonly [from: string, to: string],
  more: Partial<UsageReportInput> = {},
): Promise<string[]> {
  const [from, to] = span.map(parseInstant);
  if (from === undefined || to === undefined) throw new Error('no span');
  const input = { project: PROJECT, customer: 'ada', from, to, timeZone: 'UTC', meters: [METERS[meter]], groupBy: [] };
  const found = await usageReport({ ...input, ...more }, { views });
  return found.map(({ start, quantity, dimensions }) =>
    [start.replace(':00.000Z', ''), quantity, ...Object.values(dimensions)].join(' '),
  );
}

describe('usage by window', () => {
  test('of an hour begins on the full hours of the zone, of whatever offset', async () => {
    for (const time of ['00:00', '00:15', '01:14', '01:15']) await use(`2026-11-21T${time}:00Z`, '1');
    const span = ['2026-11-21T00:00:00Z', '2026-11-21T03:00:00Z'] as const;
    expect(await rows('calls', span, { window: 'hour' })).toEqual(['2026-11-21T00:00 2', '2026-11-21T01:00 2']);
    // Kathmandu is 5:45 ahead: 6:00 there is 0:15 UTC
    expect(await rows('calls', span, { window: 'hour', timeZone: 'Asia/Kathmandu' })).toEqual([
      '2026-11-21T00:00 1',
      '2026-11-21T00:15 2',
      '2026-11-21T01:15 1',
    ]);
    // Kolkata is 5:30 ahead
    expect(await rows('calls', span, { window: 'hour', timeZone: 'Asia/Kolkata' })).toEqual([
      '2026-11-21T00:00 2',
      '2026-11-21T00:30 2',
    ]);
  });

  test('of an hour is shorter where clocks move by half an hour, and nothing is in two windows', async () => {
    // Lord Howe goes from 10:30 to 11 ahead on 4 October 2026 at 15:30 UTC: 2:00 becomes 2:30
    for (const time of ['14:30', '15:29', '15:30', '15:59', '16:00']) await use(`2026-10-03T${time}:00Z`, '1');
    const span = ['2026-10-03T14:30:00Z', '2026-10-03T17:00:00Z'] as const;
    expect(await rows('calls', span, { window: 'hour', timeZone: 'Australia/Lord_Howe' })).toEqual([
      '2026-10-03T14:30 2',
      '2026-10-03T15:30 2',
      '2026-10-03T16:00 1',
    ]);
  });

  test('unites averages and different users over dimensions and quarters, not their figures', async () => {
    await use('2026-11-21T00:00:00Z', '1', 'ada', 'eu');
    await use('2026-11-21T00:20:00Z', '2', 'ada', 'us');
    await use('2026-11-21T00:59:59Z', '6', 'bob', 'us');
    await use('2026-11-21T01:00:00Z', '5', 'ada', 'us');
    const span = ['2026-11-21T00:00:00Z', '2026-11-22T00:00:00Z'] as const;
    expect(await rows('mean', span, { window: 'hour' })).toEqual(['2026-11-21T00:00 3', '2026-11-21T01:00 5']);
    expect(await rows('mean', span)).toEqual(['2026-11-21T00:00 3.5']);
    expect(await rows('users', span, { window: 'hour' })).toEqual(['2026-11-21T00:00 2', '2026-11-21T01:00 1']);
    expect(await rows('users', span)).toEqual(['2026-11-21T00:00 2']);
    expect(await rows('users', span, { groupBy: ['region'] })).toEqual([
      '2026-11-21T00:00 1 eu',
      '2026-11-21T00:00 2 us',
    ]);
    expect(await rows('users', span, { filter: { region: ['eu'] } })).toEqual(['2026-11-21T00:00 1']);
    expect(await rows('users', span, { filter: { region: ['eu', 'us'] } })).toEqual(['2026-11-21T00:00 2']);
    expect(await rows('users', span, { filter: { region: ['eu'], other: [''] } })).toEqual(['2026-11-21T00:00 1']);
  });

  test('carries the level of a time-weighted sum into the next window, and begins it at zero with the span', async () => {
    await use('2026-11-20T12:00:00Z', '100');
    await use('2026-11-21T00:30:00Z', '8');
    await use('2026-11-21T02:15:00Z', '-6');
    const span = ['2026-11-21T00:00:00Z', '2026-11-21T04:00:00Z'] as const;
    // 8 for half an hour; 8; 8 for a quarter and 2 for three quarters of an hour; 2
    const level = ['2026-11-21T00:00 4', '2026-11-21T01:00 8', '2026-11-21T02:00 3.5', '2026-11-21T03:00 2'];
    expect(await rows('load', span, { window: 'hour' })).toEqual(level);
    // their average: 17.5 / 4
    expect(await rows('load', span)).toEqual(['2026-11-21T00:00 4.375']);
    // the one that carries over has its 100 beside, in every window
    expect(await rows('disk', span, { window: 'hour' })).toEqual([
      '2026-11-21T00:00 104',
      '2026-11-21T01:00 108',
      '2026-11-21T02:00 103.5',
      '2026-11-21T03:00 102',
    ]);
  });

  test('shows balances and last readings as they are at the end of each window', async () => {
    await use('2025-01-01T00:00:00Z', '5');
    await use('2026-11-21T10:00:00Z', '-2');
    const span = ['2026-11-20T00:00:00Z', '2026-11-23T00:00:00Z'] as const;
    const days = ['2026-11-20T00:00', '2026-11-21T00:00', '2026-11-22T00:00'];
    const each = (quantities: readonly string[]) => days.map((day, index) => `${day} ${quantities[index]}`);
    expect(await rows('seats', span, { window: 'day' })).toEqual(each(['5', '3', '3']));
    expect(await rows('plan', span, { window: 'day' })).toEqual(each(['5', '-2', '-2']));
    expect(await rows('seats', span)).toEqual(['2026-11-20T00:00 3']);
    expect(await rows('calls', span, { window: 'day' })).toEqual(['2026-11-21T00:00 1']);
  });

  test('of months over daylight saving has months of the zone', async () => {
    await use('2026-10-01T03:59:59Z', '1');
    await use('2026-10-01T04:00:00Z', '1');
    await use('2026-11-01T04:00:00Z', '1');
    await use('2026-12-01T05:00:00Z', '1');
    const span = ['2026-09-01T04:00:00Z', '2027-01-01T05:00:00Z'] as const;
    expect(await rows('calls', span, { window: 'month', timeZone: 'America/New_York' })).toEqual([
      '2026-09-01T04:00 1',
      '2026-10-01T04:00 1',
      '2026-11-01T04:00 1',
      '2026-12-01T05:00 1',
    ]);
  });
});
