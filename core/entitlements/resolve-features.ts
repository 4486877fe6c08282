import type { Subscription } from '../accounts/subscription.ts';
import type { ContractVersion } from '../catalog/contract.ts';
import { contractInForce } from '../catalog/contract-in-force.ts';
import type { Entitlement, MeteredEntitlement } from '../catalog/entitlement.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import { Decimal } from '../money/decimal.ts';
import { type BillingCycle, billingCycleOf, billingPeriodAt } from '../time/billing-period.ts';
import { type Instant, laterOf } from '../time/instant.ts';
import type { EntitlementGrant, Feature, FeatureSource, QuotaScope, QuotaWindow } from './feature.ts';

/** All that decides what a customer may do. */
export interface FeatureInputs {
  /** IANA name. */
  readonly timeZone: string;
  readonly subscriptions: readonly Subscription[];
  readonly plans: readonly PlanVersion[];
  readonly contracts: readonly ContractVersion[];
  readonly grants: readonly EntitlementGrant[];
}

interface Entitled {
  readonly subscription: Subscription;
  readonly source: string;
  readonly entitlement: Entitlement;
}

/**
 * The features of a customer at an instant. A subscription entitles from its start to its end, in trials too, and not while it
 * is paused; its contract beats its plan feature by feature. Several subscriptions with one feature: any of them opens a
 * boolean one; limits add, and one that is unlimited or soft makes the whole so; the subscription that began first decides what
 * is counted and when it resets, and of a static feature the value.
 */
export function resolveFeatures(inputs: FeatureInputs, at: Instant): ReadonlyMap<string, Feature> {
  const inOrder = [...inputs.subscriptions].sort((a, b) => compareText(a.start, b.start) || compareText(a.id, b.id));
  const byFeature = new Map<string, Entitled[]>();
  for (const entitled of inOrder.flatMap((subscription) => entitledBy(subscription, inputs, at))) {
    const known = byFeature.get(entitled.entitlement.feature) ?? [];
    byFeature.set(entitled.entitlement.feature, [...known, entitled]);
  }
  const features = new Map<string, Feature>();
  for (const [feature, entitled] of byFeature) {
    const [first] = entitled;
    if (first !== undefined) features.set(feature, combined(first, entitled, inputs, at));
  }
  return features;
}

/** The plan versions that `resolveFeatures` needs. */
export function plansNeeded(
  subscriptions: readonly Subscription[],
  at: Instant,
): readonly { readonly plan: string; readonly version: number }[] {
  return subscriptions.flatMap((subscription) => {
    const phase = phaseOf(subscription, at);
    return phase === undefined ? [] : [{ plan: phase.plan, version: phase.planVersion }];
  });
}

function phaseOf({ start, end, phases }: Subscription, at: Instant) {
  if (at < start || (end !== null && at >= end)) return undefined;
  const phase = phases.findLast(({ from }) => from <= at) ?? phases[0];
  return phase?.state === 'paused' ? undefined : phase;
}

function entitledBy(subscription: Subscription, { plans, contracts }: FeatureInputs, at: Instant): Entitled[] {
  const phase = phaseOf(subscription, at);
  const plan = plans.find((known) => known.plan === phase?.plan && known.version === phase.planVersion);
  if (plan === undefined) return [];
  const contract = contractInForce(contracts, { plan, start: at });
  const own = contract?.entitlements ?? [];
  const replaced = new Set(own.map(({ feature }) => feature));
  const ofContract = own.flatMap((entitlement) => (entitlement.kind === 'none' ? [] : [entitlement]));
  const ofPlan = (plan.entitlements ?? []).filter(({ feature }) => !replaced.has(feature));
  return [
    ...ofContract.map((entitlement) => {
      return { subscription, source: `contract:${contract?.id}@${contract?.version}`, entitlement };
    }),
    ...ofPlan.map((entitlement) => ({ subscription, source: `${plan.plan}@${plan.version}`, entitlement })),
  ];
}

function combined(first: Entitled, all: readonly Entitled[], inputs: FeatureInputs, at: Instant): Feature {
  const { kind, feature } = first.entitlement;
  // A feature that plans write as different kinds is what the first of them says.
  const alike = all.filter(({ entitlement }) => entitlement.kind === kind);
  const sources = alike.map(({ subscription, source }) => ({ subscription: subscription.id, source }));
  if (first.entitlement.kind === 'boolean') return { kind: 'boolean', feature, sources };
  if (first.entitlement.kind === 'static') return { kind: 'static', feature, sources, value: first.entitlement.value };
  const scope = scopeOf(first.subscription, first.entitlement, inputs.timeZone, at);
  const shares = alike.map((entitled) => shareOf(entitled, scope));
  const counted = shares.filter(({ isCounted }) => isCounted);
  return {
    kind: 'metered',
    feature,
    scope,
    limit: counted.reduce<string | null>((sum, { limit }) => added(sum, limit ?? null), '0'),
    isHard: alike.every(({ entitlement }) => entitlement.kind === 'metered' && entitlement.overage === 'refuse'),
    grants: inputs.grants.filter((grant) => grant.feature === feature),
    sources: shares,
  };
}

function added(sum: string | null, limit: string | null): string | null {
  return sum === null || limit === null ? null : Decimal.ofTotal(sum).plus(Decimal.parse(limit)).toString();
}

function shareOf({ subscription, source, entitlement }: Entitled, scope: QuotaScope): FeatureSource {
  const metered = entitlement as MeteredEntitlement;
  return {
    subscription: subscription.id,
    source,
    limit: metered.limit,
    isCounted: metered.meter === scope.meter && sameFilter(metered.filter ?? {}, scope.filter),
  };
}

function sameFilter(a: QuotaScope['filter'], b: QuotaScope['filter']): boolean {
  const written = (filter: QuotaScope['filter']) =>
    JSON.stringify(
      Object.keys(filter)
        .sort()
        .map((name) => [name, [...(filter[name] ?? [])].sort()]),
    );
  return written(a) === written(b);
}

function scopeOf(
  subscription: Subscription,
  entitlement: MeteredEntitlement,
  timeZone: string,
  at: Instant,
): QuotaScope {
  const { feature, meter, filter = {}, reset } = entitlement;
  return { feature, meter, filter, window: windowOf(subscription, reset, timeZone, at) };
}

/** A service period begins with its subscription; a calendar day or month is whole whoever began in it. */
function windowOf(
  subscription: Subscription,
  reset: MeteredEntitlement['reset'],
  timeZone: string,
  at: Instant,
): QuotaWindow {
  if (reset !== 'period') {
    const cycle: BillingCycle = { billing: 'calendar', interval: reset, timeZone };
    const { start, end } = billingPeriodAt(at, cycle);
    return { start, end };
  }
  const { billing, interval = 'month', start: begun } = subscription;
  const { start, end } = billingPeriodAt(at, billingCycleOf({ billing, interval, start: begun }, timeZone));
  return { start: laterOf(start, begun), end };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
