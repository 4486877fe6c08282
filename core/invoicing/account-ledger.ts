import type { InvoiceId, SubscriptionId } from '../ids.ts';
import type { Conversion } from '../money/conversion.ts';
import type { Currency } from '../money/currency.ts';
import type { BillingPeriod } from '../time/billing-period.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import type { Invoice, InvoiceLine, InvoicePurpose } from './invoice.ts';

/**
 * What has been billed to one account, by billing period and line key: the measure of every adjustment. It only grows, and
 * only inside the transaction that issues an invoice. Its head carries a sequence that every issue moves by one; a draft
 * names the sequence it was rated against and is issued against no other, so no two invoices can both bill one difference.
 */
export interface LedgerHead {
  /** Invoices issued to this account so far; 0 when there is none. */
  readonly sequence: number;
  /** Billed periods, the most recently billed last; those that `isKept` lets go no longer take adjustments. */
  readonly periods: readonly BilledPeriod[];
  /** When a run looks at the account again should no invoice come before (account-look.ts); absent when nothing can turn up. */
  readonly lookAt?: Instant | undefined;
}

export interface BilledPeriod extends BillingPeriod {
  /** Regular invoices issued for this period; 0 while only fees in advance of it are billed. */
  readonly invoices: number;
  /** Opening and closing invoices issued for this period; absent for none. */
  readonly openings?: number | undefined;
  readonly closings?: number | undefined;
  /** A credit of this period did not fit on the last invoice, or it is `overtaken`; the next one looks at the period again. */
  readonly isCreditLeft: boolean;
  /** When the period was last looked at again, as a number that rises with every look at the account; absent when never. */
  readonly lookedAt?: number | undefined;
  /** How many corrections of prices there were (`Prices.corrections`) when the period was last rated; 0 when absent. */
  readonly corrections?: number | undefined;
}

/**
 * What one invoice billed of one period: its own, an earlier one that it adjusted (then the lines are differences), or the next
 * one's fees in advance.
 */
export interface BilledEntry {
  readonly period: string;
  readonly invoice: InvoiceId;
  /** The services whose period this bills; none on an adjustment, nor for fees in advance, which the period's own invoice settles. */
  readonly services: readonly BilledService[];
  /** The lines as invoiced, without their explanations. */
  readonly lines: readonly InvoiceLine[];
}

/** A subscription's part of a period with the price version it was rated with: all that is needed to rate it again. */
export interface BilledService {
  readonly subscription: SubscriptionId;
  readonly plan: string;
  readonly planVersion: number;
  readonly start: Instant;
  readonly end: Instant;
  /** The phase of the subscription, part of the keys of its lines from 2 on; 1 when absent. */
  readonly phase?: number | undefined;
  /** All parts of the period in which the subscription bills, where this is one of several. */
  readonly running?: readonly { readonly start: Instant; readonly end: Instant }[] | undefined;
  /** The span whose days fees and allowances were counted for, where it is not the service. */
  readonly share?: { readonly start: Instant; readonly end: Instant } | undefined;
  /** The contract that priced it; none when absent. */
  readonly contract?: { readonly id: string; readonly version: number } | undefined;
  /**
   * The versions of the project's price lists, in all currencies the customer is billed in, that said which of its
   * subscriptions bills what no plan prices; absent where there was none in the account's currency.
   */
  readonly priceLists?: Readonly<Partial<Record<Currency, number>>> | undefined;
  /** The rate its prices were converted to the account's currency at; not converted when absent. */
  readonly conversion?: Conversion | undefined;
}

/** Three years of months: far beyond the oldest usage that is still accepted. */
const KEPT_PERIODS = 36;
/** Shorter periods are kept as long as usage of their time is reported: 400 days, at most 75 KB of the head's item. */
const KEPT_MILLIS = 400 * 86_400_000;

export const EMPTY_LEDGER: LedgerHead = { sequence: 0, periods: [] };

/**
 * What an invoice adds to the ledger: an entry for its own period, and one for every other period that it adjusted or billed in
 * advance. `services` are those of its own period.
 */
export function ledgerEntries(
  invoice: { readonly id: InvoiceId; readonly period: BillingPeriod; readonly lines: readonly InvoiceLine[] },
  services: readonly BilledService[],
): readonly BilledEntry[] {
  const byPeriod = new Map<string, InvoiceLine[]>([[invoice.period.key, []]]);
  for (const line of invoice.lines) {
    const period = line.adjusts?.period ?? line.servicePeriod.period;
    byPeriod.set(period, [...(byPeriod.get(period) ?? []), { ...line, steps: [] }]);
  }
  return [...byPeriod].map(([period, lines]) => ({
    period,
    invoice: invoice.id,
    services: period === invoice.period.key ? services : [],
    lines,
  }));
}

