import { canonicalJson, type JsonOf } from '../canonical-json.ts';
import type { BilledEntry } from './account-ledger.ts';
import type { DraftBasis } from './draft-basis.ts';
import { invoiceLineFromJson } from './invoice-json.ts';

/** A basis as stored; equal bases have equal texts. */
export function basisToJson(basis: DraftBasis): string {
  return canonicalJson(basis);
}

export function basisFromJson(text: string): DraftBasis {
  const json = JSON.parse(text) as JsonOf<DraftBasis>;
  return { ...json, entries: json.entries.map(entryOf) } as DraftBasis;
}

export function billedEntryToJson(entry: BilledEntry): string {
  return canonicalJson(entry);
}

export function billedEntryFromJson(text: string): BilledEntry {
  return entryOf(JSON.parse(text) as JsonOf<BilledEntry>);
}

function entryOf(json: JsonOf<BilledEntry>): BilledEntry {
  return { ...json, lines: json.lines.map(invoiceLineFromJson) } as BilledEntry;
}
