/**
 * The HTTP API of the template on 127.0.0.1: its routes, limits, throttle, CORS and permissions in front of the functions.
 * What API Gateway answers by itself is answered here in its words; everything else is the function's.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Outcome } from '../lambda/environment.ts';
import { mayInvoke } from '../lambda/resource-policy.ts';
import type { HttpApiModel, InvokePermissionModel, RouteModel } from '../template/model.ts';
import { isPreflight, preflightAnswer, withCors } from './cors.ts';
import { type HttpRequest, requestEvent, splitTarget } from './request-event.ts';
import { gatewayAnswer, type HttpAnswer, mapResponse } from './response-mapping.ts';
import { matchRoute, type RouteMatch } from './route-matching.ts';
import { Throttle } from './throttle.ts';

/** API Gateway's limit on a request body; a larger one never reaches the function. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

export interface HttpApiOptions {
  readonly api: HttpApiModel;
  readonly permissions: readonly InvokePermissionModel[];
  readonly invoke: (functionArn: string, payload: string) => Promise<Outcome>;
  /** Local time, ms since the epoch. */
  readonly now: () => number;
  readonly onProblem: (message: string) => void;
  /** 0: any free port. */
  readonly port: number;
}

export interface HttpApi {
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws Error when the port is taken */
export async function startHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const front = new ApiFront(options);
  const server = createServer((request, response) => void front.serve(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class ApiFront {
  readonly #options: HttpApiOptions;
  readonly #throttle: Throttle | undefined;
  readonly #routeThrottles = new Map<string, Throttle>();

  constructor(options: HttpApiOptions) {
    this.#options = options;
    this.#throttle = options.api.throttle && new Throttle(options.api.throttle);
    for (const [routeKey, limit] of Object.entries(options.api.routeThrottles)) {
      this.#routeThrottles.set(routeKey, new Throttle(limit));
    }
  }

  async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    let answer: HttpAnswer;
    try {
      answer = await this.#answer(incoming, requestId);
    } catch (error) {
      this.#options.onProblem(`${incoming.method} ${incoming.url}: ${String(error)}`);
      answer = gatewayAnswer(500, 'Internal Server Error');
    }
    if (response.destroyed) return;
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    response.setHeader('apigw-requestid', requestId);
    // The rest of a body that is too large is not read, so the connection cannot be used again.
    if (!incoming.complete) response.setHeader('connection', 'close');
    response.writeHead(answer.status).end(answer.body);
  }

  async #answer(incoming: IncomingMessage, requestId: string): Promise<HttpAnswer> {
    const { api } = this.#options;
    const { method = 'GET', url = '/', headers } = incoming;
    if (api.cors !== undefined && isPreflight(method, headers)) return preflightAnswer(api.cors, headers);
    const match = matchRoute(api.routes, method, splitTarget(url).path);
    if (match === undefined) return gatewayAnswer(404, 'Not Found');
    const throttle = this.#routeThrottles.get(match.route.routeKey) ?? this.#throttle;
    if (throttle?.admits() === false) return gatewayAnswer(429, 'Too Many Requests');
    const body = await readBody(incoming);
    if (body === undefined) return gatewayAnswer(413, 'Request Entity Too Large');
    const sourceIp = incoming.socket.remoteAddress ?? '127.0.0.1';
    const answer = await this.#invoke({ method, target: url, headers, body, sourceIp }, match, requestId);
    return api.cors === undefined ? answer : withCors(answer, api.cors, headers);
  }

  async #invoke(request: HttpRequest, match: RouteMatch, requestId: string): Promise<HttpAnswer> {
    const { api, permissions, invoke, now, onProblem } = this.#options;
    const { route } = match;
    const sourceArn = `${api.executeArn}/${api.stage}/${request.method}${route.path}`;
    if (!mayInvoke(permissions, { functionArn: route.functionArn, service: 'apigateway.amazonaws.com', sourceArn })) {
      onProblem(`${route.routeKey}: no permission lets API Gateway invoke ${route.functionArn}`);
      return gatewayAnswer(500, 'Internal Server Error');
    }
    const event = requestEvent({ api, request, match, requestId, now: now() });
    const outcome = await withinTimeout(invoke(route.functionArn, JSON.stringify(event)), route);
    if (outcome === undefined) return gatewayAnswer(503, 'Service Unavailable');
    if (outcome.kind === 'ok') return mapResponse(outcome.payload);
    const { errorType, errorMessage } = outcome.error;
    if (errorType === 'RequestEntityTooLargeException') return gatewayAnswer(413, 'Request Entity Too Large');
    onProblem(`${route.routeKey}: ${errorType}: ${errorMessage}`);
    return gatewayAnswer(500, 'Internal Server Error');
  }
}

/** Undefined when the integration took longer than its timeout (30 s at most); the function itself runs on, as on AWS. */
function withinTimeout(invocation: Promise<Outcome>, route: RouteModel): Promise<Outcome | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), route.timeoutMillis);
    invocation.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Undefined when the body is over the limit. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
