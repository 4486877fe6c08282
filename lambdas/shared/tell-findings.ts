import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ProjectId } from '../../core/ids.ts';
import type { DayFinding } from '../../core/usage/reconcile-days.ts';

export interface Telling {
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Days whose views and log do not agree: each in the log, for whoever rebuilds it, and all of them ring. */
export function tellFindings(project: ProjectId, findings: readonly DayFinding[], { logger, metrics }: Telling): void {
  for (const finding of findings)
    logger.error('views do not agree with the log', { project, finding: JSON.stringify(finding) });
  metrics.addMetric('DisputedDays', MetricUnit.Count, findings.length);
}
