import { notFound } from '../../../core/errors.ts';
import type { RejectionCode } from '../../../core/usage/usage-event.ts';
import { type Route, route } from '../route.ts';
import { EVENT_REJECTIONS } from './event-rejections.ts';
import { eventsAnswer, eventsBody } from './event-schema.ts';

/** POST /v1/events as the document shows it. Another function serves it (lambdas/ingest/post-events.ts). */
export const eventsRoute: Route = route({
  method: 'POST',
  path: '/v1/events',
  scope: 'ingest',
  docs: {
    tag: 'Usage',
    summary: 'Send one event or up to 1,000',
    description:
      'At most 1 MiB after decompression (gzip, deflate, br). 202 once every accepted event is durable; each refused one is named by its index, and the others are kept. When none is accepted the answer is a problem with the reason of the first. Sending the same ids again counts nothing twice, so an answer that was lost is a reason to repeat the request.',
    bodyShown: eventsBody,
    answers: { 202: eventsAnswer },
    errors: ['events_missing', 'too_many_events', ...(Object.keys(EVENT_REJECTIONS) as RejectionCode[])],
    example: [
      {
        id: '019aa3b4-7c00-7000-8000-000000000001',
        type: 'llm_request',
        customer: 'acme',
        time: '2026-11-21T03:00:00Z',
        properties: { model: 'large', tokens: '1234' },
      },
    ],
  },
  handle: () => Promise.reject(notFound('route_not_found', 'Events are taken by another function.')),
});
