import { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import { beforeEach, describe, expect, test } from 'vitest';
import { archiveProgress } from '../../../adapters/dynamodb/archive-progress.ts';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { DEFAULT_HEADER } from '../../../core/usage/log-partition.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { DAY_MILLIS, HOUR_MILLIS } from '../../../core/usage/retention.ts';
import { type ArchiveUsageDeps, handle } from '../../../lambdas/usage/archive-usage.ts';
import { memoryArchive } from '../../support/memory-archive.ts';
import {
  clockAt,
  logged,
  METERS,
  memoryTables,
  NOW_MILLIS,
  PARTITION,
  share,
  TABLES,
} from '../../support/usage-fixtures.ts';

const EARLY = 'prj_early' as ProjectId;
const LATER = 'prj_later' as ProjectId;
/** Two days after the partition's hour could be archived. */
const NOW = NOW_MILLIS + 2 * HOUR_MILLIS + 66 * DAY_MILLIS;
/** What Lambda says is left of 15 minutes; two of them are kept back. */
const withSeconds = (seconds: number) => ({ getRemainingTimeInMillis: () => seconds * 1000 });

let archive: ReturnType<typeof memoryArchive>;
let values: [string, number][];
let deps: ArchiveUsageDeps;

beforeEach(async () => {
  const client = memoryTables().client();
  archive = memoryArchive();
  values = [];
  const metrics = {
    addMetric: (name: string, _unit: string, value: number) => void values.push([name, value]),
    publishStoredMetrics: () => {},
  } as unknown as Metrics;
  const claims = usageClaims(client, TABLES.claims);
  deps = {
    log: usageLog(client, TABLES.log),
    views: usageViews(client, TABLES.views),
    parking: parkingLot(client, TABLES.views),
    meters: { revision: async () => METERS, newest: async () => METERS },
    clock: clockAt(NOW),
    seen: new Set(),
    headers: claims,
    progress: archiveProgress(client, TABLES.views),
    archive,
    projects: { list: async () => [EARLY, LATER].map((id) => ({ id }) as never) },
    metrics,
    logger: new Logger({ logLevel: 'SILENT' }),
  };
  for (const project of [EARLY, LATER]) {
    await claims.pinHeader(project, NOW_MILLIS, DEFAULT_HEADER);
    const chunk = planChunk(new PartitionState(), [share('b', [logged()])], NOW_MILLIS);
    if (chunk !== null) await deps.log.putChunk({ project, partition: PARTITION }, chunk);
  }
});

describe('archive-usage', () => {
  test('archives every project, and says that nothing is overdue', async () => {
    expect(await handle(deps)({}, withSeconds(900))).toEqual({ stored: 2, events: 2, failed: 0 });
    expect([...archive.objects.keys()].sort()).toEqual([`${EARLY}/${PARTITION}`, `${LATER}/${PARTITION}`]);
    expect(values).toEqual([['ArchiveOverdueHours', 0]]);
  });

  test('takes nothing up when its time is nearly over, and says how long the oldest waits', async () => {
    await deps.progress.write(EARLY, { hourMillis: NOW_MILLIS, partitionsDone: 0 });
    await deps.progress.write(LATER, { hourMillis: NOW_MILLIS + HOUR_MILLIS, partitionsDone: 0 });
    expect(await handle(deps)({}, withSeconds(119))).toEqual({ stored: 0, events: 0, failed: 0 });
    expect(values).toEqual([['ArchiveOverdueHours', 48]]);
  });

  test('one project that fails does not stop the other, and the invocation fails', async () => {
    await deps.progress.write(EARLY, { hourMillis: NOW_MILLIS, partitionsDone: 0 });
    const { putOnce } = archive;
    archive.putOnce = async (object) => (object.place.project === EARLY ? { sha256: 'other' } : putOnce(object));
    await expect(handle(deps)({}, withSeconds(900))).rejects.toThrow('1 projects were not archived');
    expect([...archive.objects.keys()]).toEqual([`${LATER}/${PARTITION}`]);
    expect(values).toEqual([['ArchiveOverdueHours', 48]]);
  });
});
