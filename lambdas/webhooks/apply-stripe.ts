import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { type ProjectId, parseProjectId } from '../../core/ids.ts';
import { type ApplyWebhookDeps, applyWebhook } from '../../core/payments/apply-webhook.ts';
import type { PaymentProviders, WebhookNotice } from '../../core/payments/ports.ts';
import { instantSchema } from '../../core/time/instant-schema.ts';
import { toBillingError } from '../shared/error-map.ts';
import { wireApplyStripe } from '../shared/wire/payments.ts';
import { wired } from '../shared/wire.ts';

export interface ApplyStripeDeps extends Omit<ApplyWebhookDeps, 'provider'> {
  readonly providers: PaymentProviders;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

const noticeSchema = z.object({
  project: z.string().transform((text): ProjectId => parseProjectId(text)),
  provider: z.literal('stripe'),
  event: z.string().min(1),
  type: z.string().min(1),
  createdAt: instantSchema,
  object: z.object({ id: z.string(), type: z.string() }),
}) satisfies z.ZodType<WebhookNotice>;

/**
 * Acts on queued webhooks, the batch side by side, each on its own. Whatever fails comes back and at last rests in the
 * dead-letter queue, where an alarm sees it: a payment notice is never dropped.
 */
export function handle(deps: ApplyStripeDeps) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const processor = new BatchProcessor(EventType.SQS);
    const act = (record: SQSRecord) => applyRecord(record, deps);
    const answer = await processPartialResponse(event, act, processor, { throwOnFullBatchFailure: false });
    if (deps.metrics.hasStoredMetrics()) deps.metrics.publishStoredMetrics();
    return answer;
  };
}

async function applyRecord(record: SQSRecord, deps: ApplyStripeDeps): Promise<void> {
  try {
    const notice = noticeSchema.parse(JSON.parse(record.body));
    const outcome = await applyWebhook(notice, { ...deps, provider: () => deps.providers.of(notice.project) });
    if (outcome !== 'duplicate_at_provider') return;
    deps.logger.error('a second invoice at Stripe claims to be one of ours', { notice });
  } catch (thrown) {
    const error = toBillingError(thrown);
    deps.logger.warn('webhook not applied', { messageId: record.messageId, code: error.code, reason: error.message });
    deps.metrics.addMetric('WebhookFailed', MetricUnit.Count, 1);
    throw thrown;
  }
  deps.metrics.addMetric('WebhookFailed', MetricUnit.Count, 1);
}

export const handler = wired(() => handle(wireApplyStripe()));
