import { invariantBroken } from '../errors.ts';
import { deriveInvoiceId, type InvoiceId } from '../ids.ts';
import type { Instant } from '../time/instant.ts';
import type { EvidenceReference, Invoice, InvoiceLine } from './invoice.ts';

/** What an invoice is for: the parts its id derives from, and what they belong to. */
export type InvoiceSubject = Pick<
  Invoice,
  'project' | 'customer' | 'account' | 'currency' | 'period' | 'purpose' | 'ordinal'
>;

export interface DraftInput {
  readonly subject: InvoiceSubject;
  /** Rated lines of the period, then adjustments of earlier ones: what `rateEvidence` returned. */
  readonly lines: readonly InvoiceLine[];
  readonly evidence: EvidenceReference;
  readonly draftedAt: Instant;
}

/** The id of the invoice of a subject; the same subject always has the same id. */
export function invoiceIdOf({ project, account, period, purpose, ordinal }: InvoiceSubject): InvoiceId {
  return deriveInvoiceId({ project, account, period: period.key, purpose, ordinal });
}

/**
 * Drafts an invoice: pure, so that drafting twice gives the same draft. The total is the sum of the lines, always, and
 * never below zero for lines from `rateEvidence`. Throws `invariant-broken` (code `line_key_repeated`).
 */
export function draftInvoice({ subject, lines, evidence, draftedAt }: DraftInput): Invoice {
  const keys = new Set<string>();
  let totalMinor = 0n;
  for (const line of lines) {
    if (keys.has(line.key)) {
      throw invariantBroken('line_key_repeated', `Got two lines with the key ${line.key} on one invoice.`);
    }
    keys.add(line.key);
    totalMinor += line.amountMinor;
  }
  const { project, customer, account, currency, period, purpose, ordinal } = subject;
  return {
    id: invoiceIdOf(subject),
    project,
    customer,
    account,
    currency,
    period,
    purpose,
    ordinal,
    status: 'draft',
    number: null,
    lines,
    totalMinor,
    draftedAt,
    issuedAt: null,
    dueAt: null,
    evidence,
  };
}
