import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import type { ProjectStore } from '../../core/accounts/ports.ts';
import { instantFromMillis, millisOf } from '../../core/time/instant.ts';
import { type ArchiveDeps, archivableAt, archivePosition, archiveUsage } from '../../core/usage/archive-usage.ts';
import { wireArchiveUsage } from '../shared/wire/archive.ts';
import { wired } from '../shared/wire.ts';

export interface ArchiveUsageDeps extends ArchiveDeps {
  readonly projects: Pick<ProjectStore, 'list'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** What is left of the function's time when it stops taking up partitions: the largest one takes less. */
const RESERVE_MILLIS = 120_000;
const HOUR_MILLIS = 3_600_000;

/**
 * Archives closed log partitions, the project that waits longest first; what one invocation has no time for, the next one
 * does. One project that fails does not stop the others.
 */
export function handle(deps: ArchiveUsageDeps) {
  return async (_request: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>) => {
    const now = () => millisOf(deps.clock.now());
    const stopAt = instantFromMillis(now() + Math.max(0, context.getRemainingTimeInMillis() - RESERVE_MILLIS));
    const walks = await Promise.all(
      (await deps.projects.list()).map(async ({ id }) => ({ id, from: await archivePosition(id, deps) })),
    );
    walks.sort((a, b) => a.from.hourMillis - b.from.hourMillis);
    const done = { stored: 0, events: 0, failed: 0 };
    let overdueMillis = 0;
    for (const { id, from } of walks) {
      try {
        const archived = await archiveUsage({ project: id, from, stopAt }, deps);
        done.stored += archived.stored;
        done.events += archived.events;
        overdueMillis = Math.max(overdueMillis, archived.overdueMillis);
        for (const partition of archived.lost)
          deps.logger.error('partition expired unarchived', { project: id, partition });
        if (archived.stored > 0) deps.logger.info('archived', { project: id, partitions: archived.stored });
      } catch (error) {
        done.failed += 1;
        overdueMillis = Math.max(overdueMillis, now() - archivableAt(from.hourMillis));
        deps.logger.error('project not archived', {
          project: id,
          error: error instanceof Error ? error : String(error),
        });
      }
    }
    deps.metrics.addMetric('ArchiveOverdueHours', MetricUnit.Count, Math.ceil(overdueMillis / HOUR_MILLIS));
    deps.metrics.publishStoredMetrics();
    if (done.failed > 0)
      throw new Error(
        `${done.failed} projects were not archived; the log lines before say why. It is tried again tomorrow.`,
      );
    return done;
  };
}

export const handler = wired(() => handle(wireArchiveUsage()));
