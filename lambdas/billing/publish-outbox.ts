import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { ProjectStore } from '../../core/accounts/ports.ts';
import type { EventBus, Outbox } from '../../core/events/ports.ts';
import { publishOutbox } from '../../core/events/publish-outbox.ts';
import { type ProjectId, parseProjectId } from '../../core/ids.ts';
import type { Clock } from '../../core/time/clock.ts';
import { millisOf, parseInstant } from '../../core/time/instant.ts';
import { toAslError } from '../shared/error-map.ts';
import { wirePublishOutbox } from '../shared/wire/billing.ts';
import { wired } from '../shared/wire.ts';

export interface PublishOutboxDeps {
  readonly outbox: Outbox;
  readonly bus: EventBus;
  readonly projects: Pick<ProjectStore, 'list'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** From the stream of new entries, from the workflow for its project, or from the schedule for all of them. */
export type PublishRequest = DynamoDBStreamEvent | { readonly project_id: string } | Record<string, never>;

/**
 * Publishes what waits in the outbox. The stream's records are only a hint whose outbox to look at. Throws when a project's
 * outbox could not be read, after it went through the others; the caller tries again, and so does the next minute.
 */
export function handle(deps: PublishOutboxDeps) {
  return async (request: PublishRequest): Promise<{ published: number; kept: number }> => {
    let published = 0;
    let kept = 0;
    let ageSeconds = 0;
    let failure: unknown = null;
    for (const project of await projectsOf(request, deps)) {
      try {
        const result = await publishOutbox({ project }, deps);
        published += result.published;
        kept += result.kept;
        if (result.oldestKept !== null) {
          const millis = millisOf(deps.clock.now()) - millisOf(parseInstant(result.oldestKept));
          ageSeconds = Math.max(ageSeconds, Math.ceil(millis / 1000));
        }
      } catch (error) {
        failure ??= error;
        deps.logger.error('outbox not published', { project, error: error instanceof Error ? error : String(error) });
      }
    }
    deps.metrics.addMetric('OutboxAgeSeconds', MetricUnit.Seconds, ageSeconds);
    deps.metrics.publishStoredMetrics();
    if (failure !== null) throw toAslError(failure);
    return { published, kept };
  };
}

async function projectsOf(request: PublishRequest, deps: PublishOutboxDeps): Promise<readonly ProjectId[]> {
  if ('Records' in request && Array.isArray(request.Records)) {
    return [...new Set((request.Records as DynamoDBRecord[]).flatMap(projectOf))];
  }
  if ('project_id' in request && typeof request.project_id === 'string') return [parseProjectId(request.project_id)];
  return (await deps.projects.list()).map(({ id }) => id);
}

/** The project of a new entry; none for a record that holds no event, which is not ours to publish. */
function projectOf(record: DynamoDBRecord): ProjectId[] {
  const text = record.dynamodb?.NewImage?.doc?.S;
  return text === undefined ? [] : [parseProjectId((JSON.parse(text) as { project: string }).project)];
}

export const handler = wired(() => handle(wirePublishOutbox()));
