import type { RejectionCode } from '../../../core/usage/usage-event.ts';

/** Why an event is refused; a request of which every event is refused for such a reason answers with its status. */
export const EVENT_REJECTIONS: Readonly<
  Record<RejectionCode, { readonly status: 400 | 422; readonly meaning: string }>
> = {
  event_not_an_object: { status: 400, meaning: 'An event is not a JSON object.' },
  field_unknown: { status: 400, meaning: 'An event has a field that does not exist.' },
  properties_invalid: { status: 400, meaning: 'The properties are not an object.' },
  id_missing: { status: 422, meaning: 'An event has no id.' },
  id_invalid: { status: 422, meaning: 'An id is not a text of 1 to 255 characters.' },
  customer_missing: { status: 422, meaning: 'An event has no customer.' },
  customer_invalid: { status: 422, meaning: 'A customer is not a text of 1 to 255 characters.' },
  type_missing: { status: 422, meaning: 'An event has no type.' },
  type_invalid: { status: 422, meaning: 'A type is not a text of 1 to 255 characters.' },
  event_type_unknown: { status: 422, meaning: 'No meter of the project counts events of this type.' },
  source_invalid: { status: 422, meaning: 'A source is not a text of at most 255 characters.' },
  backfill_not_open: {
    status: 422,
    meaning: 'The source names a backfill that is not open, or was first opened more than 35 days ago.',
  },
  time_invalid: { status: 422, meaning: 'A time is not RFC 3339.' },
  time_in_future: { status: 422, meaning: 'A time is more than 5 minutes ahead.' },
  event_too_old: { status: 422, meaning: 'An event happened more than 35 days ago; open a backfill.' },
  id_too_old: { status: 422, meaning: 'An id was born more than 35 days ago; open a backfill.' },
  id_in_future: { status: 422, meaning: 'The time in an id is more than 5 minutes ahead.' },
  property_invalid: { status: 422, meaning: 'A property is too long, nested, or one too many.' },
  value_missing: { status: 422, meaning: 'No meter can count the event: the value is missing.' },
  value_not_a_number: { status: 422, meaning: 'No meter can count the event: the value is not a number.' },
  value_not_computable: { status: 422, meaning: 'No meter can count the event: its expression has no result.' },
  no_meter_matches: { status: 422, meaning: 'The properties pass the filter of no meter.' },
};
