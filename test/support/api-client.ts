import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { projectStore } from '../../adapters/dynamodb/projects.ts';
import { usageViews } from '../../adapters/dynamodb/usage-views.ts';
import { createApiKey } from '../../core/accounts/create-api-key.ts';
import { createProject } from '../../core/accounts/create-project.ts';
import type { ProjectId } from '../../core/ids.ts';
import type { BillingRun } from '../../core/invoicing/billing-run.ts';
import { instantFromMillis } from '../../core/time/instant.ts';
import { addReadings, type Reading } from '../../core/usage/usage-view.ts';
import { type ApiDeps, handle } from '../../lambdas/api/api.ts';
import { authenticator } from '../../lambdas/shared/authenticate.ts';
import { wireApi } from '../../lambdas/shared/wire.ts';
import type { LocalTables } from './local-tables.ts';

/** The API function over real tables, called as API Gateway calls it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly body: any;
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly key?: string | null;
  readonly body?: unknown;
  readonly raw?: Partial<APIGatewayProxyEventV2>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Counted {
  readonly meter: string;
  readonly at: string;
  readonly value: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface ApiUnderTest {
  readonly deps: ApiDeps;
  /** Billing runs whose workflow was started. */
  readonly started: readonly BillingRun[];
  /** Usage of a customer as folding would have counted it. */
  count(project: string, customer: string, readings: readonly Counted[]): Promise<void>;
  /** Puts the clock this many seconds after the start. */
  setDelaySeconds(seconds: number): void;
  /** Every later read of the meters fails like this. */
  failWith(error: Error): void;
  /** Usage has named these customers. */
  see(project: string, customers: readonly string[]): Promise<void>;
  /** What is due in a project, as the index lists it. */
  dueIndex(project: string): Promise<readonly string[]>;
  call(path: string, call?: Call): Promise<Answer>;
  newKey(project: string, scopes: readonly string[]): Promise<string>;
}

const WIDE = { events: { perSecond: 1_000, burst: 1_000 }, requests: { perSecond: 1_000, burst: 1_000 } };

/** `more` stands before what the wiring makes: usage, the archive. */
export async function apiOver(
  tables: LocalTables,
  now: string,
  more: Partial<ApiDeps['routes']> = {},
): Promise<ApiUnderTest> {
  const env = {
    BILLING_TABLE: tables.billing,
    USAGE_LOG_TABLE: 'UsageLog',
    USAGE_VIEWS_TABLE: tables.usageViews,
    USAGE_CLAIMS_TABLE: 'UsageClaims',
    USAGE_QUEUE_URL: 'http://127.0.0.1:1/queue/usage',
    JOB_QUEUE_URL: 'http://127.0.0.1:1/queue/jobs',
    ARCHIVE_BUCKET: 'archive',
    BILLING_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:billing',
    PEPPER_SECRET_ID: 'pepper',
    RATE_LIMITS: JSON.stringify({ project: WIDE, key: WIDE }),
  };
  const wired = wireApi(env, tables.client, async () => 'pepper of the tests');
  wired.logger.setLogLevel('SILENT');
  let delaySeconds = 0;
  const clock = { now: () => instantFromMillis(Date.parse(now) + delaySeconds * 1000) };
  const started: BillingRun[] = [];
  const starter = { start: async (run: BillingRun) => void started.push(run) };
  const authenticate = authenticator({ keys: wired.routes.keys, pepper: wired.routes.pepper, clock });
  const deps: ApiDeps = {
    ...wired,
    authenticate,
    limit: async () => {},
    routes: {
      ...wired.routes,
      clock,
      preview: { ...wired.routes.preview, clock },
      grants: { ...wired.routes.grants, clock },
      starter,
      ...more,
    },
  };
  const views = usageViews(tables.client, tables.usageViews);
  const invoke = handle(deps);
  const api: ApiUnderTest = {
    deps,
    started,
    async count(project, customer, readings) {
      for (const [day, list] of Object.entries(
        Object.groupBy(readings, ({ at }) => at.slice(0, 10).replaceAll('-', '')),
      )) {
        const stored = await views.readView({ project: project as ProjectId, customer, day, part: '' });
        const view = addReadings(stored.view, '0.test', 1, (list ?? []).map(readingOf));
        await views.writeView({ ...stored, view });
      }
    },
    setDelaySeconds(seconds) {
      delaySeconds = seconds;
    },
    failWith(error) {
      deps.routes.meters.newest = () => Promise.reject(error);
    },
    async see(project, customers) {
      for (const customer of customers) await views.markSeen(project as ProjectId, customer);
    },
    async dueIndex(project) {
      const answer = await tables.client.send(
        new QueryCommand({
          TableName: tables.billing,
          IndexName: 'by_project',
          KeyConditionExpression: 'p1 = :p1',
          ExpressionAttributeValues: { ':p1': { S: `${project}#due` } },
        }),
      );
      return (answer.Items ?? []).map((item) => item.s1?.S ?? '');
    },
    async call(path, call = {}) {
      const answer = await invoke(eventOf(path, call), CONTEXT);
      const isJson = (answer.headers['content-type'] ?? '').includes('json');
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: isJson ? JSON.parse(answer.body) : answer.body,
      };
    },
    async newKey(project, scopes) {
      const projects = projectStore(tables.client, tables.billing);
      await createProject({ id: project, name: project, mode: 'test' }, { projects, clock });
      const input = { project: project as ProjectId, mode: 'test' as const, name: 'test', scopes, expiresAt: null };
      return (await createApiKey(input, deps.routes)).key;
    },
  };
  return api;
}

const CONTEXT = {
  functionName: 'api',
  memoryLimitInMB: '1024',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:api',
  awsRequestId: '1f4a5e9c-0000-4000-8000-000000000000',
  getRemainingTimeInMillis: () => 20_000,
} as Context;

function eventOf(path: string, call: Call): APIGatewayProxyEventV2 {
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  const query = Object.fromEntries(new URLSearchParams(rawQueryString));
  const body =
    call.body === undefined ? undefined : typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
  const authorization = call.key ? { authorization: `Bearer ${call.key}` } : {};
  return {
    version: '2.0',
    routeKey: 'ANY /v1/{proxy+}',
    rawPath,
    rawQueryString,
    headers: { 'content-type': 'application/json', ...authorization, ...call.headers },
    ...(rawQueryString !== '' && { queryStringParameters: query }),
    requestContext: {
      requestId: 'req-1',
      routeKey: 'ANY /v1/{proxy+}',
      http: { method: call.method ?? (body === undefined ? 'GET' : 'POST'), path: rawPath },
    } as APIGatewayProxyEventV2['requestContext'],
    ...(body !== undefined && { body }),
    isBase64Encoded: false,
    ...call.raw,
  };
}

function readingOf({ meter, at, value, dimensions }: Counted): Reading {
  const quarterMillis = Date.parse(at) % 86_400_000;
  return {
    meter,
    aggregation: 'sum',
    names: Object.keys(dimensions),
    dimensionKey: JSON.stringify(Object.values(dimensions)),
    quarter: Math.floor(quarterMillis / 900_000),
    value,
    occurredAtMicros: Date.parse(at) * 1000,
    fingerprint: 'f',
  };
}
