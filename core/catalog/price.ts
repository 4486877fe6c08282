import * as z from 'zod';
import { decimalSchema, positiveSchema, priceSchema } from '../money/decimal-schema.ts';
import { propertyNameSchema, propertyValueSchema } from './key.ts';

/**
 * The price models. Amounts are decimal strings in major units of the plan's currency ("0.0000025" dollars); quantities are
 * decimal strings; rates are decimal strings in percent ("1.5" is 1.5 %). How each one is computed, below zero too, is
 * written in the file of core/rating/charge-models that bears its name.
 */
export interface PerUnitPrice {
  readonly model: 'per_unit';
  readonly unitPrice: string;
}

/** One tier holds the quantities `(previous upTo, upTo]`; the last one has `upTo: null` and no end. */
export interface Tier {
  readonly upTo: string | null;
  readonly unitPrice: string;
  /** Due once when the tier is entered (graduated) or reached (volume). Never prorated. */
  readonly flatAmount?: string | undefined;
}

export interface GraduatedPrice {
  readonly model: 'graduated';
  readonly tiers: readonly Tier[];
  /** The first tier's flat amount is due at zero usage too; it is not when absent. */
  readonly flatAtZero?: boolean | undefined;
}

export interface VolumePrice {
  readonly model: 'volume';
  readonly tiers: readonly Tier[];
  readonly flatAtZero?: boolean | undefined;
}

export interface StairstepTier {
  readonly upTo: string | null;
  /** The whole price of any quantity in the tier. */
  readonly flatAmount: string;
}

export interface StairstepPrice {
  readonly model: 'stairstep';
  readonly tiers: readonly StairstepTier[];
  readonly flatAtZero?: boolean | undefined;
}

/** Whole packages: a package that is begun is due. Free units before the first package are the charge's `allowance`. */
export interface PackagePrice {
  readonly model: 'package';
  readonly packageSize: string;
  readonly packagePrice: string;
}

/** A share of money that moved. All but the rate look at single transactions and need a meter that keeps them. */
export interface PercentagePrice {
  readonly model: 'percentage';
  /** Percent. */
  readonly rate: string;
  /** Per transaction that is not free and not below zero. */
  readonly fixedFee?: string | undefined;
  /** How many of the earliest transactions are free; with `freeAmount` a transaction is free only while both last. Not prorated. */
  readonly freeEvents?: number | undefined;
  /** How much of the earliest transactions' amount is free. Not prorated. */
  readonly freeAmount?: string | undefined;
  /** The least and the most that one transaction costs, fee included; a free one costs nothing. */
  readonly transactionMinimum?: string | undefined;
  readonly transactionMaximum?: string | undefined;
}

export interface PercentageTier {
  readonly upTo: string | null;
  /** Percent. */
  readonly rate: string;
  readonly flatAmount?: string | undefined;
}

/** Graduated over a monetary quantity. */
export interface GraduatedPercentagePrice {
  readonly model: 'graduated_percentage';
  readonly tiers: readonly PercentageTier[];
  readonly flatAtZero?: boolean | undefined;
}

/** The events bring their own price: the quantity is money already. */
export interface DynamicPrice {
  readonly model: 'dynamic';
  /** 1 when absent. */
  readonly multiplier?: string | undefined;
}

export interface MatrixEntry {
  /** Dimension to value, at least one; usage belongs to the entry that matches it with the most dimensions. */
  readonly match: Readonly<Record<string, string>>;
  readonly unitPrice: string;
}

export interface MatrixPrice {
  readonly model: 'matrix';
  /** The dimensions that entries may name; all of them dimensions of the meter. */
  readonly dimensions: readonly string[];
  readonly prices: readonly MatrixEntry[];
  /** What all other usage costs. */
  readonly defaultUnitPrice: string;
}

export type Price =
  | PerUnitPrice
  | GraduatedPrice
  | VolumePrice
  | StairstepPrice
  | PackagePrice
  | PercentagePrice
  | GraduatedPercentagePrice
  | DynamicPrice
  | MatrixPrice;
export type PriceModel = Price['model'];

/** What a percentage price asks of single transactions, in the order of its fields. */
export const TRANSACTION_FIELDS = [
  'fixedFee',
  'freeEvents',
  'freeAmount',
  'transactionMinimum',
  'transactionMaximum',
] as const satisfies readonly (keyof PercentagePrice)[];

/** Whether the price looks at single transactions; such a price takes no allowance and no share of an envelope. */
export function isPricedByTransaction(price: Price): boolean {
  return price.model === 'percentage' && TRANSACTION_FIELDS.some((field) => price[field] !== undefined);
}

export const upToSchema = z.union([decimalSchema, z.null()], {
  error: 'expected a decimal string such as "1000", or null in the last tier',
});
const tiersOf = <T extends z.ZodRawShape>(shape: T) =>
  z
    .array(z.strictObject({ upTo: upToSchema, ...shape }))
    .min(1)
    .max(100);
const flatAtZero = z.boolean().optional();
const unitTiers = tiersOf({ unitPrice: priceSchema, flatAmount: priceSchema.optional() });

export const priceSchemaByModel = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('per_unit'), unitPrice: priceSchema }),
  z.strictObject({ model: z.literal('graduated'), tiers: unitTiers, flatAtZero }),
  z.strictObject({ model: z.literal('volume'), tiers: unitTiers, flatAtZero }),
  z.strictObject({ model: z.literal('stairstep'), tiers: tiersOf({ flatAmount: priceSchema }), flatAtZero }),
  z.strictObject({ model: z.literal('package'), packageSize: positiveSchema, packagePrice: priceSchema }),
  z.strictObject({
    model: z.literal('percentage'),
    rate: priceSchema,
    fixedFee: priceSchema.optional(),
    freeEvents: z.int().min(1).max(1_000_000_000).optional(),
    freeAmount: positiveSchema.optional(),
    transactionMinimum: priceSchema.optional(),
    transactionMaximum: priceSchema.optional(),
  }),
  z.strictObject({
    model: z.literal('graduated_percentage'),
    tiers: tiersOf({ rate: priceSchema, flatAmount: priceSchema.optional() }),
    flatAtZero,
  }),
  z.strictObject({ model: z.literal('dynamic'), multiplier: priceSchema.optional() }),
  z.strictObject({
    model: z.literal('matrix'),
    dimensions: z.array(propertyNameSchema).min(1).max(8),
    prices: z
      .array(z.strictObject({ match: z.record(propertyNameSchema, propertyValueSchema), unitPrice: priceSchema }))
      .min(1)
      .max(200),
    defaultUnitPrice: priceSchema,
  }),
]) satisfies z.ZodType<Price>;
