import type { Meter, MeterRevision } from '../../core/catalog/meter.ts';
import type { ProjectId } from '../../core/ids.ts';
import { instantFromMillis } from '../../core/time/instant.ts';
import type { LoggedEvent } from '../../core/usage/chunk.ts';
import { digestOf, fingerprintOf } from '../../core/usage/identity.ts';
import type { PartitionShare } from '../../core/usage/plan-chunk.ts';
import { MemoryDynamoDb } from './memory-dynamodb.ts';

/** Small, complete inputs for tests of usage; a test states only what it is about. */
export const PROJECT = 'prj_demo' as ProjectId;

/** 2026-11-21T03:00:00Z: the first instant of an hour. */
export const NOW_MILLIS = 1_795_230_000_000;
/** The partition of ids born in that hour. */
export const PARTITION = '0.2026112103';
export const PLACE = { project: PROJECT, partition: PARTITION };

export const CALLS: Meter = { key: 'calls', eventType: 'call', aggregation: 'count', dimensions: ['region'] };
export const TOKENS: Meter = {
  key: 'tokens',
  eventType: 'call',
  aggregation: 'sum',
  value: 'tokens',
  dimensions: ['model'],
};

export const METERS: MeterRevision = {
  revision: 1,
  meters: [
    CALLS,
    TOKENS,
    { key: 'peak', eventType: 'call', aggregation: 'max', value: 'tokens', dimensions: [] },
    { key: 'low', eventType: 'call', aggregation: 'min', value: 'tokens', dimensions: [] },
    { key: 'level', eventType: 'call', aggregation: 'latest', value: 'tokens', dimensions: [] },
  ],
};

export const TABLES = { log: 'UsageLog', claims: 'UsageClaims', views: 'UsageViews' } as const;

export function memoryTables(): MemoryDynamoDb {
  return new MemoryDynamoDb({
    [TABLES.log]: { keys: ['pk', 'sk'] },
    [TABLES.claims]: { keys: ['pk'] },
    [TABLES.views]: { keys: ['pk', 'sk'] },
  });
}

export function clockAt(millis: number) {
  return { now: () => instantFromMillis(millis) };
}

export function logged(change: Partial<LoggedEvent> = {}): LoggedEvent {
  return {
    index: 0,
    id: 'order-1',
    type: 'call',
    customer: 'ada',
    source: '',
    occurredAtMicros: NOW_MILLIS * 1000,
    properties: { region: 'eu', model: 'small', tokens: '1.5' },
    meterRevision: 1,
    ...change,
  };
}

/** The share of a message: its events with their identities. */
export function share(batchId: string, events: readonly LoggedEvent[], rejected = 0): PartitionShare {
  return {
    batchId,
    rejected,
    voids: [],
    events: events.map((event) => ({ event, fingerprint: fingerprintOf(PROJECT, event), digest: digestOf(event) })),
  };
}

/** The share of a message that voids events of ada's. */
export function voidShare(batchId: string, ids: readonly string[], reason = ''): PartitionShare {
  const entries = ids.map((id, index) => ({
    ...{ index, id, customer: 'ada', source: '', reason, by: 'key1', requestedAtMillis: NOW_MILLIS },
  }));
  const voids = entries.map((entry) => ({ entry, fingerprint: fingerprintOf(PROJECT, entry) }));
  return { batchId, rejected: 0, events: [], voids };
}
