import { hash } from 'node:crypto';
import type { ProjectId } from '../ids.ts';
import type { UsageEvent } from './usage-event.ts';

/**
 * What makes an event the same event, and what makes it say the same thing.
 *
 * The fingerprint is 128 bits of SHA-256 over project, customer, source and id, and no time: a retry that stamps a new time
 * is still the same event. The digest is 48 bits over type, customer and sorted properties (same fingerprint, other digest:
 * a conflict) and 16 bits over the time (same content, other time: a retimed duplicate). Parts are joined by NUL, which no
 * id, type, key or value may contain, so different parts never join to the same text.
 */
export const FINGERPRINT_BYTES = 16;
export const DIGEST_BYTES = 8;
const CONTENT_BYTES = 6;
const TRAILING_ZEROS = /^-?\d+\.\d*0$/;

/** 16 bytes as a latin1 string: the cheapest exact map key. */
export function fingerprintOf(project: ProjectId, event: { customer: string; source: string; id: string }): string {
  return hash('sha256', `${project}\0${event.customer}\0${event.source}\0${event.id}`, 'buffer').toString(
    'latin1',
    0,
    FINGERPRINT_BYTES,
  );
}

/** The fingerprint of a message: a receipt is deduplicated like an identity. */
export function batchFingerprint(batchId: string): string {
  return hash('sha256', `batch\0${batchId}`, 'buffer').toString('latin1', 0, FINGERPRINT_BYTES);
}

/** The fingerprints that lie one after the other in a byte string of the log. */
export function fingerprintsIn(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('latin1');
  const found: string[] = [];
  for (let from = 0; from < text.length; from += FINGERPRINT_BYTES) {
    found.push(text.slice(from, from + FINGERPRINT_BYTES));
  }
  return found;
}

/** The fingerprint in hex, for keys and people. */
export function fingerprintHex(fingerprint: string): string {
  return Buffer.from(fingerprint, 'latin1').toString('hex');
}

/** `1.50` and `1.5` are the same quantity, so a resend with other trailing zeros is no conflict. */
function normalizedValue(text: string): string {
  return TRAILING_ZEROS.test(text) ? text.replace(/\.?0+$/, '') : text;
}

/** 8 bytes as a latin1 string: 6 of content, 2 of time. */
export function digestOf(event: UsageEvent): string {
  let text = `${event.type}\0${event.customer}`;
  for (const key of Object.keys(event.properties).sort()) {
    text += `\0${key}\0${normalizedValue(event.properties[key] ?? '')}`;
  }
  const content = hash('sha256', text, 'buffer').toString('latin1', 0, CONTENT_BYTES);
  return (
    content +
    hash('sha256', String(event.occurredAtMicros), 'buffer').toString('latin1', 0, DIGEST_BYTES - CONTENT_BYTES)
  );
}

export type Resend = 'duplicate' | 'retimed' | 'conflict';

/** What a resend of a known identity is, by the stored digest and its own. */
export function compareDigests(stored: string, resent: string): Resend {
  if (stored === resent) return 'duplicate';
  return stored.slice(0, CONTENT_BYTES) === resent.slice(0, CONTENT_BYTES) ? 'retimed' : 'conflict';
}
