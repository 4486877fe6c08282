import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { intervalText, isSameInterval } from '../time/interval.ts';
import type { ContractTerms, ContractVersion } from './contract.ts';
import type { Meter } from './meter.ts';
import type { PlanVersion } from './plan.ts';
import { planFaults } from './read-plan.ts';
import { withTerms } from './with-terms.ts';

/** What a contract's terms do to its plan, as far as that is wrong. Looks at anything a caller may have written. */
const overridesPart = z.looseObject({ overrides: z.array(z.unknown()) });
const overridePart = z.looseObject({ charge: z.string() });
const currencyPart = z.looseObject({ currency: z.string() });

/** The charges that a contract's overrides name, in order; undefined where one names none. */
export function chargesOverridden(input: unknown): readonly (string | undefined)[] {
  return overridesOf(input).map((override) => overridePart.safeParse(override).data?.charge);
}

function overridesOf(input: unknown): readonly unknown[] {
  return overridesPart.safeParse(input).data?.overrides ?? [];
}

/** A charge may be missing in some of the versions, though not in all; what is there must be right in every one. */
export function planTermFaults(input: unknown, plans: readonly PlanVersion[], meters: readonly Meter[]): Fault[] {
  const found = plans.map((plan) => [...currencyFaults(input, plan), ...mergedFaults(input, plan, meters)]);
  const isEverywhere = (fault: Fault) =>
    found.every((faults) => faults.some(({ field, code }) => field === fault.field && code === fault.code));
  return found.flat().filter((fault) => !VERSION_CODES.has(fault.code) || isEverywhere(fault));
}

const VERSION_CODES: ReadonlySet<string> = new Set(['unknown_charge', 'currency_mismatch']);

function currencyFaults(input: unknown, plan: PlanVersion): Fault[] {
  const currency = currencyPart.safeParse(input).data?.currency;
  if (currency === undefined || currency === plan.currency) return [];
  const expected = `${plan.currency}, the currency of the plan ${plan.plan}`;
  return [
    {
      field: 'currency',
      code: 'currency_mismatch',
      detail: `Got ${shown(currency)}; expected ${expected}.`,
      got: shown(currency),
      expected,
    },
  ];
}

/**
 * What keeps a stored contract from being laid over another version of its plan: its currency, its interval, or a term that the
 * version's charges do not take. Charges that the version does not have are no fault: their terms have no effect.
 */
export function misfits(contract: ContractVersion, plan: PlanVersion, meters: readonly Meter[]): Fault[] {
  const expected = `the interval of the plan, ${intervalText(plan.interval)}`;
  const ofInterval = isSameInterval(contract.interval, plan.interval)
    ? []
    : [
        {
          field: 'interval',
          code: 'interval_mismatch',
          detail: `Got a contract for each ${intervalText(contract.interval)}; expected ${expected}.`,
        },
      ];
  const ofTerms = mergedFaults(contract, plan, meters).filter(({ code }) => code !== 'unknown_charge');
  return [...currencyFaults(contract, plan), ...ofInterval, ...ofTerms];
}

/** What would be wrong with the plan as the contract makes it, as far as the contract is to blame, at the contract's paths. */
function mergedFaults(input: unknown, plan: PlanVersion, meters: readonly Meter[]): Fault[] {
  const overrides = overridesOf(input);
  // the contract's own discount is wholly checked by its schema
  const given = z.looseObject({ commitment: z.unknown(), envelopes: z.unknown() }).safeParse(input).data;
  const keyed = overrides.map((override) => overridePart.safeParse(override).data);
  const unknown = keyed.flatMap((override, index) =>
    override === undefined || plan.charges.some(({ key }) => key === override.charge)
      ? []
      : [unknownCharge(index, override.charge, plan)],
  );
  // the terms are as wild as the caller wrote them; planFaults takes anything
  const terms = {
    overrides: keyed.filter((override) => override !== undefined),
    commitment: given?.commitment,
    envelopes: given?.envelopes,
  } as unknown as ContractTerms;
  const { version: _version, ...merged } = withTerms(plan, terms);
  return [...unknown, ...planFaults(merged, meters).flatMap((fault) => contractFault(fault, plan, keyed))];
}

function contractFault(
  fault: Fault,
  plan: PlanVersion,
  overrides: readonly ({ charge: string } | undefined)[],
): Fault[] {
  if (/^(commitment|envelopes)\b/.test(fault.field)) return [fault];
  const [, position, path = ''] = /^charges\[(\d+)\]\.(.+)$/.exec(fault.field) ?? [];
  const key = plan.charges[Number(position)]?.key;
  const index = overrides.findIndex((override) => override !== undefined && override.charge === key);
  const override = overrides[index];
  if (key === undefined || override === undefined) return [];
  const [term = ''] = path.split(/[.[]/);
  const isItsOwn = Object.hasOwn(override, term) || fault.code === 'minimum_above_maximum';
  return isItsOwn ? [{ ...fault, field: `overrides[${index}].${path}` }] : [];
}

function unknownCharge(index: number, key: string, plan: PlanVersion): Fault {
  const expected = `a charge of the plan ${plan.plan}: ${plan.charges
    .map((charge) => charge.key)
    .slice(0, 20)
    .join(', ')}`;
  return {
    field: wirePath(['overrides', index, 'charge']),
    code: 'unknown_charge',
    detail: `Got ${shown(key)}; expected ${expected}.`,
    got: shown(key),
    expected,
  };
}
