import { createHash } from 'node:crypto';
import { canonicalJson, type JsonOf } from '../canonical-json.ts';
import { invariantBroken } from '../errors.ts';
import type { InvoiceId } from '../ids.ts';
import type { RatingInput } from '../rating/rate.ts';
import type { Instant } from '../time/instant.ts';
import type { UsageSlice, ViewPosition } from '../usage/usage-snapshot.ts';
import type { InvoiceSubject } from './draft-invoice.ts';
import type { EvidenceReference, InvoiceLine } from './invoice.ts';
import { invoiceLineFromJson } from './invoice-json.ts';

/** One subscription's service period: all that rating saw, and the places in the usage log the quantities were read at. */
export interface RatedService {
  readonly input: RatingInput;
  readonly views: readonly ViewPosition[];
}

/** An earlier period rated again: its services as they stand now, and every line billed for it so far. */
export interface EarlierPeriod {
  readonly period: string;
  readonly services: readonly RatedService[];
  readonly billed: readonly InvoiceLine[];
}

/**
 * The proof of an invoice, frozen before it is drafted: the lines are a pure function of it (`rateEvidence`), so rating it
 * again at any time gives the same cents. Quantities, prices and meters are copies; view positions prove the quantities
 * against the log. `codeVersion` names the code that rated it first.
 */
export interface Evidence {
  readonly format: 1;
  readonly invoice: InvoiceId;
  readonly subject: InvoiceSubject;
  readonly codeVersion: string;
  readonly services: readonly RatedService[];
  readonly earlier: readonly EarlierPeriod[];
  /** Trials and pauses since what was billed before, with the usage in them: it bills nothing and is reported. */
  readonly idle?: readonly IdleUsage[] | undefined;
}

export interface IdleUsage {
  readonly start: Instant;
  readonly end: Instant;
  readonly slices: readonly UsageSlice[];
}

export interface FrozenEvidence {
  /** Canonical JSON, what is stored. */
  readonly text: string;
  readonly reference: EvidenceReference;
}

/** The stored text of the evidence and its content address. The same evidence has the same address, so storing it twice is one object. */
export function freezeEvidence(evidence: Evidence): FrozenEvidence {
  const text = canonicalJson(evidence);
  const sha256 = sha256Of(text);
  return { text, reference: { sha256, key: `evidence/${evidence.subject.project}/${sha256}.json.gz` } };
}

/** Reads stored evidence. Throws `invariant-broken` (code `evidence_damaged`) when it is not what the reference names. */
export function readEvidence(text: string, reference: EvidenceReference): Evidence {
  const sha256 = sha256Of(text);
  if (sha256 !== reference.sha256) {
    throw invariantBroken(
      'evidence_damaged',
      `Got evidence with SHA-256 ${sha256}; the invoice names ${reference.sha256}.`,
    );
  }
  const json = JSON.parse(text) as JsonOf<Evidence>;
  if (json.format !== 1)
    throw invariantBroken('evidence_damaged', `Got evidence of format ${json.format}; expected 1.`);
  return {
    ...json,
    earlier: json.earlier.map((earlier) => ({ ...earlier, billed: earlier.billed.map(invoiceLineFromJson) })),
  };
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
