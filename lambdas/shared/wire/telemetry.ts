import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { BillingError } from '../../../core/errors.ts';
import type { FunctionName } from '../env.ts';
import { toBillingError } from '../error-map.ts';
import { METRICS_NAMESPACE } from '../metric-names.ts';

/** The logger of one function: JSON lines, level from POWERTOOLS_LOG_LEVEL (INFO unless set). */
export const functionLogger = (name: FunctionName): Logger => new Logger({ serviceName: name });

/** The metrics of one function, in the product's namespace; `service` comes from POWERTOOLS_SERVICE_NAME. */
export const functionMetrics = (): Metrics => new Metrics({ namespace: METRICS_NAMESPACE });

/** Names a failure for a report, and logs what the report must not show: the cause, when nobody had named it before. */
export function namedAndLogged(logger: Logger): (error: unknown) => BillingError {
  return (error) => {
    const named = toBillingError(error);
    if (named !== error) logger.error(named.code, { error: error instanceof Error ? error : String(error) });
    return named;
  };
}
