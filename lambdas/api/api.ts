import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { LimitRate } from '../../core/limits/rate-limiter.ts';
import type { Authenticate, Principal } from '../shared/authenticate.ts';
import { headerOf } from '../shared/body.ts';
import { type HttpAnswer, type HttpHandler, type HttpStackDeps, httpStack } from '../shared/http.ts';
import type { Idempotently } from '../shared/idempotency.ts';
import { wireApi, wired } from '../shared/wire.ts';
import { checkRoute, consumeRoute } from './document/entitlement-routes.ts';
import { eventsRoute } from './document/events-route.ts';
import { readBodyOf, readQuery } from './read-request.ts';
import type { Route, RouteRequest } from './route.ts';
import { router } from './router.ts';
import { type RouteDeps, routesOf } from './routes.ts';

export interface ApiDeps extends HttpStackDeps {
  readonly authenticate: Authenticate;
  readonly limit: LimitRate;
  readonly idempotently: Idempotently;
  readonly idempotencyPartition: (project: Principal['project']) => string;
  readonly routes: RouteDeps;
}

const NOBODY: Principal = { project: '' as Principal['project'], mode: 'test', keyId: '', scopes: [] };

/** Everything under /v1 but events: find the route, let the key in, read query and body, run the route once per key. */
export function handle(deps: ApiDeps): HttpHandler {
  // Events and checks are taken by other functions; their routes are known here so that a wrong method is told from a wrong path.
  const find = router([...routesOf(deps.routes), eventsRoute, checkRoute, consumeRoute]);
  return httpStack(async (event, context) => {
    const { method } = event.requestContext.http;
    const { route, params } = find(method, event.rawPath);
    const principal = route.scope === null ? NOBODY : await deps.authenticate(event, route.scope);
    if (route.scope !== null) await deps.limit(principal, 'requests', 1);
    const query = readQuery(event, route);
    const { body, text } = readBodyOf(event, route);
    const idempotencyKey = headerOf(event, 'idempotency-key');
    const request = { principal, project: principal.project, params, query, body, idempotencyKey, context };
    if (!route.isCreating || idempotencyKey === undefined) return route.handle(request);
    return runOnce({ deps, event, context, route, request, key: idempotencyKey, text });
  }, deps);
}

interface Run {
  readonly deps: ApiDeps;
  readonly event: APIGatewayProxyEventV2;
  readonly context: Context;
  readonly route: Route;
  readonly request: RouteRequest;
  readonly key: string;
  readonly text: string;
}

/** The route's answer, made once per key. Where a part of it must not be kept, only the first caller gets that part. */
async function runOnce({ deps, event, context, route, request, key, text }: Run): Promise<HttpAnswer> {
  let whole: HttpAnswer | undefined;
  const answer = await deps.idempotently(
    {
      partition: deps.idempotencyPartition(request.project),
      key,
      request: { method: route.method, path: event.rawPath, body: text },
      context,
    },
    async () => {
      whole = await route.handle(request);
      return route.kept?.(whole) ?? whole;
    },
  );
  return whole ?? answer;
}

export const handler = wired(() => handle(wireApi()));
