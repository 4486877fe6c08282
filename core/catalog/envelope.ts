import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { positiveSchema } from '../money/decimal-schema.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { catalogKeySchema, labelSchema } from './key.ts';
import { isPricedByTransaction, priceSchemaByModel } from './price.ts';

/** One included quantity that several charges share. */
export interface Envelope {
  readonly key: string;
  readonly name: string;
  /** Units of the envelope, above 0, in every period; prorated in a partial one. */
  readonly quantity: string;
  /** The charges it covers, in the order in which they draw on it. */
  readonly burn: readonly EnvelopeBurn[];
}

export interface EnvelopeBurn {
  /** Key of a usage charge of the same plan; a charge draws on one envelope at most. */
  readonly charge: string;
  /** Units of the envelope that one unit of the charge takes, above 0. */
  readonly weight: string;
}

export const envelopeSchema = z.strictObject({
  key: catalogKeySchema,
  name: labelSchema,
  quantity: positiveSchema,
  burn: z
    .array(z.strictObject({ charge: catalogKeySchema, weight: positiveSchema }))
    .min(1)
    .max(50),
}) satisfies z.ZodType<Envelope>;

export const envelopesSchema = z.array(envelopeSchema).min(1).max(20);

const burnPart = z.looseObject({ burn: z.array(z.unknown()) });
const chargePart = z.looseObject({ charge: z.string() });
const usagePart = z.looseObject({ kind: z.literal('usage'), key: z.string(), price: z.unknown() });

/** Faults of what envelopes point at: usage charges of the plan, each in one envelope at most and once. */
export function envelopeFaults(envelopes: unknown, charges: readonly unknown[]): Fault[] {
  const usage = charges.flatMap((charge) => usagePart.safeParse(charge).data ?? []);
  const known = new Set(usage.map(({ key }) => key));
  const byTransaction = new Set(usage.filter(({ price }) => takesNoFreeUnits(price)).map(({ key }) => key));
  const taken = new Set<string>();
  return (Array.isArray(envelopes) ? envelopes : []).flatMap((envelope, index) =>
    (burnPart.safeParse(envelope).data?.burn ?? []).flatMap((entry, position) => {
      const key = chargePart.safeParse(entry).data?.charge;
      if (key === undefined) return [];
      const at = wirePath(['envelopes', index, 'burn', position, 'charge']);
      if (!known.has(key)) return [unknownCharge(at, key, known)];
      if (byTransaction.has(key)) return [pricedByTransaction(at, key)];
      if (taken.has(key)) return [takenCharge(at, key)];
      taken.add(key);
      return [];
    }),
  );
}

function takesNoFreeUnits(price: unknown): boolean {
  const parsed = priceSchemaByModel.safeParse(price).data;
  return parsed !== undefined && isPricedByTransaction(parsed);
}

function pricedByTransaction(field: string, key: string): Fault {
  const expected = 'a charge whose price does not look at single transactions; use its free_events or free_amount';
  return {
    field,
    code: 'charge_takes_no_envelope',
    detail: `Got ${shown(key)}; expected ${expected}.`,
    got: shown(key),
    expected,
  };
}

function unknownCharge(field: string, key: string, known: ReadonlySet<string>): Fault {
  const expected = `a usage charge of the plan: ${[...known].slice(0, 20).join(', ') || '(it has none)'}`;
  return {
    field,
    code: 'unknown_charge',
    detail: `Got ${shown(key)}; expected ${expected}.`,
    got: shown(key),
    expected,
  };
}

function takenCharge(field: string, key: string): Fault {
  const expected = 'a charge that draws on no envelope yet';
  return {
    field,
    code: 'charge_in_two_envelopes',
    detail: `Got ${shown(key)} twice; expected ${expected}.`,
    got: shown(key),
    expected,
  };
}
