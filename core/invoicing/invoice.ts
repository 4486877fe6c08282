import type { CustomerId, InvoiceId, ProjectId, SubscriptionId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import type { RoundingMode } from '../money/rounding.ts';
import type { BillingPeriod } from '../time/billing-period.ts';
import type { Instant } from '../time/instant.ts';

export type InvoiceStatus = 'draft' | 'issued' | 'paid' | 'void' | 'uncollectible';
/**
 * Why an invoice exists; part of its derived id. `period` is the regular invoice of a billing period, `opening` bills the fees in
 * advance of a subscription's first one when it begins, `closing` what turned up after an account's last subscription ended.
 */
export const INVOICE_PURPOSES = ['period', 'opening', 'closing'] as const;
export type InvoicePurpose = (typeof INVOICE_PURPOSES)[number];

/** The half-open span `[start, end)` a line bills, and the key of the billing period it lies in. */
export interface ServicePeriod {
  readonly period: string;
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * One row of a line's explanation. Rows add up: the sum of `amount` over a line's rows is the line's `exactAmount`, and each
 * row's amount is quantity x unitPrice, or flatAmount (x fraction, in a partial period). Decimals in plain notation, money in
 * major units; an amount that no decimal can hold is a fraction in lowest terms, `833/30`.
 */
export interface LineStep {
  /**
   * Stable within the line: `quantity-rounding`, `allowance`, `envelope/<key>`, `usage`, `tier-2/usage`, `tier-2/flat`,
   * `packages`, `price-2/usage` and `default/usage` (matrix), `free`, `fixed-fee`, `transaction-minimum`,
   * `transaction-maximum`, `carried`, `minimum`, `maximum`, `discount`, `fee`, `commitment`, `billed`, `conversion`.
   */
  readonly key: string;
  readonly label: string;
  /** Quantities above this ... */
  readonly from: string | null;
  /** ... up to and including this; null where there is no end or no range. */
  readonly to: string | null;
  readonly quantity: string | null;
  readonly unitPrice: string | null;
  readonly flatAmount: string | null;
  /** Days billed of days in the full period, such as `17/30`, where the row is prorated. */
  readonly fraction: string | null;
  readonly amount: string;
}

export interface InvoiceLine {
  /**
   * Stable and unique on an invoice: `<subscription>/<charge>/usage`, `.../fixed`, `<subscription>/phase-<n>/...` after a change,
   * `<subscription>/commitment/true-up` or `.../overage`, `<subscription>/list/...` by the price list, `<line key>/adjusts/<period>`.
   */
  readonly key: string;
  readonly kind: 'usage' | 'fixed' | 'commitment' | 'adjustment';
  readonly description: string;
  readonly subscription: SubscriptionId;
  readonly charge: string;
  readonly meter: string | null;
  readonly servicePeriod: ServicePeriod;
  /** The whole metered quantity, allowance included; "1" for a fixed fee. */
  readonly quantity: string;
  readonly allowanceUsed: string;
  readonly unit: string | null;
  readonly steps: readonly LineStep[];
  /** Major units before rounding, a decimal or a fraction in lowest terms. */
  readonly exactAmount: string;
  readonly rounding: RoundingMode;
  /** Minor units: `exactAmount` rounded once. */
  readonly amountMinor: bigint;
  /** Minor units, at most 0: what a negative quantity left over, credited by an adjustment line of a later invoice. */
  readonly carriedMinor: bigint;
  /** Where the price comes from: `<plan>@<version>`, `contract:<id>@<version>` or `price-list:<currency>@<version>`. */
  readonly priceVersion: string;
  /** Only on an adjustment: the earlier line it corrects, and what was billed for it before and is right now. */
  readonly adjusts?: Adjusts | undefined;
}

export interface Adjusts {
  /** Key of the billing period of the corrected line. */
  readonly period: string;
  readonly line: string;
  readonly previousAmountMinor: bigint;
  readonly currentAmountMinor: bigint;
}

/** Where the invoice's frozen evidence lies: the SHA-256 (hex) of its canonical JSON and the key of the object that holds it. */
export interface EvidenceReference {
  readonly sha256: string;
  readonly key: string;
}

/** Frozen once issued. Its id derives from billing account, period, purpose and ordinal. */
export interface Invoice {
  readonly id: InvoiceId;
  readonly project: ProjectId;
  readonly customer: CustomerId;
  /** Billing account: `<customer>/<currency>`. */
  readonly account: string;
  readonly period: BillingPeriod;
  readonly purpose: InvoicePurpose;
  /** 0, 1, 2 ... within account, period and purpose. */
  readonly ordinal: number;
  readonly currency: Currency;
  readonly status: InvoiceStatus;
  /** Given at issue, gapless per project. */
  readonly number: string | null;
  readonly lines: readonly InvoiceLine[];
  /** Minor units: the sum of the lines. Below 0 when adjustments credit more than the period bills. */
  readonly totalMinor: bigint;
  readonly draftedAt: Instant;
  readonly issuedAt: Instant | null;
  readonly dueAt: Instant | null;
  readonly evidence: EvidenceReference;
}
