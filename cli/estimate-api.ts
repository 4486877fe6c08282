import { Logger } from '@aws-lambda-powertools/logger';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { ProjectId } from '../core/ids.ts';
import { parseInstant } from '../core/time/instant.ts';
import { type ApiDeps, handle } from '../lambdas/api/api.ts';
import type { RouteDeps } from '../lambdas/api/routes.ts';

/** A line of an estimate's answer, as the wire has it; only what the pages here look at. */
export interface EstimatedLine {
  readonly key: string;
  readonly kind: string;
  readonly description: string;
  readonly charge: string;
  readonly quantity: string;
  readonly allowance_used: string;
  readonly unit: string | null;
  readonly steps: readonly EstimatedStep[];
  readonly exact_amount: string;
  readonly amount: string;
  readonly carried: string;
}

export interface EstimatedStep {
  readonly key: string;
  readonly label: string;
  readonly quantity: string | null;
  readonly unit_price: string | null;
  readonly flat_amount: string | null;
  readonly fraction: string | null;
  readonly amount: string;
}

export interface EstimateAnswer {
  readonly currency: string;
  readonly period: { readonly key: string; readonly start: string; readonly end: string };
  readonly lines: readonly EstimatedLine[];
  readonly total: string;
  readonly adjustments: { readonly lines: readonly EstimatedLine[]; readonly total: string } | null;
}

/** A request as a client would send it (snake_case). */
export type EstimateRequest = Readonly<Record<string, unknown>>;
export type AskEstimate = (request: EstimateRequest) => Promise<EstimateAnswer>;

export interface EstimateCall {
  readonly status: number;
  /** An estimate, or the problem document. */
  readonly body: unknown;
}

/**
 * POST /v1/estimates in this process: the API function's own handler, router, body parser and schemas, over a project that has
 * no catalog.
 */
export function estimateCalls(now = '2026-11-21T00:00:00Z'): (request: EstimateRequest) => Promise<EstimateCall> {
  const invoke = handle(depsAt(now));
  return async (request) => {
    const { statusCode, body } = await invoke(eventOf(request), { awsRequestId: 'estimate' } as Context);
    return { status: statusCode, body: JSON.parse(body) };
  };
}

/** As `estimateCalls`; throws with the problem document when the request is refused. */
export function estimateApi(now?: string): AskEstimate {
  const call = estimateCalls(now);
  return async (request) => {
    const { status, body } = await call(request);
    if (status !== 200) throw new Error(`POST /v1/estimates answered ${status}: ${JSON.stringify(body)}`);
    return body as EstimateAnswer;
  };
}

function depsAt(now: string): ApiDeps {
  const project = 'prj_estimates' as ProjectId;
  const routes: Pick<RouteDeps, 'meters' | 'clock'> = {
    meters: { newest: async () => ({ revision: 0, meters: [] }) } as unknown as RouteDeps['meters'],
    clock: { now: () => parseInstant(now) },
  };
  return {
    logger: new Logger({ logLevel: 'SILENT' }),
    authenticate: async () => ({ project, mode: 'test', keyId: 'estimates', scopes: ['read'] }),
    limit: async () => {},
    idempotently: () => Promise.reject(new Error('an estimate creates nothing')),
    idempotencyPartition: String,
    routes: routes as RouteDeps,
  };
}

function eventOf(request: EstimateRequest): APIGatewayProxyEventV2 {
  const path = '/v1/estimates';
  return {
    version: '2.0',
    routeKey: 'ANY /v1/{proxy+}',
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json' },
    requestContext: { requestId: 'estimate', http: { method: 'POST', path } },
    body: JSON.stringify(request),
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}
