import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ProjectStore } from '../../core/accounts/ports.ts';
import type { Resent } from '../../core/entitlements/resend-consumed.ts';
import type { ProjectId } from '../../core/ids.ts';
import type { FoldDeps } from '../../core/usage/fold-partitions.ts';
import type { UsageRegistry } from '../../core/usage/ports.ts';
import { type FoldPolicy, sweepUsage } from '../../core/usage/sweep-usage.ts';
import { wireSweepUsage } from '../shared/wire/usage.ts';
import { wired } from '../shared/wire.ts';

export interface SweepUsageDeps extends FoldDeps {
  readonly registry: UsageRegistry;
  readonly projects: Pick<ProjectStore, 'list'>;
  readonly policy: FoldPolicy;
  /** Sends what was consumed and perhaps never sent. */
  resend(project: ProjectId): Promise<Resent>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The schedule says how far back to look: `recent` every minute, `daily` once a day. */
export interface SweepRequest {
  readonly scope?: 'recent' | 'daily';
}

/** Folds what the stream did not announce, project by project; one that fails does not stop the others. */
export function handle(deps: SweepUsageDeps) {
  return async (request: SweepRequest): Promise<{ partitions: number; foldedEvents: number; failed: number }> => {
    let partitions = 0;
    let foldedEvents = 0;
    let lagMillis = 0;
    let unsentMillis = 0;
    let failed = 0;
    let parked = 0;
    for (const { id } of await deps.projects.list()) {
      try {
        unsentMillis = Math.max(unsentMillis, (await deps.resend(id)).oldestMillis);
        const swept = await sweepUsage({ project: id, scope: request.scope ?? 'recent', policy: deps.policy }, deps);
        partitions += swept.partitions;
        foldedEvents += swept.foldedEvents;
        parked += swept.parkedEvents;
        lagMillis = Math.max(lagMillis, swept.lagMillis);
        if (swept.failed[0] !== undefined) throw swept.failed[0].error;
      } catch (error) {
        failed += 1;
        deps.logger.error('sweep failed', { project: id, error: error instanceof Error ? error : String(error) });
      }
    }
    deps.metrics.addMetric('FoldLagSeconds', MetricUnit.Seconds, Math.ceil(lagMillis / 1000));
    deps.metrics.addMetric('UnsentConsumptionSeconds', MetricUnit.Seconds, Math.ceil(unsentMillis / 1000));
    if (parked > 0) deps.metrics.addMetric('ParkedMessages', MetricUnit.Count, parked);
    deps.metrics.publishStoredMetrics();
    if (failed > 0)
      throw new Error(
        `The sweep of ${failed} projects failed; the log lines before say why. It runs again in a minute.`,
      );
    return { partitions, foldedEvents, failed };
  };
}

export const handler = wired(() => handle(wireSweepUsage()));
