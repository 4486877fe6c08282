import { expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { foldLog, hoursOfLog } from '../../../core/usage/fold-log.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { DAY_MILLIS, HOUR_MILLIS } from '../../../core/usage/retention.ts';
import {
  clockAt,
  logged,
  METERS,
  memoryTables,
  NOW_MILLIS,
  PROJECT,
  share,
  TABLES,
} from '../../support/usage-fixtures.ts';

test('everything the log holds is folded without a registry, from its oldest hour to the one that a clock may be ahead in', async () => {
  const client = memoryTables().client();
  const headers = usageClaims(client, TABLES.claims);
  const log = usageLog(client, TABLES.log);
  const now = NOW_MILLIS + 80 * DAY_MILLIS + 57 * 60_000;
  // The hour of 03:00 is the oldest; at 03:57 an id may be of 04:02.
  const places = [
    ['0.2026112103', NOW_MILLIS],
    ['1.2026112103', NOW_MILLIS],
    ['0.2027020904', NOW_MILLIS + 80 * DAY_MILLIS + HOUR_MILLIS],
  ] as const;
  for (const [partition, bornMillis] of places) {
    await headers.pinHeader(PROJECT, bornMillis, { shards: 2, widthMinutes: 60, spread: {} });
    const chunk = planChunk(new PartitionState(), [share(partition, [logged({ id: partition })])], now);
    if (chunk !== null) await log.putChunk({ project: PROJECT, partition }, chunk);
  }
  const deps = {
    ...{ log, headers, views: usageViews(client, TABLES.views), parking: parkingLot(client, TABLES.views) },
    ...{
      meters: { revision: async () => METERS, newest: async () => METERS },
      clock: clockAt(now),
      seen: new Set<string>(),
    },
  };
  let hours = 0;
  expect(await foldLog({ project: PROJECT, onHour: () => void hours++ }, deps)).toBe(3);
  expect([hours, hoursOfLog(now).length]).toEqual([1_922, 1_922]);
  expect(await foldLog({ project: PROJECT }, deps)).toBe(0);
});
