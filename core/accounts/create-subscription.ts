import { canonicalJson } from '../canonical-json.ts';
import { isInAdvance } from '../catalog/charge.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import type { PlanStore } from '../catalog/ports.ts';
import { BillingError, conflict, invalid, notFound } from '../errors.ts';
import { type CustomerId, deriveId, type ProjectId, type SubscriptionId } from '../ids.ts';
import type { Conversion } from '../money/conversion.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, parseInstant } from '../time/instant.ts';
import { intervalText } from '../time/interval.ts';
import { isQuarterHour, startOfQuarterHour } from '../time/quarter-hour.ts';
import { trialEndOf } from './change-phases.ts';
import { firstPhases } from './first-phases.ts';
import { firstPlanOf } from './phase.ts';
import type { CustomerStore, StoredCustomer, SubscriptionStore } from './ports.ts';
import { type MisfitDeps, refuseMisfit } from './refuse-misfit.ts';
import { refuseOverlap, shortened } from './refuse-overlap.ts';
import type { Subscription } from './subscription.ts';

export interface CreateSubscriptionInput {
  readonly project: ProjectId;
  /** Derived from customer, plan and start when absent. */
  readonly id?: SubscriptionId | undefined;
  readonly customer: CustomerId;
  readonly plan: string;
  /** The newest when absent. */
  readonly planVersion?: number | undefined;
  /** `now` (also when absent): the start of the current quarter hour; else RFC 3339 on a quarter hour, past ones included. */
  readonly start?: string | undefined;
  readonly end?: string | null | undefined;
  /** RFC 3339 on a quarter hour: nothing is billed before. Null: no trial. Absent: the plan's. */
  readonly trialEnd?: string | null | undefined;
  /** `calendar` when absent; `anniversary` for a plan of every N days, which has no other. */
  readonly billing?: 'calendar' | 'anniversary' | undefined;
  /** Bills in this currency instead of the plan's, at this rate for the subscription's whole life. */
  readonly conversion?: Conversion | undefined;
}

export interface CreateSubscriptionDeps extends MisfitDeps {
  readonly customers: CustomerStore;
  readonly plans: PlanStore;
  readonly subscriptions: SubscriptionStore;
  readonly clock: Clock;
}

const TRIES = 5;
/** One read fetches them all, and one invoice shows them. */
const MAX_PER_CUSTOMER = 100;

/**
 * Puts a customer on a plan version. The same request again answers the same subscription. Throws `customer_not_found`,
 * `plan_not_found`, `start_invalid`, `end_invalid`, `trial_end_invalid`, `billing_unsupported`,
 * `conversion_invalid`, `subscription_exists`, `contract_does_not_fit`, `subscription_overlaps` (two subscriptions would bill the same meter's usage twice) or `too_many_subscriptions`.
 */
export async function createSubscription(
  input: CreateSubscriptionInput,
  deps: CreateSubscriptionDeps,
): Promise<{ readonly subscription: Subscription; readonly isNew: boolean }> {
  const plan = await planOf(input, deps.plans);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const customer = await deps.customers.find(input.project, input.customer);
    if (!customer) throw notFound('customer_not_found', `No customer ${shortened(input.customer)} in this project.`);
    const wanted = subscriptionOf(input, plan, { timeZone: customer.customer.timeZone, now: deps.clock.now() });
    const stored = await deps.subscriptions.find(input.project, wanted.id);
    if (stored) return { subscription: sameOrRefused(stored.subscription, wanted, input), isNew: false };
    refuseTooMany(customer);
    await refuseOverlap({ project: input.project, wanted, customer }, deps);
    await refuseMisfit({ project: input.project, wanted }, deps);
    if ((await deps.subscriptions.create(input.project, wanted, customer)) === 'stored') {
      return { subscription: wanted, isNew: true };
    }
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: 'Other writes to this customer were under way. Send the same request again.',
  });
}

async function planOf(input: CreateSubscriptionInput, plans: PlanStore): Promise<PlanVersion> {
  const { project, plan, planVersion } = input;
  const found =
    planVersion === undefined ? await plans.newest(project, plan) : await plans.find(project, plan, planVersion);
  if (found) return found;
  const name = planVersion === undefined ? plan : `${plan}@${planVersion}`;
  throw notFound('plan_not_found', `No plan ${name} in this project.`);
}

