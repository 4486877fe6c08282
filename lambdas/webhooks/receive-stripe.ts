import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { BillingError } from '../../core/errors.ts';
import { type ReceiveWebhookDeps, receiveWebhook } from '../../core/payments/receive-webhook.ts';
import { headerOf, MAX_BODY_BYTES } from '../shared/body.ts';
import { toBillingError } from '../shared/error-map.ts';
import { type HttpAnswer, problemAnswer, SECURITY_HEADERS } from '../shared/problem.ts';
import { wireReceiveStripe } from '../shared/wire/payments.ts';
import { wired } from '../shared/wire.ts';

export interface ReceiveStripeDeps extends ReceiveWebhookDeps {
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * POST /webhooks/stripe/{project_id}: checks the signature over the bytes as received, keeps the event's id, queues it, answers
 * 200. Anything but 2xx makes Stripe send again, so a queue or table that is away loses nothing.
 */
export function handle(deps: ReceiveStripeDeps) {
  return async (request: APIGatewayProxyEventV2): Promise<HttpAnswer> => {
    try {
      const project = request.pathParameters?.project_id ?? '';
      const signature = headerOf(request, 'stripe-signature') ?? '';
      await receiveWebhook({ project, body: rawBody(request), signature }, deps);
      return { statusCode: 200, headers: { 'content-type': 'application/json', ...SECURITY_HEADERS }, body: '{}' };
    } catch (thrown) {
      const error = toBillingError(thrown);
      const answer = problemAnswer(error, request.requestContext?.requestId);
      // An address that does not exist is anybody's mistake and raises no alarm.
      if (answer.statusCode !== 404) {
        deps.logger.warn('webhook refused', { code: error.code, status: answer.statusCode });
        deps.metrics.addMetric('WebhookFailed', MetricUnit.Count, 1);
        deps.metrics.publishStoredMetrics();
      }
      return answer;
    }
  };
}

/** The signature is over exactly these bytes: no decompression, no parsing, no re-encoding before it is checked. */
function rawBody(request: APIGatewayProxyEventV2): Buffer {
  const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');
  if (body.byteLength <= MAX_BODY_BYTES) return body;
  throw new BillingError({
    kind: 'invalid',
    code: 'body_too_large',
    message: `Got ${body.byteLength} bytes; expected at most ${MAX_BODY_BYTES}.`,
  });
}

export const handler = wired(() => handle(wireReceiveStripe()));
