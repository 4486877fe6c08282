import type { AcceptResult } from '../../core/usage/accept-events.ts';
import { type HttpAnswer, SECURITY_HEADERS } from './problem.ts';

/**
 * The answer to POST /v1/events: 202 as soon as one event was accepted, with every refused one named by its index; else a
 * problem whose status is the one all refusals share, or 422.
 */
export function acceptedAnswer(
  { accepted, rejected, warnings }: AcceptResult,
  batchId: string,
  requestId: string,
): HttpAnswer {
  const headers = { ...SECURITY_HEADERS, 'x-request-id': requestId };
  const [first] = rejected;
  const listed = rejected.map(({ status, ...rejection }) => rejection);
  if (accepted > 0 || first === undefined) {
    const body = { batch_id: batchId, accepted, rejected: listed, warnings };
    return { statusCode: 202, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
  }
  const status = rejected.every((rejection) => rejection.status === first.status) ? first.status : 422;
  const { code, detail, field, got, expected } = first;
  const body = {
    type: 'about:blank',
    title: 'No event was accepted',
    status,
    code,
    detail,
    field,
    got,
    expected,
    accepted,
    rejected: listed,
  };
  return {
    statusCode: status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify(body),
  };
}
