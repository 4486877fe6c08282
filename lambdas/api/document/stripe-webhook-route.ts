import * as z from 'zod';
import { notFound } from '../../../core/errors.ts';
import { type Route, route } from '../route.ts';

const stripeEvent = z.looseObject({
  id: z.string(),
  type: z.string(),
  livemode: z.boolean(),
  apiVersion: z.string().nullable(),
  data: z.looseObject({ object: z.looseObject({ id: z.string(), object: z.string() }) }),
});

/** POST /webhooks/stripe/{project_id} as the document shows it. Another function serves it (lambdas/webhooks/receive-stripe.ts). */
export const stripeWebhookRoute: Route = route({
  method: 'POST',
  path: '/webhooks/stripe/{project_id}',
  scope: null,
  docs: {
    tag: 'Webhooks',
    summary: 'Where Stripe sends its events',
    description:
      'The address of a webhook endpoint at Stripe, one per project, for `invoice.*` events in the API version of the deployment. The header `stripe-signature` is checked over the bytes as they came with the signing secrets of the project; during a rotation there may be two. 200 once the event is kept and queued; anything else makes Stripe send it again. An event only says which object to read again at Stripe, so order and repetition do not matter.',
    headers: { 'stripe-signature': 'Made by Stripe with the signing secret of the endpoint.' },
    bodyShown: stripeEvent,
    isBodyRaw: true,
    answers: { 200: z.object({}) },
    errors: [
      'not_found',
      'webhook_signature_invalid',
      'webhook_livemode_wrong',
      'webhook_api_version_wrong',
      'webhook_shape_unknown',
      'body_too_large',
    ],
  },
  handle: () => Promise.reject(notFound('route_not_found', 'Webhooks are taken by another function.')),
});
