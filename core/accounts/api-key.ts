import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { base32, type ProjectId } from '../ids.ts';
import type { Instant } from '../time/instant.ts';

/**
 * API keys: `ck_<mode>_<project>_<id>_<secret>_<checksum>`. Project and id, in the key itself, are where its record lies; the
 * checksum refuses typing errors and truncation before anything is read; the secret has 256 bits. The key is shown once.
 * What is stored is HMAC-SHA256(pepper, whole key), so a stolen table opens nothing.
 */
export const SCOPES = ['ingest', 'read', 'write', 'billing', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];
export type KeyMode = 'live' | 'test';

export interface ApiKeyParts {
  readonly mode: KeyMode;
  readonly project: ProjectId;
  readonly id: string;
}

/** What is stored of a key. Nothing in it lets anybody call the API. */
export interface ApiKeyRecord extends ApiKeyParts {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** HMAC-SHA256 of the whole key in hex. */
  readonly hash: string;
  readonly createdAt: Instant;
  /** From this instant on the key is refused; null means never. A rotated key keeps working until here. */
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
  /** The key that replaces this one, once rotated. */
  readonly rotatedTo: string | null;
}

/** `length` random bytes from a cryptographic source. */
export type RandomBytes = (length: number) => Uint8Array;

const ID_LENGTH = 12;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const KEY_PATTERN = /^ck_(live|test)_([a-z0-9]{1,24})_([0-9a-hjkmnp-tv-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new key's text and its parts. The text is to be shown once and then forgotten. */
export function newApiKey(
  input: { project: ProjectId; mode: KeyMode },
  random: RandomBytes,
): ApiKeyParts & { readonly key: string } {
  const id = base32(random(8), ID_LENGTH);
  const body = `ck_${input.mode}_${input.project.slice('prj_'.length)}_${id}_${base62(random(32), SECRET_LENGTH)}`;
  return { ...input, id, key: `${body}_${checksumOf(body)}` };
}

/** Where the record of a key lies, or null when the text is not a key: wrong form or wrong checksum. Reads nothing. */
export function parseApiKey(text: string): ApiKeyParts | null {
  const match = KEY_PATTERN.exec(text);
  if (!match) return null;
  const [, mode, project, id, , checksum] = match;
  if (checksumOf(text.slice(0, -CHECKSUM_LENGTH - 1)) !== checksum) return null;
  return { mode: mode as KeyMode, project: `prj_${project}` as ProjectId, id: id ?? '' };
}

export function hashApiKey(key: string, pepper: string): string {
  return createHmac('sha256', pepper).update(key).digest('hex');
}

/** Whether the key is the one the record was made for; takes the same time wherever the difference lies. */
export function isKeyOf(key: string, record: ApiKeyRecord, pepper: string): boolean {
  const given = Buffer.from(hashApiKey(key, pepper), 'hex');
  const stored = Buffer.from(record.hash, 'hex');
  return given.length === stored.length && timingSafeEqual(given, stored);
}

/** `admin` opens everything; any other scope opens itself. */
export function hasScope(record: Pick<ApiKeyRecord, 'scopes'>, scope: Scope): boolean {
  return record.scopes.includes(scope) || record.scopes.includes('admin');
}

export type KeyState = 'valid' | 'revoked' | 'expired';

export function keyStateAt(record: ApiKeyRecord, now: Instant): KeyState {
  if (record.revokedAt !== null && record.revokedAt <= now) return 'revoked';
  return record.expiresAt !== null && record.expiresAt <= now ? 'expired' : 'valid';
}

/** Six base62 digits of the CRC-32 of everything before them. */
function checksumOf(body: string): string {
  let value = crc32(body);
  let text = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    text = BASE62[value % 62] + text;
    value = Math.floor(value / 62);
  }
  return text;
}

function base62(bytes: Uint8Array, length: number): string {
  let value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = '';
  while (text.length < length) {
    text = BASE62[Number(value % 62n)] + text;
    value /= 62n;
  }
  return text;
}
