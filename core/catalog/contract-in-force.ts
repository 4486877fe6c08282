import { type Instant, laterOf } from '../time/instant.ts';
import { isSameInterval } from '../time/interval-step.ts';
import type { ContractVersion } from './contract.ts';
import type { PlanVersion } from './plan.ts';

/** A plan version and the start of the service that is priced by it. */
export interface PricedService {
  readonly plan: Pick<PlanVersion, 'plan' | 'currency' | 'interval'>;
  readonly start: Instant;
}

/**
 * The contract that prices a service which begins at `start`; null where only the plan does. `versions` are all versions of all
 * contracts of one customer. Contracts on one plan are never in force together (they are refused when written).
 */
export function contractInForce(versions: readonly ContractVersion[], service: PricedService): ContractVersion | null {
  const fitting = versions.filter((version) => fits(version, service.plan) && version.start <= service.start);
  const newest = newestOfEach(fitting);
  return newest.find(({ end }) => end === null || service.start < end) ?? null;
}

/**
 * The contract by which a billed service is rated again: the very version it was billed with, however many came after it, for a
 * price agreed later is no error of an earlier invoice. Only a newer version that says so (`correctsFrom`) reprices it.
 */
export function contractForBilled(
  versions: readonly ContractVersion[],
  service: PricedService,
  billedWith: { readonly id: string; readonly version: number } | null,
): ContractVersion | null {
  const billed = versions.find(({ id, version }) => id === billedWith?.id && version === billedWith.version) ?? null;
  const corrections = versions.filter(
    ({ id, version, correctsFrom }) =>
      correctsFrom !== undefined &&
      correctsFrom <= service.start &&
      (id !== billedWith?.id || version > billedWith.version),
  );
  const fitting = corrections.filter((version) => fits(version, service.plan) && version.start <= service.start);
  const newest = newestOfEach(fitting);
  if (newest.length === 0) return billed;
  const correction = newest.find(({ end }) => end === null || service.start < end);
  // a correction of the billed contract that ends it before the service takes it away
  return correction ?? (newest.some(({ id }) => id === billedWith?.id) ? null : billed);
}

/** A half-open span; no end is null. */
export interface OpenSpan {
  readonly start: Instant;
  readonly end: Instant | null;
}

/** When a contract is in force, all its versions considered: disjoint spans in order of time. */
export function spansInForce(versions: readonly ContractVersion[]): readonly OpenSpan[] {
  const starts = [...new Set(versions.map(({ start }) => start))].sort();
  return starts.flatMap((start, index) => {
    const counting = newestOf(versions.filter((version) => version.start <= start));
    const next = starts[index + 1] ?? null;
    const end = counting === undefined ? null : earlierEnd(counting.end, next);
    return end !== null && end <= start ? [] : [{ start, end }];
  });
}

/** The first instant at which both are in force; null when there is none. */
export function firstCommonInstant(a: readonly OpenSpan[], b: readonly OpenSpan[]): Instant | null {
  for (const one of a) {
    for (const other of b) {
      const start = laterOf(one.start, other.start);
      const end = earlierEnd(one.end, other.end);
      if (end === null || start < end) return start;
    }
  }
  return null;
}

function fits(version: ContractVersion, plan: PricedService['plan']): boolean {
  return (
    version.plan === plan.plan && version.currency === plan.currency && isSameInterval(version.interval, plan.interval)
  );
}

function newestOfEach(versions: readonly ContractVersion[]): readonly ContractVersion[] {
  const ids = [...new Set(versions.map(({ id }) => id))];
  return ids.flatMap((id) => newestOf(versions.filter((version) => version.id === id)) ?? []);
}

function newestOf(versions: readonly ContractVersion[]): ContractVersion | undefined {
  return versions.reduce<ContractVersion | undefined>(
    (newest, version) => (newest === undefined || version.version > newest.version ? version : newest),
    undefined,
  );
}

function earlierEnd(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}