/** How many invoices of a purpose were issued for a period; the ordinal of the next one is one more. */
export function issuedFor(head: LedgerHead, period: string, purpose: InvoicePurpose): number {
  const billed = head.periods.find(({ key }) => key === period);
  if (purpose === 'period') return billed?.invoices ?? 0;
  return (purpose === 'opening' ? billed?.openings : billed?.closings) ?? 0;
}

/**
 * The head after an invoice that looked at the periods `adjusted` again. A period stays marked while a credit of it is left.
 * `corrections` is how many corrections of prices there were.
 */
export function movedHead(
  head: LedgerHead,
  invoice: Pick<Invoice, 'period' | 'purpose' | 'lines'>,
  adjusted: readonly string[],
  corrections = 0,
): LedgerHead {
  const { period, purpose, lines } = invoice;
  const seen = corrections === 0 ? {} : { corrections };
  const { key, start, end, timeZone } = period;
  const lookedAt = Math.max(head.sequence, ...head.periods.map((billed) => billed.lookedAt ?? 0)) + 1;
  const looked = head.periods.map((billed) =>
    adjusted.includes(billed.key)
      ? { ...billed, isCreditLeft: isCreditLeft(lines, billed.key), lookedAt, ...seen }
      : billed,
  );
  const before = looked.find((billed) => billed.key === key) ?? {
    ...{ key, start, end, timeZone },
    invoices: 0,
    isCreditLeft: false,
  };
  const others = looked.filter((billed) => billed.key !== key);
  const own: BilledPeriod = {
    ...before,
    ...COUNTED[purpose](before),
    ...(purpose === 'period' && {
      ...seen,
      isCreditLeft: isCreditLeft(lines, key) || lines.some((line) => line.carriedMinor < 0n && isOf(line, key)),
    }),
  };
  // A closing invoice is about a period of the past, which keeps its place.
  const periods =
    purpose === 'closing' && others.length < looked.length
      ? looked.map((billed) => (billed.key === key ? own : billed))
      : [...others, own];
  return { sequence: head.sequence + 1, periods: periods.filter(isKept) };
}

/**
 * The head with every other period marked that the invoice's own services reach back into and the price list billed: which
 * meters no plan prices in that time is only known now that these are billed. So a subscription of a longer interval, or one
 * begun in the past, never prices again what the list has billed.
 */
export function overtaken(
  head: LedgerHead,
  ownPeriod: string,
  services: readonly Pick<BilledService, 'start' | 'end' | 'priceLists'>[],
): LedgerHead {
  const reaching = services.filter(({ priceLists }) => priceLists !== undefined);
  if (reaching.length === 0) return head;
  const periods = head.periods.map((period) => {
    const isReached = reaching.some(({ start, end }) => start < period.end && period.start < end);
    return isReached && period.key !== ownPeriod && period.invoices > 0 ? { ...period, isCreditLeft: true } : period;
  });
  return { ...head, periods };
}

/** Measured from the newest period that has closed: an opening may be that of a year to come. */
function isKept(period: BilledPeriod, index: number, periods: readonly BilledPeriod[]): boolean {
  const newest = periods.findLast(({ invoices }) => invoices > 0)?.end ?? period.end;
  return index >= periods.length - KEPT_PERIODS || millisOf(period.end) > millisOf(newest) - KEPT_MILLIS;
}

const COUNTED: Readonly<Record<InvoicePurpose, (before: BilledPeriod) => Partial<BilledPeriod>>> = {
  period: ({ invoices }) => ({ invoices: invoices + 1 }),
  opening: ({ openings = 0 }) => ({ openings: openings + 1 }),
  closing: ({ closings = 0 }) => ({ closings: closings + 1 }),
};

function isOf(line: InvoiceLine, period: string): boolean {
  return line.adjusts === undefined && line.servicePeriod.period === period;
}

function isCreditLeft(lines: readonly InvoiceLine[], period: string): boolean {
  return lines.some((line) => line.adjusts?.period === period && heldBack(line) !== 0n);
}

/** Minor units of a line's credit that did not fit on the invoice; at least 0. */
function heldBack({ adjusts, amountMinor, carriedMinor }: InvoiceLine): bigint {
  if (adjusts === undefined) return -carriedMinor;
  return amountMinor - (adjusts.currentAmountMinor - adjusts.previousAmountMinor);
}

/** Minor units that an invoice with these lines still owes the customer; at least 0. */
export function creditLeft(lines: readonly InvoiceLine[]): bigint {
  return lines.reduce((sum, line) => sum + heldBack(line), 0n);
}
