import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import { consumedMeterOf } from '../usage/consumed-meter.ts';
import { inLanes } from '../usage/in-lanes.ts';
import { dayKey } from '../usage/log-partition.ts';
import type { StoredView, UsageViews } from '../usage/ports.ts';
import { quantityOf } from '../usage/quantity-of.ts';
import { withoutStale } from '../usage/read-usage.ts';
import { sliceUsage } from '../usage/slice-usage.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';
import type { QuotaFigures, QuotaStore } from './ports.ts';
import { groupOf, groupSpan, groupsOf, type Quota } from './quota.ts';

/**
 * Brings quotas up to the views. Figures are totals of days, never added to: a refresh that happens twice, late or from two
 * folders at once ends in the same figures. It reads the quota, then the views, and writes if nobody has refreshed the quota
 * in between: so of two refreshes the one that stays read the views later.
 */
export interface RefreshDeps {
  readonly quotas: QuotaStore;
  readonly views: Pick<UsageViews, 'readViews'>;
  readonly clock: Clock;
}

/** A day of a customer whose views were written. */
export interface TouchedDay {
  readonly project: ProjectId;
  readonly customer: string;
  /** UTC, `20261121`. */
  readonly day: string;
}

const MAX_TRIES = 20;
const CUSTOMERS_AT_ONCE = 16;

/**
 * Refreshes every quota of the customers whose views were written. To be called after that: a quota that is created meanwhile
 * either is found here, or its first figures come from the views as they are now.
 */
export async function refreshQuotas(touched: readonly TouchedDay[], deps: RefreshDeps): Promise<void> {
  const [first] = touched;
  if (first === undefined || !(await deps.quotas.isUsed(first.project))) return;
  const days = new Map<string, string[]>();
  for (const { customer, day } of touched) days.set(customer, [...(days.get(customer) ?? []), day]);
  await inLanes([...days], CUSTOMERS_AT_ONCE, ([customer, list]) =>
    refreshCustomer(first.project, customer, list, deps),
  );
}

async function refreshCustomer(
  project: ProjectId,
  customer: string,
  days: readonly string[],
  deps: RefreshDeps,
): Promise<void> {
  let open: ReadonlySet<string> | null = null;
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const refused = new Set<string>();
    // Read before the views, which every quota of the customer then shares.
    const quotas = await deps.quotas.ofCustomer(project, customer);
    const views = { readViews: once(deps.views.readViews) };
    for (const quota of quotas) {
      const name = `${quota.key.feature} ${quota.key.start} ${quota.key.digest}`;
      const groups = quota.refreshedAtMillis === 0 ? groupsOf(quota.scope) : touchedGroups(quota, days);
      if (groups.length === 0 || (open !== null && !open.has(name))) continue;
      if ((await refreshed(quota, groups, { ...deps, views })) === 'refused') refused.add(name);
    }
    if (refused.size === 0) return;
    open = refused;
  }
  throw new Error(`The quotas of a customer are contended: ${MAX_TRIES} refreshes were refused.`);
}

/** Refreshes all of a quota, and answers it as it then is. */
export async function refreshWhole(quota: Quota, deps: RefreshDeps): Promise<Quota> {
  let known = quota;
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    await refreshed(known, groupsOf(known.scope), deps);
    known = (await deps.quotas.find(known.key)) ?? known;
    if (known.refreshedAtMillis > 0) return known;
  }
  throw new Error(`The quota of ${quota.key.feature} is contended: ${MAX_TRIES} refreshes were refused.`);
}

function touchedGroups({ scope }: Quota, days: readonly string[]): readonly number[] {
  return [...new Set(days.map((day) => groupOf(scope, day)))].filter((group) => group !== null);
}

async function refreshed(quota: Quota, groups: readonly number[], deps: RefreshDeps): Promise<'stored' | 'refused'> {
  const { key, aggregation, version } = quota;
  const totals = { ...quota.totals };
  const folded = { ...quota.folded };
  const refreshedAtMillis = millisOf(deps.clock.now());
  const companion = consumedMeterOf(key);
  const views = await viewsOf(quota, groups, deps);
  for (const group of groups) {
    const slices = slicesOf(quota, group, views);
    const own = slices.filter((slice) => isWatched(quota, slice));
    const consumed = slices.filter(({ meter }) => meter === companion);
    put(totals, group, own.length === 0 ? '0' : quantityOf(aggregation, own));
    put(folded, group, quantityOf('sum', consumed));
  }
  const figures: QuotaFigures = { totals, folded, refreshedAtMillis };
  return deps.quotas.refresh(key, version, figures);
}

/** A group that comes to nothing takes no room. */
function put(figures: Record<string, string>, group: number, total: string): void {
  if (total === '0') delete figures[group];
  else figures[group] = total;
}

/** The views of all these groups, read once. */
async function viewsOf({ key, scope }: Quota, groups: readonly number[], { views }: RefreshDeps) {
  const spans = groups.map((group) => groupSpan(scope, group));
  const from = dayKey(Math.min(...spans.map((span) => span.from)));
  const to = dayKey(Math.max(...spans.map((span) => span.to)) - 1);
  return withoutStale(await views.readViews(key.project, key.customer, from, to));
}

function slicesOf({ scope }: Quota, group: number, views: readonly StoredView[]): readonly UsageSlice[] {
  const span = groupSpan(scope, group);
  const [first, last] = [dayKey(span.from), dayKey(span.to - 1)];
  return sliceUsage(
    views.filter(({ key: { day } }) => first <= day && day <= last),
    span,
  );
}

function isWatched({ scope }: Quota, { meter, dimensions }: UsageSlice): boolean {
  if (meter !== scope.meter) return false;
  return Object.entries(scope.filter).every(([name, values]) => values.includes(dimensions[name] ?? ''));
}

/** Views that several quotas ask for are read once. */
function once(read: UsageViews['readViews']): UsageViews['readViews'] {
  const known = new Map<string, ReturnType<UsageViews['readViews']>>();
  return (project, customer, fromDay, toDay) => {
    const name = `${fromDay}-${toDay}`;
    const asked = known.get(name) ?? read(project, customer, fromDay, toDay);
    known.set(name, asked);
    return asked;
  };
}
