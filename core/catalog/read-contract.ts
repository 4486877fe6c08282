import * as z from 'zod';
import { type Fault, faulty } from '../errors.ts';
import { faultsOf, shown, wirePath } from '../schema-faults.ts';
import { type Instant, isInstantText, parseInstant } from '../time/instant.ts';
import { isQuarterHour, startOfQuarterHour } from '../time/quarter-hour.ts';
import { type ContractVersion, contractInputSchema } from './contract.ts';
import { entitlementFaults } from './entitlement-faults.ts';
import type { Meter } from './meter.ts';
import type { PlanVersion } from './plan.ts';
import { chargesOverridden, planTermFaults } from './term-faults.ts';

/** A contract that may be stored, still without its version. */
export type ContractInput = Omit<ContractVersion, 'version'>;

const entitlementsPart = z.looseObject({ entitlements: z.unknown() });
const spanPart = z.looseObject({ start: z.string(), end: z.string().nullish() });

/**
 * Reads a contract (camelCase keys) against the plan it is about, in each of the versions given: the newest and those its
 * customer is on. The plan with the contract laid over it must be a plan that could be written. Throws `invalid` (code
 * `contract_invalid`) with every fault at once, fields as the caller wrote them.
 */
export function readContract(input: unknown, plans: readonly PlanVersion[], meters: readonly Meter[]): ContractInput {
  const faults = contractFaults(input, plans, meters);
  const [newest] = plans;
  if (faults.length > 0 || newest === undefined) {
    throw faulty('contract_invalid', 'The contract', faults);
  }
  const { start, end, correctsFrom, ...rest } = contractInputSchema.parse(input);
  return {
    ...rest,
    interval: newest.interval,
    start: parseInstant(start),
    end: end === null ? null : parseInstant(end),
    ...(correctsFrom === undefined ? {} : { correctsFrom: parseInstant(correctsFrom) }),
  };
}

/** Every fault of a contract; none when it may be stored. No plans means that the plan it names is not there. */
export function contractFaults(input: unknown, plans: readonly PlanVersion[], meters: readonly Meter[]): Fault[] {
  const parsed = contractInputSchema.safeParse(input);
  const faults = [
    ...(parsed.success ? [] : faultsOf(parsed.error, input)),
    ...spanFaults(input),
    ...duplicateOverrides(input),
    ...entitlementFaults(entitlementsPart.safeParse(input).data?.entitlements, meters),
    ...(plans.length === 0 ? unknownPlan(input) : planTermFaults(input, plans, meters)),
  ];
  const seen = new Set<string>();
  return faults.filter(({ field, code }) => !seen.has(`${field} ${code}`) && seen.add(`${field} ${code}`));
}

function unknownPlan(input: unknown): Fault[] {
  const { plan } = z.looseObject({ plan: z.string() }).safeParse(input).data ?? {};
  if (plan === undefined) return [];
  const expected = 'the key of a plan of this project';
  return [
    {
      field: 'plan',
      code: 'unknown_plan',
      detail: `Got ${shown(plan)}; expected ${expected}.`,
      got: shown(plan),
      expected,
    },
  ];
}

function spanFaults(input: unknown): Fault[] {
  const { start, end } = spanPart.safeParse(input).data ?? {};
  const times = Object.entries({ start, end }).flatMap(([field, text]) =>
    typeof text === 'string' && isInstantText(text) ? [{ field, at: parseInstant(text) }] : [],
  );
  const faults = times
    .filter(({ at }) => !isQuarterHour(at))
    .map(({ field, at }) => timeFault(field, at, `a time on a quarter hour, such as ${startOfQuarterHour(at)}`));
  const [from, to] = times;
  if (from && to && to.at <= from.at) faults.push(timeFault('end', to.at, `a time after the start ${from.at}`));
  return faults;
}

function timeFault(field: string, at: Instant, expected: string): Fault {
  return { field, code: `${field}_invalid`, detail: `Got ${at}; expected ${expected}.`, got: at, expected };
}

function duplicateOverrides(input: unknown): Fault[] {
  const keys = chargesOverridden(input);
  return keys.flatMap((key, index) =>
    key === undefined || keys.indexOf(key) === index
      ? []
      : [
          {
            field: wirePath(['overrides', index, 'charge']),
            code: 'duplicate_charge',
            detail: `Got ${shown(key)}, which an earlier override has; expected each charge once.`,
            got: shown(key),
          },
        ],
  );
}
