import type { PlanVersion } from '../catalog/plan.ts';
import { type Fault, faulty } from '../errors.ts';
import { type BillingPeriod, billingCycleOf, billingPeriodAt, parseBillingPeriod } from '../time/billing-period.ts';
import { type Instant, parseInstant } from '../time/instant.ts';
import { isQuarterHour } from '../time/quarter-hour.ts';
import type { EstimateOptions } from './estimate-request.ts';

/** A part of a billing period: `[start, end)`. */
export interface Span {
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * The billing period of an estimate: the one named, or the one of the plan's interval that holds `at` (`now` when absent).
 * Every N days and `anchor` count from a date: that of `anchor`, else that of `at`. Throws `period_invalid`.
 */
export function periodOfEstimate(
  options: Pick<EstimateOptions, 'period' | 'at' | 'anchor'>,
  plan: PlanVersion,
  context: { readonly timeZone: string; readonly now: Instant },
): BillingPeriod {
  const { timeZone, now } = context;
  if (options.period !== undefined) return parseBillingPeriod(options.period, timeZone);
  const at = options.at === undefined ? now : parseInstant(options.at);
  const isAnchored = options.anchor !== undefined || typeof plan.interval !== 'string';
  const start = options.anchor === undefined ? at : parseInstant(options.anchor);
  const billing = isAnchored ? ('anniversary' as const) : ('calendar' as const);
  return billingPeriodAt(at, billingCycleOf({ billing, interval: plan.interval, start }, timeZone));
}

/** The service within the period. Throws `estimate_invalid` when it leaves the period, is empty or off the quarter hours. */
export function serviceOfEstimate(
  service: EstimateOptions['service'],
  period: BillingPeriod,
  field: 'service' | 'billed.service',
): Span {
  const span = {
    start: service?.start === undefined ? period.start : parseInstant(service.start),
    end: service?.end === undefined ? period.end : parseInstant(service.end),
  };
  const faults = (['start', 'end'] as const).flatMap((side) => {
    const at = span[side];
    if (isQuarterHour(at) && at >= period.start && at <= period.end) return [];
    return [faultAt(`${field}.${side}`, at, `a quarter hour within ${period.start} to ${period.end}`)];
  });
  if (faults.length === 0 && span.start >= span.end)
    faults.push(faultAt(`${field}.end`, span.end, `after ${span.start}`));
  if (faults.length === 0) return span;
  throw estimateInvalid(faults);
}

export function estimateInvalid(faults: readonly Fault[]) {
  return faulty('estimate_invalid', 'The estimate', faults);
}

function faultAt(field: string, at: Instant, expected: string): Fault {
  return { field, code: 'service_invalid', detail: `Got ${at}; expected ${expected}.`, got: at, expected };
}
