import { BillingError, type ErrorKind } from '../../../core/errors.ts';
import { httpStatusOf } from '../../shared/error-map.ts';
import { EVENT_REJECTIONS } from './event-rejections.ts';

interface Meaning {
  readonly kind: ErrorKind;
  readonly meaning: string;
  /** Where it is not the one of the kind. */
  readonly status?: number;
}

const meanings = (kind: ErrorKind, codes: Readonly<Record<string, string>>): Record<string, Meaning> =>
  Object.fromEntries(Object.entries(codes).map(([code, meaning]) => [code, { kind, meaning }]));

/** Every error code of the HTTP API and what it means. Codes are stable: clients and runbooks match on them. */
export const ERROR_CODES: Readonly<Record<string, Meaning>> = {
  ...meanings('forbidden', {
    api_key_missing: 'No API key was sent.',
    api_key_invalid: 'The API key is malformed or unknown.',
    api_key_revoked: 'The API key was revoked.',
    api_key_expired: 'The API key has expired.',
    scope_missing: 'The API key lacks the scope this request needs.',
  }),
  ...meanings('invalid', {
    invalid_json: 'The body is not JSON.',
    unknown_field: 'A field does not exist, or is not written in snake_case.',
    body_invalid: 'The body has faults; all of them are listed.',
    body_too_large: 'The body is larger than 1 MiB after decompression.',
    body_unreadable: 'The body cannot be decompressed or is not UTF-8.',
    content_encoding_unknown: 'The content-encoding is none of gzip, deflate, br.',
    query_invalid: 'The query has faults; all of them are listed.',
    cursor_invalid: 'The cursor is not one of this list.',
    method_not_allowed: 'The path has other methods.',
    idempotency_key_invalid: 'The Idempotency-Key is not 1 to 255 printable ASCII characters.',
    idempotency_key_reused: 'The Idempotency-Key was used for another request.',
    events_missing: 'The list of events is empty.',
    too_many_events: 'A request has more than 1,000 events.',
    meter_invalid: 'The meter has faults; all of them are listed.',
    meters_too_large: 'All meters of the project together are too large.',
    plan_invalid: 'The plan has faults; all of them are listed.',
    contract_invalid: 'The contract has faults; all of them are listed.',
    contract_too_large: 'The contract is too large.',
    price_list_invalid: 'The price list has faults; all of them are listed.',
    price_list_too_large: 'The price list is too large.',
    plan_too_large: 'The plan is too large.',
    consume_invalid: 'The meter would count something else than the quantity, or the feature would not see it.',
    feature_not_metered: 'Only usage can be consumed, and the feature is a switch or a value.',
    feature_not_consumable: 'The meter of the feature is one to which nothing can be added.',
    time_outside_window: 'The time lies outside the window of the quota.',
    grant_invalid: 'The grant has faults; all of them are listed.',
    estimate_invalid: 'The estimate has faults; all of them are listed.',
    conversion_invalid: 'The conversion is to the currency of the plan itself.',
    start_invalid: 'The start does not lie on a quarter hour.',
    end_invalid: 'The end does not lie on a quarter hour, or not after the start.',
    at_invalid: 'The time does not lie on a quarter hour.',
    trial_end_invalid: 'The end of the trial does not lie on a quarter hour, or not between start and end.',
    billing_unsupported: 'The plan bills every so many days, which only the anniversary can count.',
    expires_at_invalid: 'The expiry lies in the past.',
    void_too_late: 'The log no longer takes voids of the event: its id was made more than 64 days ago.',
    span_invalid: 'The span is empty, backwards or longer than 400 days.',
    customer_needed: 'The id carries no time, so the customer of the event is needed to find it.',
    event_search_too_wide: 'Too many events share the hour of the id; its customer narrows the search.',
    hour_expired: 'The log of the hour has expired.',
    too_many_windows: 'The span has more than 3,000 windows.',
    period_invalid: 'The period is not a month such as 2026-11, a day, a week, a quarter, a year or two dates.',
    period_not_closed: 'The period has not ended anywhere on earth.',
    as_of_in_future: 'The instant lies in the future.',
    group_by_invalid: 'A dimension does not exist.',
    filter_invalid: 'The filter is no JSON of dimension values, or names a dimension that does not exist.',
    webhook_signature_invalid: 'The signature is missing, too old, or not made with a signing secret of the project.',
    webhook_livemode_wrong: 'The event is of the other mode (live or test) than the project.',
    webhook_api_version_wrong: 'The event is of another API version than the webhook endpoint should have.',
    webhook_shape_unknown: 'The event is not about an object.',
  }),
  ...eventRejections(),
  ...meanings('not-found', {
    route_not_found: 'There is no such path.',
    not_found: 'No webhooks are taken at this address; it does not tell which projects exist.',
    meter_not_found: 'No such meter in this project.',
    contract_not_found: 'No such contract or version in this project.',
    price_list_not_found: 'No price list in that currency, or not that version, in this project.',
    plan_not_found: 'No such plan or version in this project.',
    customer_not_found: 'No such customer in this project.',
    subscription_not_found: 'No such subscription in this project.',
    api_key_not_found: 'No such API key in this project.',
    invoice_not_found: 'No such invoice in this project.',
    billing_run_not_found: 'No such billing run in this project.',
    backfill_not_found: 'No such backfill in this project.',
    job_not_found: 'No such job in this project.',
    event_not_found: 'No such event in the log or parked: not accepted yet, never, or its log has expired.',
    parked_not_found: 'No message of that name is or was parked in this project.',
  }),
  ...meanings('conflict', {
    event_ambiguous: 'Several customers or sources used the id of the event.',
    meter_fixed: 'The meter exists and counts in another way; that cannot change, or not without `effective_at`.',
    customer_time_zone_fixed: 'The customer has subscriptions, so its time zone cannot change.',
    contract_exists: 'The contract id is taken by another customer or another plan.',
    contract_does_not_fit: 'A contract of the customer on that plan cannot be laid over that version of it.',
    contract_overlaps: 'Another contract of the customer on the same plan is in force at that time.',
    too_many_contracts: 'The customer has 200 versions of contracts, the most there can be.',
    subscription_exists: 'The subscription id is taken by a different one.',
    subscription_overlaps: 'Another subscription of the customer bills the same plan or meter at that time.',
    too_many_subscriptions: 'The customer has 100 subscriptions, the most there can be.',
    subscription_end_set: 'The subscription ends earlier; an end never moves later.',
    subscription_not_begun: 'The subscription begins later.',
    subscription_ends: 'The subscription ends at that time or before.',
    subscription_paused: 'The subscription is paused already.',
    subscription_not_paused: 'The subscription is not paused at that time.',
    subscription_in_trial: 'The subscription is in its trial at that time; a trial bills nothing.',
    change_scheduled: 'A later change of the subscription is set, which this one would contradict.',
    plan_currency_differs: 'The plan is in another currency than the subscription.',
    plan_interval_differs: 'The plan bills by another interval than the subscription.',
    too_many_phases: 'The subscription has changed 500 times, the most there can be.',
    period_already_billed: 'The subscription is billed beyond that time.',
    api_key_not_active: 'The API key is revoked, expired or already rotated.',
    consume_id_reused: 'The id consumed something else.',
    grant_exists: 'The customer has another grant of that id.',
    too_many_grants: 'The customer has 100 grants, the most there can be.',
    backfill_exists: 'A backfill of that name exists with another start.',
    backfill_expired: 'The backfill was first opened more than 35 days ago and takes no more events.',
    parked_not_replayable:
      'The parked message cannot be counted by sending it again; the sentence says what to do instead.',
    parked_discarded: 'The parked message was discarded.',
    parked_replayed: 'The parked message was replayed.',
    nothing_to_bill: 'No subscription of the customer has anything unbilled in the period.',
    idempotency_in_progress: 'A request with this Idempotency-Key is being worked on.',
  }),
  ...meanings('not-ready', {
    rate_limited: 'The API key or its project sends more than its rate; Retry-After says when to send again.',
    write_contended: 'Other writes were under way. Send the same request again.',
    service_unavailable: 'Something the request needs is busy. Send the same request again.',
    secret_unavailable: 'A secret of the deployment is missing or unreadable.',
  }),
  ...meanings('invariant-broken', {
    evidence_missing: 'The archive does not hand out the evidence of the invoice.',
    evidence_damaged: 'The stored evidence is not what the invoice names; its hash or its content is wrong.',
    internal_error: 'A defect on our side; the request id finds it in the logs.',
  }),
};

function eventRejections(): Record<string, Meaning> {
  const entries = Object.entries(EVENT_REJECTIONS).map(([code, known]) => [
    code,
    { kind: 'invalid' as const, ...known },
  ]);
  return Object.fromEntries(entries);
}

/** The HTTP status a code is answered with. */
export function statusOfCode(code: string): number {
  const { kind = 'invariant-broken', status } = ERROR_CODES[code] ?? {};
  return status ?? httpStatusOf(new BillingError({ kind, code, message: '' }));
}
