import { rateEvidence } from '../rating/rate-evidence.ts';
import type { Evidence } from './evidence.ts';
import type { Invoice } from './invoice.ts';

/** A line whose cents differ; null where the line is missing on one side. */
export interface LineDifference {
  readonly key: string;
  readonly invoicedMinor: bigint | null;
  readonly ratedMinor: bigint | null;
}

/** Rates an invoice's evidence again and compares cent by cent. No differences mean the invoice proves itself. */
export function verifyInvoice(evidence: Evidence, invoice: Pick<Invoice, 'lines'>): LineDifference[] {
  const invoiced = new Map(invoice.lines.map((line) => [line.key, line.amountMinor]));
  const rated = new Map(rateEvidence(evidence).lines.map((line) => [line.key, line.amountMinor]));
  return [...new Set([...invoiced.keys(), ...rated.keys()])]
    .map((key) => ({ key, invoicedMinor: invoiced.get(key) ?? null, ratedMinor: rated.get(key) ?? null }))
    .filter((line) => line.invoicedMinor !== line.ratedMinor);
}
