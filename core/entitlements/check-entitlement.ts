import type { MeterRevision } from '../catalog/meter.ts';
import { invalid, notFound } from '../errors.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import { Decimal } from '../money/decimal.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { type Feature, type MeteredFeature, quotaKeyOf } from './feature.ts';
import { limitAt, type Quota, usedOf } from './quota.ts';
import { type RefreshDeps, refreshWhole } from './refresh-quotas.ts';

/** May this customer use the feature, and how much of it is left? */
export interface CheckInput {
  readonly project: ProjectId;
  readonly customer: CustomerId;
  readonly feature: string;
  /** Units about to be used, at least 0; null asks whether anything is left. */
  readonly quantity: Decimal | null;
}

export interface EntitlementDeps extends RefreshDeps {
  /** What the customer may do, as it was at most 30 s ago; undefined when it is not known. `fresh` reads again. */
  features(
    project: ProjectId,
    customer: CustomerId,
    read: 'cached' | 'fresh',
  ): Promise<ReadonlyMap<string, Feature> | undefined>;
  meters(project: ProjectId): Promise<MeterRevision>;
  /** How old the figures of a project that asks for quotas may become, in ms. */
  readonly maxAgeMillis: number;
  /** Projects this worker has marked as asking for quotas. */
  readonly marked: Set<string>;
}

export type CheckReason =
  | 'included'
  | 'not_included'
  | 'unlimited'
  | 'within_limit'
  | 'limit_reached'
  | 'over_soft_limit';

export interface CheckResult {
  readonly customer: string;
  readonly feature: string;
  readonly kind: Feature['kind'] | null;
  readonly allowed: boolean;
  readonly reason: CheckReason;
  /** Of a static feature. */
  readonly value?: string;
  /** Of a metered feature, as the rest: exact decimals; null is unlimited. */
  readonly meter?: string;
  readonly used?: string;
  readonly limit?: string | null;
  readonly remaining?: string | null;
  readonly overLimit?: boolean;
  readonly resetsAt?: Instant;
  /** Everything that was appended to the log before is in `used`. */
  readonly asOf?: Instant;
}

/** Throws `not-found` (code `customer_not_found`); a feature the customer does not have is an answer. */
export async function checkEntitlement(input: CheckInput, deps: EntitlementDeps): Promise<CheckResult> {
  const { customer, feature } = input;
  const found = await featureOf(input, deps);
  if (found === undefined) {
    return { customer, feature, kind: null, allowed: false, reason: 'not_included' };
  }
  if (found.kind === 'boolean') return { customer, feature, kind: found.kind, allowed: true, reason: 'included' };
  if (found.kind === 'static') {
    return { customer, feature, kind: found.kind, allowed: true, reason: 'included', value: found.value };
  }
  const quota = await quotaOf(input, found, deps);
  return shownQuota(input, found, quota, deps);
}

/** The feature as it is now; read again when its window has ended since it was read. */
export async function featureOf(
  { project, customer, feature }: Omit<CheckInput, 'quantity'>,
  deps: EntitlementDeps,
): Promise<Feature | undefined> {
  const read = async (how: 'cached' | 'fresh') => {
    const features = await deps.features(project, customer, how);
    if (features === undefined) {
      throw notFound('customer_not_found', `No customer ${customer.slice(0, 64)} in this project.`);
    }
    return features.get(feature);
  };
  const found = await read('cached');
  const isOver = found?.kind === 'metered' && found.scope.window.end <= deps.clock.now();
  return isOver ? read('fresh') : found;
}

/** The quota's item: one small read. The first one to ask for it makes it, from the views. */
export async function quotaOf(
  { project, customer }: Pick<CheckInput, 'project' | 'customer'>,
  { scope }: MeteredFeature,
  deps: EntitlementDeps,
): Promise<Quota> {
  const key = quotaKeyOf(project, customer, scope);
  const known = await deps.quotas.find(key);
  if (known !== undefined && known.refreshedAtMillis > 0) return known;
  if (known === undefined) {
    const { meters } = await deps.meters(project);
    const meter = meters.find((entry) => entry.key === scope.meter);
    if (meter === undefined) {
      throw invalid('meter_not_found', `The meter ${scope.meter} of this feature was made a moment ago; ask again.`);
    }
    // The mark first: a folder that does not see it has written its views before they are read here.
    if (!deps.marked.has(project)) await deps.quotas.markUsed(project);
    deps.marked.add(project);
    const { aggregation } = meter;
    const blank = { totals: {}, folded: {}, consumed: '0', version: 0, refreshedAtMillis: 0 };
    await deps.quotas.create({ key, scope, aggregation, ...blank });
  }
  const made = await deps.quotas.find(key);
  if (made === undefined) throw new Error('A quota that was just stored is not there.');
  return made.refreshedAtMillis > 0 ? made : refreshWhole(made, deps);
}

/** What is told of a quota. */
export function shownQuota(
  input: Pick<CheckInput, 'customer' | 'quantity'>,
  feature: MeteredFeature,
  quota: Quota,
  deps: Pick<EntitlementDeps, 'clock' | 'maxAgeMillis'>,
): CheckResult {
  const now = deps.clock.now();
  const used = usedOf(quota);
  const limit = limitAt(feature, now);
  const common = {
    customer: input.customer,
    feature: feature.feature,
    kind: feature.kind,
    meter: feature.scope.meter,
    used: used.toString(),
    resetsAt: feature.scope.window.end,
    asOf: instantFromMillis(Math.max(0, millisOf(now) - deps.maxAgeMillis)),
  };
  if (limit === null) return { ...common, allowed: true, reason: 'unlimited', limit: null, remaining: null };
  const left = limit.minus(used);
  const isWithin =
    input.quantity === null ? left.isPositive() : levelAfter(quota, used, input.quantity).compare(limit) <= 0;
  const shown = { ...common, limit: limit.toString(), remaining: Decimal.max(left, Decimal.ZERO).toString() };
  if (isWithin) return { ...shown, allowed: true, reason: 'within_limit', overLimit: false };
  if (feature.isHard) return { ...shown, allowed: false, reason: 'limit_reached', overLimit: left.isNegative() };
  return { ...shown, allowed: true, reason: 'over_soft_limit', overLimit: true };
}

/** What usage would come to with so much more: it adds up, and the highest level becomes higher or stays. */
function levelAfter({ aggregation }: Quota, used: Decimal, quantity: Decimal): Decimal {
  return aggregation === 'max' ? Decimal.max(used, quantity) : used.plus(quantity);
}
