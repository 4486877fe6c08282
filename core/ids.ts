import { createHash } from 'node:crypto';
import { invalid } from './errors.ts';

/**
 * Ids. Each kind has a prefix and a brand, so that one kind cannot be passed for another. Things that follow from other
 * things have ids derived from them (`deriveId`), which is what makes every step of a billing run safe to repeat.
 */
type Branded<K extends string> = string & { readonly __id: K };

export type ProjectId = Branded<'project'>;
export type InvoiceId = Branded<'invoice'>;
export type SubscriptionId = Branded<'subscription'>;
export type BillingRunId = Branded<'billing-run'>;
export type JobId = Branded<'job'>;
/** The operator's own id of a customer; also where usage is counted, whether or not the customer is known yet. */
export type CustomerId = Branded<'customer'>;

const PREFIX = {
  invoice: 'inv',
  subscription: 'sub',
  'billing-run': 'run',
  event: 'evt',
  evidence: 'evd',
  key: 'key',
  job: 'job',
} as const;
export type DerivedKind = keyof typeof PREFIX;

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';

/** Crockford base 32, lower case, of the first `length` * 5 bits of `bytes`. */
export function base32(bytes: Uint8Array, length: number): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      bits -= 5;
      text += BASE32[(buffer >>> bits) & 31];
    }
    buffer &= (1 << bits) - 1;
  }
  return text;
}

/**
 * A derived id: the kind's prefix and 130 bits of SHA-256 over the parts, each preceded by its length so that
 * ('ab','c') and ('a','bc') differ. The same parts always give the same id.
 */
export function deriveId(kind: DerivedKind, ...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return `${PREFIX[kind]}_${base32(hash.digest(), 26)}`;
}

export function deriveInvoiceId(parts: {
  project: ProjectId;
  account: string;
  period: string;
  purpose: string;
  ordinal: number;
}): InvoiceId {
  return deriveId(
    'invoice',
    parts.project,
    parts.account,
    parts.period,
    parts.purpose,
    String(parts.ordinal),
  ) as InvoiceId;
}

const PROJECT_PATTERN = /^prj_[a-z0-9]{1,24}$/;

export function isProjectId(text: string): text is ProjectId {
  return PROJECT_PATTERN.test(text);
}

/** Reads a project id: `prj_` and 1 to 24 lower-case letters or digits. Throws `invalid` with code `project_id_invalid`. */
export function parseProjectId(text: string): ProjectId {
  if (!isProjectId(text)) {
    throw invalid(
      'project_id_invalid',
      `Got project id ${JSON.stringify(text.slice(0, 64))}; expected prj_ and 1 to 24 lower-case letters or digits.`,
    );
  }
  return text;
}

/**
 * External ids (customers, event ids, sources, keys of plans and subscriptions): 1 to 255 characters, no control characters,
 * nor the two noncharacters that SQS refuses in a message.
 */
export const EXTERNAL_ID_PATTERN = /^[^\p{Cc}\p{Cs}\uFFFE\uFFFF]{1,255}$/u;

export function parseCustomerId(text: string): CustomerId {
  if (!EXTERNAL_ID_PATTERN.test(text)) {
    throw invalid('customer_invalid', 'A customer id has 1 to 255 characters and no control characters.');
  }
  return text as CustomerId;
}
