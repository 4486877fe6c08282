import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { verifyStripeWebhook } from '../../../adapters/stripe/verify-webhook.ts';
import type { Project } from '../../../core/accounts/project.ts';
import type { WebhookNotice } from '../../../core/payments/ports.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { handle, type ReceiveStripeDeps } from '../../../lambdas/webhooks/receive-stripe.ts';
import { signatureHeader } from '../../../local/stripe/webhook-sender.ts';

const NOW_SECONDS = 1_796_083_200;
const SECRET = { apiKey: 'rk_test_x', signingSecrets: ['whsec_new', 'whsec_old'], livemode: false, apiBase: null };

const EVENT = {
  id: 'evt_1',
  object: 'event',
  api_version: '2026-10-28.endive',
  created: NOW_SECONDS - 5,
  livemode: false,
  type: 'invoice.paid',
  data: { object: { id: 'in_1', object: 'invoice', status: 'paid', customer_name: 'Ünal & Söhne' } },
};

let queued: WebhookNotice[];
let processed: Set<string>;
let deps: ReceiveStripeDeps;
let counted: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  queued = [];
  processed = new Set();
  const metrics = new Metrics({ namespace: 'test' });
  counted = vi.spyOn(metrics, 'addMetric');
  vi.spyOn(metrics, 'publishStoredMetrics').mockImplementation(() => metrics);
  deps = {
    projects: { find: async (id) => (id === 'prj_demo' || id === 'prj_bare' ? ({ id } as Project) : undefined) },
    verify: async ({ project, body, signature }) =>
      project === 'prj_bare'
        ? null
        : verifyStripeWebhook({ project, body: Buffer.from(body), signature, nowMs: NOW_SECONDS * 1000 }, SECRET),
    events: { receive: async (notice) => (processed.has(notice.event) ? 'processed' : 'waiting') },
    queue: {
      send: async (notice) => {
        queued.push(notice);
      },
    },
    clock: { now: () => instantFromMillis(NOW_SECONDS * 1000) },
    metrics,
    logger: new Logger({ logLevel: 'SILENT' }),
  };
});

interface Sent {
  readonly event?: object;
  readonly secrets?: readonly string[];
  readonly at?: number;
  readonly project?: string;
  /** Changes the body after it was signed. */
  readonly tampered?: (body: string) => string;
  readonly isBase64Encoded?: boolean;
  readonly header?: string;
}

function post({ event = EVENT, secrets = ['whsec_new'], at = NOW_SECONDS, ...sent }: Sent = {}) {
  const signed = JSON.stringify(event, null, 2);
  const body = sent.tampered ? sent.tampered(signed) : signed;
  const isBase64Encoded = sent.isBase64Encoded ?? false;
  const request = {
    pathParameters: { project_id: sent.project ?? 'prj_demo' },
    headers: { 'stripe-signature': sent.header ?? signatureHeader(signed, secrets, at) },
    body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
    isBase64Encoded,
    requestContext: { requestId: 'r-1' },
  };
  return handle(deps)(request as unknown as APIGatewayProxyEventV2);
}

async function statusAndCode(sent: Sent): Promise<[number, string]> {
  const answer = await post(sent);
  return [answer.statusCode, (JSON.parse(answer.body) as { code: string }).code];
}

describe('a webhook that is taken', () => {
  test('is queued as a notice that names the object and carries nothing of its contents', async () => {
    expect((await post()).statusCode).toBe(200);
    expect(queued).toEqual([
      {
        project: 'prj_demo',
        provider: 'stripe',
        event: 'evt_1',
        type: 'invoice.paid',
        createdAt: '2026-11-30T23:59:55.000Z',
        object: { id: 'in_1', type: 'invoice' },
      },
    ]);
  });

  test.each([
    ['signed with the new secret', { secrets: ['whsec_new'] }],
    ['signed with the old one while it is rolled', { secrets: ['whsec_old'] }],
    ['with two v1 signatures, of which the second fits', { secrets: ['whsec_unknown', 'whsec_old'] }],
    ['base64-encoded by the gateway', { isBase64Encoded: true }],
    ['300 s old', { at: NOW_SECONDS - 300 }],
  ])('%s', async (_name, sent) => {
    expect((await post(sent)).statusCode).toBe(200);
    expect(queued).toHaveLength(1);
  });

  test('once it has been acted on, it is acknowledged and not queued again', async () => {
    processed.add('evt_1');
    expect((await post()).statusCode).toBe(200);
    expect(queued).toEqual([]);
  });

  test('not yet acted on, it is queued again: the queue may have lost it', async () => {
    await post();
    await post();
    expect(queued).toHaveLength(2);
  });
});

describe('a webhook that is refused', () => {
  test.each<[string, Sent, number, string]>([
    [
      'a body changed by one letter',
      { tampered: (body) => body.replace('paid', 'pald') },
      400,
      'webhook_signature_invalid',
    ],
    [
      'the same JSON in other bytes',
      { tampered: (body) => JSON.stringify(JSON.parse(body)) },
      400,
      'webhook_signature_invalid',
    ],
    ['a signature of 301 s ago', { at: NOW_SECONDS - 301 }, 400, 'webhook_signature_invalid'],
    ['a signature by another secret', { secrets: ['whsec_unknown'] }, 400, 'webhook_signature_invalid'],
    ['only a v0 signature', { header: `t=${NOW_SECONDS},v0=${'a'.repeat(64)}` }, 400, 'webhook_signature_invalid'],
    ['no signature', { header: '' }, 400, 'webhook_signature_invalid'],
    ['an event of the live mode', { event: { ...EVENT, livemode: true } }, 400, 'webhook_livemode_wrong'],
    [
      'an event of another API version',
      { event: { ...EVENT, api_version: '2024-06-20' } },
      400,
      'webhook_api_version_wrong',
    ],
    ['an event about nothing', { event: { ...EVENT, data: { object: {} } } }, 400, 'webhook_shape_unknown'],
    ['a body over 1 MiB', { tampered: () => 'x'.repeat(1_048_577) }, 413, 'body_too_large'],
  ])('%s', async (_name, sent, status, code) => {
    expect(await statusAndCode(sent)).toEqual([status, code]);
    expect(queued).toEqual([]);
    expect(counted).toHaveBeenCalledWith('WebhookFailed', 'Count', 1);
  });

  test.each(['prj_other', 'prj_bare', 'PRJ', '', '../x'])(
    'project %j: the same 404 whether it does not exist, has no Stripe account or cannot be an id, and no alarm',
    async (project) => {
      const answer = await post({ project });
      expect(answer.statusCode).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_found', detail: 'There is nothing here.' });
      expect(counted).not.toHaveBeenCalled();
    },
  );

  test('a queue or table that is away answers 5xx, so that Stripe sends it again', async () => {
    const away = async () => {
      throw Object.assign(new Error('away'), { name: 'ServiceUnavailable' });
    };
    deps = { ...deps, queue: { send: away } };
    expect((await post()).statusCode).toBe(503);
    deps = { ...deps, events: { receive: away } };
    expect((await post()).statusCode).toBe(503);
  });
});
