import type { PlanStore } from '../catalog/ports.ts';
import { BillingError, conflict, invalid, notFound } from '../errors.ts';
import type { ProjectId, SubscriptionId } from '../ids.ts';
import { billingCycleOf, billingPeriodAt } from '../time/billing-period.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, laterOf, parseInstant } from '../time/instant.ts';
import { isQuarterHour, startOfQuarterHour } from '../time/quarter-hour.ts';
import { firstDifference } from './change-phases.ts';
import type { CustomerStore, SubscriptionStore } from './ports.ts';
import { type MisfitDeps, refuseMisfit } from './refuse-misfit.ts';
import { refuseOverlap } from './refuse-overlap.ts';
import { MAX_PHASES, type Subscription } from './subscription.ts';

export interface RewriteDeps extends MisfitDeps {
  readonly customers: Pick<CustomerStore, 'find'>;
  readonly plans: PlanStore;
  readonly subscriptions: SubscriptionStore;
  readonly clock: Clock;
}

/** What a change is made from. */
export interface Known {
  readonly subscription: Subscription;
  readonly timeZone: string;
  readonly now: Instant;
}

const TRIES = 5;

/**
 * Reads a subscription, changes it and writes it over the version that was read, under its customer's version, so that two
 * changes at once never overlap. A change that changes nothing is not written. Throws what `change` throws,
 * `subscription_not_found`, `period_already_billed`, `subscription_overlaps`, `contract_does_not_fit`, `too_many_phases` or `write_contended`.
 */
export async function rewriteSubscription(
  input: { readonly project: ProjectId; readonly id: SubscriptionId },
  change: (known: Known) => Subscription | Promise<Subscription>,
  deps: RewriteDeps,
): Promise<Subscription> {
  const { project, id } = input;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stored = await deps.subscriptions.find(project, id);
    const customer = stored && (await deps.customers.find(project, stored.subscription.customer));
    if (!stored || !customer) {
      throw notFound('subscription_not_found', `No subscription ${id.slice(0, 64)} in this project.`);
    }
    const { subscription, version } = stored;
    const { timeZone } = customer.customer;
    const wanted = await change({ subscription, timeZone, now: deps.clock.now() });
    const from = firstDifference(subscription.phases, wanted.phases);
    if (from === null && wanted.end === subscription.end) return subscription;
    if (from !== null) refuseBilled(subscription, from);
    refuseTooMany(wanted);
    await refuseOverlap({ project, wanted, customer }, deps);
    await refuseMisfit({ project, wanted }, deps);
    if ((await deps.subscriptions.replace(project, wanted, version, customer)) === 'stored') return wanted;
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: 'Other writes to this subscription or its customer were under way. Send the same request again.',
  });
}

/**
 * The instant a caller names: `now` is the start of the current quarter hour, `at_period_end` the end of the current billing
 * period (of the first one, before the start), else RFC 3339 on a quarter hour. Throws `invalid` with the code given.
 */
export function effectiveAt(at: string, code: string, { subscription, timeZone, now }: Known): Instant {
  if (at === 'now') return startOfQuarterHour(now);
  if (at === 'at_period_end') {
    return billingPeriodAt(laterOf(now, subscription.start), billingCycleOf(subscription, timeZone)).end;
  }
  const instant = parseInstant(at);
  if (isQuarterHour(instant)) return instant;
  throw invalid(
    code,
    `Got ${instant}; expected a time on a quarter hour (:00, :15, :30 or :45), such as ${startOfQuarterHour(instant)}.`,
  );
}

/** Throws `conflict` (`subscription_not_begun`, `subscription_ends`) for an instant at which the subscription does not run. */
export function refuseOutside({ start, end }: Subscription, at: Instant): void {
  if (at < start) {
    throw conflict('subscription_not_begun', `The subscription begins at ${start}; nothing can change at ${at}.`, {
      start,
    });
  }
  if (end !== null && at >= end) {
    throw conflict('subscription_ends', `The subscription ends at ${end}; nothing can change at ${at}.`, { end });
  }
}

/** Throws `conflict` (`period_already_billed`) for an instant before which everything is billed. */
export function refuseBilled({ billedThrough }: Subscription, at: Instant): void {
  if (at >= billedThrough) return;
  throw conflict(
    'period_already_billed',
    `The subscription is billed through ${billedThrough}; it can change then or later, not at ${at}.`,
    { billed_through: billedThrough },
  );
}

function refuseTooMany({ phases }: Subscription): void {
  if (phases.length <= MAX_PHASES) return;
  throw conflict(
    'too_many_phases',
    `The subscription has changed ${MAX_PHASES} times, the most there can be. End it and create another one from there.`,
  );
}
