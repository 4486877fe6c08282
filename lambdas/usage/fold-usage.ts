import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import type { FoldDeps } from '../../core/usage/fold-partitions.ts';
import { type FoldHint, type FoldPolicy, foldOnHints } from '../../core/usage/sweep-usage.ts';
import { announcedChunk } from '../shared/stream-record.ts';
import { wireFoldUsage } from '../shared/wire/usage.ts';
import { wired } from '../shared/wire.ts';

export interface FoldUsageDeps extends FoldDeps {
  readonly policy: FoldPolicy;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

type Announced = FoldHint & { readonly itemIdentifier: string };

/**
 * From the log to the views, woken by the log's stream. A record is only a hint that its partition has grown: the log itself
 * is read, so that lost, late and repeated records do no harm. Each partition is looked at once, at its highest record; a
 * partition that cannot be folded fails its own record alone.
 */
export function handle(deps: FoldUsageDeps) {
  return async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const failed: string[] = [];
    let parked = 0;
    const highest = new Map<string, Announced>();
    for (const record of event.Records) {
      const itemIdentifier = record.dynamodb?.SequenceNumber ?? '';
      try {
        const { place, total } = announcedChunk(record);
        const name = `${place.project}/${place.partition}`;
        if (total >= (highest.get(name)?.total ?? 0)) highest.set(name, { place, total, itemIdentifier });
      } catch (error) {
        failed.push(itemIdentifier);
        deps.logger.error('stream record not readable', { itemIdentifier, error: asError(error) });
      }
    }
    for (const hints of byProject([...highest.values()])) {
      const folded = await foldOnHints(hints, deps.policy, deps);
      parked += folded.parkedEvents;
      if (folded.foldedEvents > 0) deps.logger.info('folded', { events: folded.foldedEvents });
      for (const { place, error } of folded.failed) {
        const hint = highest.get(`${place.project}/${place.partition}`);
        if (hint !== undefined) failed.push(hint.itemIdentifier);
        deps.logger.error('partition not folded', { ...place, error: asError(error) });
      }
    }
    // A metric is a log line, and lines cost: none for the rule.
    if (parked > 0) {
      deps.metrics.addMetric('ParkedMessages', MetricUnit.Count, parked);
      deps.metrics.publishStoredMetrics();
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

function byProject(hints: readonly Announced[]): Announced[][] {
  const groups = new Map<string, Announced[]>();
  for (const hint of hints) groups.set(hint.place.project, [...(groups.get(hint.place.project) ?? []), hint]);
  return [...groups.values()];
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

export const handler = wired(() => handle(wireFoldUsage()));
