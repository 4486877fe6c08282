import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { instantFromMillis } from '../core/time/instant.ts';
import { type Bundle, bundled, loaded } from './bundles.ts';
import type * as PostEvents from './entries/post-events.ts';
import { InProcessEndpoint } from './in-process-endpoint.ts';
import { MemoryTables, TABLES } from './memory-tables.ts';
import { METERS, PROJECT } from './workload.ts';

/** The bundled handler of ingest over an endpoint without sockets, with one API key and the meters of the workload. */
export const NOW_MILLIS = Date.UTC(2026, 10, 21, 12);

export interface Ingest {
  /** CPU of the endpoint, and how often the handler waited for it. */
  readonly endpoint: InProcessEndpoint;
  /** Sends a body as API Gateway would; throws when it is not accepted whole. */
  send(body: string): Promise<void>;
}

const WIDE = { events: { perSecond: 1_000_000, burst: 1_000_000 }, requests: { perSecond: 1, burst: 1 } };
const LIMITS = { project: WIDE, key: WIDE };
const PEPPER = 'pepper-of-the-bench';
const QUEUE_URL = 'https://sqs.us-east-1.amazonaws.com/000000000000/usage';

export function ingestBundle(): Promise<Bundle> {
  return bundled('bench/entries/post-events.ts');
}

export async function ingestOf(folder: string, bundle: Bundle): Promise<Ingest> {
  const module = await loaded<typeof PostEvents>(folder, bundle);
  const tables = new MemoryTables();
  const endpoint = new InProcessEndpoint((call) =>
    call.service === 'dynamodb' ? tables.answer(call) : { status: 200, body: '{"MessageId":"1","Successful":[]}' },
  );
  const options = endpoint.clientOptions;
  const client = module.dynamoClient(options);
  // A request every two milliseconds: within the rate limits, which on a clock that stands would run out.
  let batches = 0;
  const clock = { now: () => instantFromMillis(NOW_MILLIS + 2 * batches) };
  const pepper = async () => PEPPER;
  const keys = module.apiKeyStore(client, TABLES.billing);
  const created = await module.createApiKey(
    { project: PROJECT, mode: 'test', name: 'bench', scopes: ['ingest'], expiresAt: null },
    { keys, clock, pepper, random: (length) => Buffer.alloc(length, 7) },
  );
  await module.meterStore(client, TABLES.billing).write(PROJECT, METERS);
  const meters = module.meterStore(client, TABLES.billing);
  const handler = module.handle({
    authenticate: module.authenticator({ keys, pepper, clock }),
    limit: module.rateLimiter({
      buckets: module.rateBuckets(client, TABLES.claims),
      limits: async () => LIMITS,
      clock,
      pause: async () => {},
    }),
    meters: module.cached({ read: (project) => meters.newest(project), maxAgeMillis: 30_000, clock }),
    backfills: module.cached({ read: async () => undefined, maxAgeMillis: 30_000, clock }),
    accept: {
      claims: module.usageClaims(client, TABLES.claims),
      queue: module.usageQueue(module.queueClient(options), QUEUE_URL),
      clock,
      headers: new Map(),
    },
    newBatchId: () => `00000000-0000-4000-8000-${String(++batches).padStart(12, '0')}`,
  });
  return {
    endpoint,
    async send(body) {
      const answer = await handler(requestOf(body, created.key), {} as never);
      if (answer.statusCode !== 202 || !answer.body.includes('"rejected":[]')) {
        throw new Error(`The bench's own request was answered ${answer.statusCode}: ${answer.body.slice(0, 400)}`);
      }
    },
  };
}

function requestOf(body: string, key: string): APIGatewayProxyEventV2 {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const request = { headers, body, isBase64Encoded: false, requestContext: { requestId: 'bench' } };
  return request as unknown as APIGatewayProxyEventV2;
}
