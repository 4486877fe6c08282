import { describe, expect, test } from 'vitest';
import {
  DEFAULT_HEADER,
  dayKey,
  dayStartMillis,
  hourKey,
  type PartitionHeader,
  partitionBornEnd,
  partitionName,
  placementHash,
  shardOf,
} from '../../../core/usage/log-partition.ts';
import {
  appendDeadline,
  bornHourEnd,
  DEDUP_HORIZON_MILLIS,
  ingestDeadline,
  logExpirySeconds,
} from '../../../core/usage/retention.ts';

/** 2026-11-21T03:00:00Z */
const THREE = 1_795_230_000_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const hot: PartitionHeader = { shards: 8, widthMinutes: 15, spread: { ada: 4 } };

describe('the placement of an identity', () => {
  // Frozen: FNV-1a over UTF-16 units, worked out with another program. Never to be changed.
  test.each([
    ['', 2_166_136_261],
    ['a', 3_826_002_220],
    ['ada', 943_263_163],
    ['bob', 2_261_164_244],
    ['Zoë', 2_030_543_767],
    ['🚀', 1_261_604_408],
    ['["eu"]', 3_942_922_339],
  ])('rests on the hash of %j, which is the same for ever', (text, hash) => {
    expect(placementHash(text)).toBe(hash);
  });

  test('is shard 0 of the hour unless the hour was pinned otherwise', () => {
    expect(shardOf(DEFAULT_HEADER, 'ada', 'order-1')).toBe(0);
    expect(partitionName(DEFAULT_HEADER, 0, THREE)).toBe('0.2026112103');
  });

  test('is one shard for all ids of a customer that is not spread', () => {
    // 2261164244 mod 8 = 4
    for (const id of ['order-1', 'order-2', 'order-3', 'x']) expect(shardOf(hot, 'bob', id)).toBe(4);
  });

  test('is one of `spread` neighbouring shards for a customer that is', () => {
    // 943263163 mod 8 = 3; then 3, 4, 5 or 6 by the hash of the id mod 4: "a" gives 0, "" gives 1
    expect(shardOf(hot, 'ada', 'a')).toBe(3);
    expect(shardOf(hot, 'ada', '')).toBe(4);
    const shards = new Set(Array.from({ length: 200 }, (_, i) => shardOf(hot, 'ada', `order-${i}`)));
    expect([...shards].sort()).toEqual([3, 4, 5, 6]);
  });

  test('does not trip over customers named like a part of an object', () => {
    for (const customer of ['constructor', '__proto__', 'toString']) {
      expect(shardOf(hot, customer, 'order-1')).toBe(placementHash(customer) % 8);
    }
  });

  test.each([
    [THREE, 60, '3.2026112103'],
    [THREE + HOUR - 1, 60, '3.2026112103'],
    [THREE + HOUR, 60, '3.2026112104'],
    [THREE, 15, '3.202611210300'],
    [THREE + 15 * 60_000 - 1, 15, '3.202611210300'],
    [THREE + 15 * 60_000, 15, '3.202611210315'],
    [THREE + HOUR - 1, 15, '3.202611210345'],
    [0, 60, '3.1970010100'],
  ])('born at %d in buckets of %d minutes is %s', (bornMillis, widthMinutes, name) => {
    expect(partitionName({ ...hot, widthMinutes }, 3, bornMillis)).toBe(name);
  });

  test.each([
    ['0.2026112103', THREE + HOUR],
    ['12.202611210315', THREE + HOUR],
    ['0.2026123123', Date.UTC(2027, 0, 1)],
    ['0.2028022823', Date.UTC(2028, 1, 29)],
  ])('%s counts its deadlines from the end of its hour', (partition, end) => {
    expect(partitionBornEnd(partition)).toBe(end);
  });
});

describe('hours and days', () => {
  test('are named in UTC, and change at their first millisecond', () => {
    expect(hourKey(THREE)).toBe('2026112103');
    expect(hourKey(THREE - 1)).toBe('2026112102');
    expect(dayKey(1_795_219_200_000_000)).toBe('20261121');
    expect(dayKey(1_795_219_199_999_999)).toBe('20261120');
    expect(dayKey(0)).toBe('19700101');
  });

  test('are 24 hours long on the days on which clocks change somewhere', () => {
    // 2026-03-29 and 2026-10-25 in Europe, 2026-03-08 and 2026-11-01 in America
    for (const [day, next] of [
      ['20260329', '20260330'],
      ['20261025', '20261026'],
      ['20260308', '20260309'],
      ['20261101', '20261102'],
    ] as const) {
      expect(dayStartMillis(next) - dayStartMillis(day)).toBe(86_400_000);
    }
  });
});

describe('retention', () => {
  const bornEnd = THREE + HOUR;

  test('counts from the end of the born hour: 35 days to ingest, 64 to append, 80 to expiry', () => {
    expect(DEDUP_HORIZON_MILLIS).toBe(35 * DAY);
    expect(bornHourEnd(THREE)).toBe(bornEnd);
    expect(bornHourEnd(THREE + HOUR - 1)).toBe(bornEnd);
    expect(bornHourEnd(THREE + HOUR)).toBe(bornEnd + HOUR);
    expect(ingestDeadline(THREE)).toBe(bornEnd + 35 * DAY);
    expect(appendDeadline(bornEnd)).toBe(bornEnd + 64 * DAY);
    expect(logExpirySeconds(bornEnd)).toBe((bornEnd + 80 * DAY) / 1000);
  });

  test('leaves a message that was accepted last its 14 days in the queue twice, before append closes', () => {
    expect(appendDeadline(bornEnd) - ingestDeadline(THREE)).toBeGreaterThanOrEqual(28 * DAY);
  });
});