function subscriptionOf(
  input: CreateSubscriptionInput,
  plan: PlanVersion,
  { timeZone, now }: { timeZone: string; now: Instant },
): Subscription {
  const start =
    input.start === undefined || input.start === 'now' ? startOfQuarterHour(now) : boundary(input.start, 'start');
  const end = input.end === undefined || input.end === null ? null : boundary(input.end, 'end');
  if (end !== null && end <= start) {
    throw invalid('end_invalid', `Got end ${end}; expected a time after the start ${start}.`);
  }
  const trialEnd = input.trialEnd == null ? input.trialEnd : boundary(input.trialEnd, 'trial_end');
  const id = input.id ?? (deriveId('subscription', input.project, input.customer, input.plan, start) as SubscriptionId);
  return {
    id,
    customer: input.customer,
    start,
    end,
    phases: firstPhases({ plan, start, end, trialEnd, timeZone }),
    interval: plan.interval,
    billing: billingOf(input.billing, plan),
    ...conversionOf(input.conversion, plan),
    billedThrough: start,
    ...(plan.charges.some(isInAdvance) && { advanceThrough: start }),
  };
}

/** The calendar when the caller does not say, except for every N days: the calendar knows no such periods. */
function billingOf(asked: CreateSubscriptionInput['billing'], plan: PlanVersion): Subscription['billing'] {
  if (typeof plan.interval === 'string') return asked ?? 'calendar';
  if (asked !== 'calendar') return 'anniversary';
  throw invalid(
    'billing_unsupported',
    `Got billing "calendar" on the plan ${plan.plan}, which bills every ${intervalText(plan.interval)}; expected "anniversary": the calendar does not say where such periods begin.`,
    [
      {
        field: 'billing',
        code: 'billing_unsupported',
        detail: 'This plan bills by anniversary.',
        got: 'calendar',
        expected: 'anniversary',
      },
    ],
  );
}

function conversionOf(conversion: Conversion | undefined, plan: PlanVersion): Pick<Subscription, 'conversion'> {
  if (conversion === undefined) return {};
  if (conversion.currency !== plan.currency) return { conversion };
  const detail = `Got ${conversion.currency}, the currency of the plan ${plan.plan}; expected another one, or no conversion.`;
  throw invalid('conversion_invalid', detail, [
    { field: 'conversion.currency', code: 'conversion_invalid', detail, got: conversion.currency },
  ]);
}

/** A time from the caller that bounds a service period. */
function boundary(text: string, field: 'start' | 'end' | 'trial_end'): Instant {
  const instant = parseInstant(text);
  if (isQuarterHour(instant)) return instant;
  throw invalid(
    `${field}_invalid`,
    `Got ${field} ${instant}; expected a time on a quarter hour (:00, :15, :30 or :45), such as ${startOfQuarterHour(instant)}.`,
  );
}

function sameOrRefused(stored: Subscription, wanted: Subscription, input: CreateSubscriptionInput): Subscription {
  const [before, now] = [firstPlanOf(stored), firstPlanOf(wanted)];
  const differs =
    stored.customer !== wanted.customer ||
    before.plan !== now.plan ||
    stored.billing !== wanted.billing ||
    (input.planVersion !== undefined && before.planVersion !== now.planVersion) ||
    (input.start !== undefined && input.start !== 'now' && stored.start !== wanted.start) ||
    (input.conversion !== undefined && canonicalJson(stored.conversion) !== canonicalJson(wanted.conversion)) ||
    (input.trialEnd !== undefined && trialEndOf(stored) !== trialEndOf(wanted)) ||
    (input.end !== undefined && stored.end !== wanted.end);
  if (!differs) return stored;
  throw conflict(
    'subscription_exists',
    `The subscription ${shortened(wanted.id)} exists with another customer, plan, time or cycle; use another id.`,
    { subscription: stored.id },
  );
}

function refuseTooMany({ subscriptions }: StoredCustomer): void {
  if (subscriptions.length < MAX_PER_CUSTOMER) return;
  throw conflict(
    'too_many_subscriptions',
    `The customer has ${MAX_PER_CUSTOMER} subscriptions, the most there can be.`,
  );
}
