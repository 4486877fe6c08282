import { gunzipSync } from 'node:zlib';
import { BillingError, invariantBroken, notFound } from '../errors.ts';
import type { InvoiceId, ProjectId } from '../ids.ts';
import { formatMinor } from '../money/money.ts';
import { rateEvidence } from '../rating/rate-evidence.ts';
import { type Evidence, readEvidence } from './evidence.ts';
import { CODE_VERSION } from './gather-evidence.ts';
import type { EvidenceReference, Invoice, InvoiceStatus } from './invoice.ts';
import type { EvidenceReads } from './ports.ts';
import type { InvoiceList } from './shown-invoice.ts';
import { verifyInvoice } from './verify-invoice.ts';

export interface VerifyDeps {
  readonly invoices: Pick<InvoiceList, 'find'>;
  readonly evidence: EvidenceReads;
}

/** A line as the invoice has it and as its evidence rates now; major units, null where it is missing on one side. */
export interface VerifiedLine {
  readonly key: string;
  readonly invoiced: string | null;
  readonly rated: string | null;
  readonly agrees: boolean;
}

export interface Verification {
  readonly invoice: InvoiceId;
  readonly number: string | null;
  readonly status: InvoiceStatus;
  readonly currency: string;
  readonly evidence: EvidenceReference;
  /** The version of the rating code that rated the evidence first, and of the code that rated it now. */
  readonly codeVersion: string;
  readonly ratedByCodeVersion: string;
  /** Whether all lines, and with them the total, agree to the cent. */
  readonly agrees: boolean;
  readonly total: { readonly invoiced: string; readonly rated: string };
  readonly lines: readonly VerifiedLine[];
}

/** Far beyond the evidence of any invoice; what is bigger was not written by us. */
const MAX_EVIDENCE_BYTES = 256 * 1024 * 1024;

/**
 * Reads the frozen evidence of a stored invoice, rates it again and compares cent by cent. Writes nothing. Throws
 * `invoice_not_found`, `evidence_missing` when the archive does not hand it out, or `evidence_damaged` when it is not what the
 * invoice names.
 */
export async function verifyStoredInvoice(
  { project, id }: { readonly project: ProjectId; readonly id: InvoiceId },
  deps: VerifyDeps,
): Promise<Verification> {
  const found = await deps.invoices.find(project, id);
  if (found === undefined) throw notFound('invoice_not_found', `No invoice ${id.slice(0, 64)} in this project.`);
  const { invoice } = found;
  const evidence = evidenceOf(invoice, await deps.evidence.read(invoice.evidence.key));
  return verificationOf(invoice, evidence);
}

function evidenceOf(invoice: Invoice, body: Uint8Array | null): Evidence {
  const { key } = invoice.evidence;
  if (body === null) {
    throw invariantBroken(
      'evidence_missing',
      `The archive does not hand out ${key}; look whether it is there and whether this function may read it.`,
    );
  }
  const evidence = readEvidence(unzipped(body, key), invoice.evidence);
  if (evidence.invoice === invoice.id && evidence.subject.project === invoice.project) return evidence;
  throw invariantBroken(
    'evidence_damaged',
    `Got evidence of the invoice ${evidence.invoice} under ${key}; expected that of ${invoice.id}.`,
  );
}

function unzipped(body: Uint8Array, key: string): string {
  try {
    return gunzipSync(body, { maxOutputLength: MAX_EVIDENCE_BYTES }).toString('utf8');
  } catch (cause) {
    throw new BillingError({
      kind: 'invariant-broken',
      code: 'evidence_damaged',
      message: `The evidence ${key} cannot be decompressed.`,
      cause,
    });
  }
}

function verificationOf(invoice: Invoice, evidence: Evidence): Verification {
  const { currency } = invoice;
  const differences = new Map(verifyInvoice(evidence, invoice).map((line) => [line.key, line]));
  const shown = (minor: bigint | null) => (minor === null ? null : formatMinor(minor, currency));
  const own = invoice.lines.map(({ key, amountMinor }) => {
    const { ratedMinor } = differences.get(key) ?? { ratedMinor: amountMinor };
    return { key, invoiced: shown(amountMinor), rated: shown(ratedMinor), agrees: !differences.has(key) };
  });
  const missing = [...differences.values()]
    .filter(({ invoicedMinor }) => invoicedMinor === null)
    .map(({ key, ratedMinor }) => ({ key, invoiced: null, rated: shown(ratedMinor), agrees: false }));
  const ratedMinor = rateEvidence(evidence).lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  return {
    invoice: invoice.id,
    number: invoice.number,
    status: invoice.status,
    currency,
    evidence: invoice.evidence,
    codeVersion: evidence.codeVersion,
    ratedByCodeVersion: CODE_VERSION,
    agrees: differences.size === 0,
    total: { invoiced: formatMinor(invoice.totalMinor, currency), rated: formatMinor(ratedMinor, currency) },
    lines: [...own, ...missing],
  };
}
