import type { Call } from '../call.ts';
import { isInRange, PAGE_PARAMS, page } from '../paging.ts';
import { flag, list, type ParamFields, range, text } from '../params.ts';
import { missing } from '../stripe-fault.ts';

export interface StripeEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  livemode: boolean;
  type: string;
  pending_webhooks: number;
  request: { id: string | null; idempotency_key: string | null };
  data: { object: unknown };
}

export const EVENT_LIST: ParamFields = {
  ...PAGE_PARAMS,
  created: range,
  delivery_success: flag,
  type: text(),
  types: list(text(), 20),
};

export function listEvents(call: Call) {
  const { type, types, created, delivery_success: delivered } = call.params;
  const found = call.journal.all<StripeEvent>(
    'event',
    (one) =>
      (type === undefined || one.type === type) &&
      (types === undefined || (types as string[]).includes(one.type)) &&
      (delivered === undefined || (one.pending_webhooks === 0) === delivered) &&
      isInRange(one.created, created),
  );
  return page(found.reverse(), call.params, '/v1/events');
}

export function retrieveEvent(call: Call): StripeEvent {
  const found = call.journal.get<StripeEvent>('event', call.path.id ?? '');
  if (!found) throw missing('event', call.path.id ?? '');
  return found;
}
