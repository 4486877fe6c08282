import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { checkEntitlement } from '../../core/entitlements/check-entitlement.ts';
import { type ConsumeDeps, consumeEntitlement } from '../../core/entitlements/consume-entitlement.ts';
import { readAsk } from '../../core/entitlements/read-ask.ts';
import { readConsume } from '../../core/entitlements/read-consume.ts';
import type { LimitRate } from '../../core/limits/rate-limiter.ts';
import type { Authenticate } from '../shared/authenticate.ts';
import { readText } from '../shared/body.ts';
import { parseJson } from '../shared/exact-json.ts';
import { type HttpAnswer, problemAnswer, SECURITY_HEADERS } from '../shared/problem.ts';
import { wireEntitlements } from '../shared/wire/entitlements.ts';
import { wired } from '../shared/wire.ts';
import { toWire } from '../shared/wire-json.ts';

/** What customers may do, asked before every use of a feature: a function of its own, because here milliseconds count. */
export interface EntitlementsDeps {
  readonly authenticate: Authenticate;
  readonly limit: LimitRate;
  readonly entitlements: ConsumeDeps;
}

/** POST /v1/entitlements/check and /v1/entitlements/consume. */
export function handle(deps: EntitlementsDeps) {
  return middy<APIGatewayProxyEventV2, HttpAnswer>(async (request: APIGatewayProxyEventV2) => {
    const isConsuming = request.rawPath.endsWith('/consume');
    // What is consumed is usage, and sending usage is the scope of ingest.
    const caller = await deps.authenticate(request, isConsuming ? 'ingest' : 'read');
    await deps.limit(caller, 'requests', 1);
    const { project } = caller;
    const body = parseJson(readText(request));
    const result = isConsuming
      ? await consumeEntitlement({ project, ...readConsume(body) }, deps.entitlements)
      : await checkEntitlement({ project, ...readAsk(body) }, deps.entitlements);
    return answer(result, request);
  }).use({
    onError: (failed) => {
      const { error, event } = failed;
      failed.response = problemAnswer(error, event.requestContext?.requestId);
      if (failed.response.statusCode >= 500)
        console.error({ message: 'entitlements failed', error: String(error), stack: error?.stack });
    },
  });
}

function answer(result: object, request: APIGatewayProxyEventV2): HttpAnswer {
  const headers = { ...SECURITY_HEADERS, 'x-request-id': request.requestContext.requestId };
  return {
    statusCode: 200,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(toWire(result)),
  };
}

export const handler = wired(() => handle(wireEntitlements()));
