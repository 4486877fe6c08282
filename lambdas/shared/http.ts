import type { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { toBillingError } from './error-map.ts';
import { type HttpAnswer, problemAnswer, SECURITY_HEADERS } from './problem.ts';
import { toWire } from './wire-json.ts';

export type { HttpAnswer } from './problem.ts';

type HttpMiddleware = MiddlewareObj<APIGatewayProxyEventV2, HttpAnswer>;
export type HttpHandler = (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpAnswer>;

export interface HttpStackDeps {
  readonly logger: Logger;
  /** For functions that have metrics of their own; written out at the end of a request that added any. */
  readonly metrics?: Metrics | undefined;
}

/**
 * The middleware of an HTTP function, outermost first: metrics are flushed, whatever is thrown becomes a problem
 * document, every answer gets the security headers and the request id. Neither headers nor bodies are logged, so no key ever is.
 */
export function httpStack(handler: HttpHandler, deps: HttpStackDeps): HttpHandler {
  return middy<APIGatewayProxyEventV2, HttpAnswer>(handler)
    .use(flushedMetrics(deps.metrics))
    .use(errorMapper(deps.logger))
    .use(requestContext(deps.logger))
    .use(answerHeaders());
}

/** The id API Gateway gave the request: in every answer and in every log line about it. */
export function requestIdOf(event: Pick<APIGatewayProxyEventV2, 'requestContext'>): string {
  return event.requestContext?.requestId ?? 'unknown';
}

/** A JSON answer: camelCase in, snake_case out. */
export function jsonAnswer(statusCode: number, body: unknown, headers: Record<string, string> = {}): HttpAnswer {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(toWire(body)),
  };
}

function flushedMetrics(metrics: Metrics | undefined): HttpMiddleware {
  const flush = () => {
    if (metrics?.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
  return { after: flush, onError: flush };
}

function errorMapper(logger: Logger): HttpMiddleware {
  return {
    onError: (request) => {
      const error = toBillingError(request.error);
      const answer = problemAnswer(error, requestIdOf(request.event));
      if (answer.statusCode >= 500) logger.error(`${error.code}: ${error.message}`, { error, context: error.context });
      else logger.info('refused', { code: error.code, status: answer.statusCode });
      request.response = answer;
    },
  };
}

function requestContext(logger: Logger): HttpMiddleware {
  return {
    before: (request) => {
      logger.resetKeys();
      logger.addContext(request.context);
      logger.appendKeys({ request_id: requestIdOf(request.event), route: request.event.routeKey });
    },
  };
}

function answerHeaders(): HttpMiddleware {
  return {
    after: (request) => {
      const answer = request.response;
      if (!answer) return;
      const headers = { ...SECURITY_HEADERS, 'x-request-id': requestIdOf(request.event), ...answer.headers };
      request.response = { ...answer, headers };
    },
  };
}
