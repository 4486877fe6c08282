import * as z from 'zod';
import { customerIdSchema } from '../accounts/customer.ts';
import type { CustomerId } from '../ids.ts';
import { type Currency, currencySchema } from '../money/currency.ts';
import { positiveSchema, priceSchema } from '../money/decimal-schema.ts';
import { type Instant, isInstantText } from '../time/instant.ts';
import { instantSchema } from '../time/instant-schema.ts';
import { type Interval, intervalSchema } from '../time/interval.ts';
import { type Commitment, commitmentSchema } from './commitment.ts';
import { type Discount, discountSchema, percentSchema } from './discount.ts';
import { type ContractEntitlement, contractEntitlementsSchema } from './entitlement.ts';
import { type Envelope, envelopesSchema } from './envelope.ts';
import { catalogKeySchema } from './key.ts';
import { type Price, priceSchemaByModel } from './price.ts';

/** What one customer pays instead of what a plan says. Null takes the plan's away; what is absent stays the plan's. */
export interface ChargeOverride {
  /** Key of a charge of the plan. */
  readonly charge: string;
  readonly price?: Price | undefined;
  readonly allowance?: string | null | undefined;
  readonly minimum?: string | null | undefined;
  readonly maximum?: string | null | undefined;
  /** Of a fixed fee. */
  readonly amount?: string | undefined;
  readonly discount?: Discount | null | undefined;
}

/** The terms of a contract: what `effectivePlan` lays over the plan. */
export interface ContractTerms {
  readonly overrides: readonly ChargeOverride[];
  readonly commitment?: Commitment | null | undefined;
  /** Instead of all envelopes of the plan. */
  readonly envelopes?: readonly Envelope[] | null | undefined;
  /** Percent off every charge whose override says nothing about a discount, instead of the plan's. */
  readonly discount?: { readonly percent: string } | undefined;
}

/**
 * A version of a customer's contract on a plan, immutable. At an instant `t` the newest version with `start <= t` counts, and
 * is in force while `t < end`: so a version with a later start leaves what was before it alone, and one with an earlier end
 * ends the contract. The contract in force at the start of a service segment prices all of it.
 */
export interface ContractVersion extends ContractTerms {
  readonly id: string;
  /** 1, 2, 3 ... */
  readonly version: number;
  readonly customer: CustomerId;
  /** Key of the plan, in whatever version the customer is on ... */
  readonly plan: string;
  /** ... as long as that version has this currency, in which all amounts of the contract are ... */
  readonly currency: Currency;
  /** ... and this interval, for which its amounts and quantities are meant: the plan's when the contract was written. */
  readonly interval: Interval;
  readonly start: Instant;
  readonly end: Instant | null;
  /** Feature by feature instead of the plan's; they change no invoice. */
  readonly entitlements?: readonly ContractEntitlement[] | undefined;
  /** Service that begins then or later and is billed already is priced again by this version: a correction. None is when absent. */
  readonly correctsFrom?: Instant | undefined;
}

const timeTextSchema = z
  .string()
  .refine(isInstantText, { error: 'expected an RFC 3339 time such as "2026-11-21T03:00:00Z"' })
  .meta({ format: 'date-time' });

export const chargeOverrideSchema = z.strictObject({
  charge: catalogKeySchema,
  price: priceSchemaByModel.optional(),
  allowance: positiveSchema.nullable().optional(),
  minimum: priceSchema.nullable().optional(),
  maximum: priceSchema.nullable().optional(),
  amount: priceSchema.optional(),
  discount: discountSchema.nullable().optional(),
}) satisfies z.ZodType<ChargeOverride>;

export const contractTermsSchema = z.strictObject({
  overrides: z.array(chargeOverrideSchema).max(200).default([]),
  commitment: commitmentSchema.nullable().optional(),
  envelopes: envelopesSchema.nullable().optional(),
  discount: z.strictObject({ percent: percentSchema }).optional(),
}) satisfies z.ZodType<ContractTerms>;

/** A contract as its author writes it; `readContract` (read-contract.ts) holds it to what a schema cannot express. */
export const contractInputSchema = z.strictObject({
  id: catalogKeySchema,
  customer: customerIdSchema,
  plan: catalogKeySchema,
  currency: currencySchema,
  start: timeTextSchema,
  end: timeTextSchema.nullable().default(null),
  correctsFrom: timeTextSchema.optional(),
  entitlements: contractEntitlementsSchema.optional(),
  ...contractTermsSchema.shape,
});

export const contractVersionSchema = contractInputSchema.extend({
  version: z.int().min(1),
  interval: intervalSchema,
  start: instantSchema,
  end: instantSchema.nullable(),
  correctsFrom: instantSchema.optional(),
}) satisfies z.ZodType<ContractVersion>;

/** The name of a contract's price on a line: `contract:<id>@<version>`. */
export function contractSourceOf(contract: Pick<ContractVersion, 'id' | 'version'>): string {
  return `contract:${contract.id}@${contract.version}`;
}
