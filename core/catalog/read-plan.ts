import * as z from 'zod';
import { type Fault, faulty } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { priceSchema } from '../money/decimal-schema.ts';
import { faultsOf, shown, wirePath } from '../schema-faults.ts';
import { entitlementFaults } from './entitlement-faults.ts';
import { envelopeFaults } from './envelope.ts';
import { targetFaults } from './filter-faults.ts';
import type { Meter } from './meter.ts';
import { type PlanInput, planInputSchema } from './plan.ts';
import { priceFaults } from './price-faults.ts';
import { duplicateKeyFaults } from './read-meters.ts';

/** Each rule looks only at the part it needs, so that one fault never hides another. */
const chargesPart = z.looseObject({ charges: z.array(z.unknown()), envelopes: z.unknown().optional() });
const entitlementsPart = z.looseObject({ entitlements: z.unknown() });
const boundsPart = z.looseObject({ minimum: priceSchema, maximum: priceSchema });

/**
 * Reads a plan (camelCase keys) against the project's meters. Throws `invalid` (code `plan_invalid`) with every fault at
 * once, fields as the caller wrote them: nothing about a plan is found out at month's end.
 */
export function readPlan(input: unknown, meters: readonly Meter[]): PlanInput {
  const faults = planFaults(input, meters);
  if (faults.length > 0) {
    throw faulty('plan_invalid', 'The plan', faults);
  }
  return planInputSchema.parse(input);
}

/** Every fault of a plan; none when it may be stored. */
export function planFaults(input: unknown, meters: readonly Meter[]): Fault[] {
  const parsed = planInputSchema.safeParse(input);
  const { charges = [], envelopes } = chargesPart.safeParse(input).data ?? {};
  return [
    ...(parsed.success ? [] : faultsOf(parsed.error, input)),
    ...duplicateKeyFaults(charges, ['charges']),
    ...duplicateKeyFaults(Array.isArray(envelopes) ? envelopes : [], ['envelopes']),
    ...envelopeFaults(envelopes, charges),
    ...entitlementFaults(entitlementsPart.safeParse(input).data?.entitlements, meters),
    ...targetFaults(charges, meters),
    ...charges.flatMap((charge, index) => [
      ...priceFaults(charge, ['charges', index], meters),
      ...boundFaults(charge, index),
    ]),
  ];
}

function boundFaults(charge: unknown, index: number): Fault[] {
  const bounds = boundsPart.safeParse(charge).data;
  if (!bounds || Decimal.parse(bounds.minimum).compare(Decimal.parse(bounds.maximum)) <= 0) return [];
  return [
    {
      field: wirePath(['charges', index, 'minimum']),
      code: 'minimum_above_maximum',
      detail: `Got a minimum of ${bounds.minimum} and a maximum of ${bounds.maximum}; expected a minimum of at most the maximum.`,
      got: shown(bounds.minimum),
      expected: `at most ${bounds.maximum}`,
    },
  ];
}
