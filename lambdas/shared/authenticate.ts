import {
  type ApiKeyRecord,
  hasScope,
  isKeyOf,
  keyStateAt,
  parseApiKey,
  type Scope,
} from '../../core/accounts/api-key.ts';
import type { ApiKeyStore } from '../../core/accounts/ports.ts';
import { BillingError } from '../../core/errors.ts';
import type { ProjectId } from '../../core/ids.ts';
import type { Clock } from '../../core/time/clock.ts';
import { millisOf } from '../../core/time/instant.ts';
import { type BodySource, headerOf } from './body.ts';

/** Who is calling. The credential alone decides the project. */
export interface Principal {
  readonly project: ProjectId;
  readonly mode: 'live' | 'test';
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

export interface AuthenticateDeps {
  readonly keys: Pick<ApiKeyStore, 'find'>;
  readonly pepper: () => Promise<string>;
  readonly clock: Clock;
}

/** Checks the credential of a request and that it opens `scope`. Throws `forbidden` errors (401 or 403), each with its code. */
export type Authenticate = (request: Pick<BodySource, 'headers'>, scope: Scope) => Promise<Principal>;

/** How long a verified key is trusted without another read, in milliseconds: so long may a revoked key live on. */
export const KEY_CACHE_MILLIS = 30_000;
const KEYS_CACHED = 1_000;

interface Cached {
  readonly record: ApiKeyRecord;
  readonly readAt: number;
}

/**
 * An authenticator with its own cache of verified keys, by the whole key's record. Form and checksum are looked at before
 * anything is read; a key that is unknown or does not match is read once more, strongly consistent, before it is refused.
 */
export function authenticator(deps: AuthenticateDeps): Authenticate {
  const verified = new Map<string, Cached>();

  return async (request, scope) => {
    const key = credentialOf(request);
    const now = deps.clock.now();
    const millis = millisOf(now);
    let cached = verified.get(key);
    if (cached === undefined || millis - cached.readAt >= KEY_CACHE_MILLIS || millis < cached.readAt) {
      cached = { record: await readRecord(key, deps), readAt: millis };
      if (verified.size >= KEYS_CACHED) verified.clear();
      verified.set(key, cached);
    }
    const { record } = cached;
    const state = keyStateAt(record, now);
    if (state === 'revoked') throw refused('api_key_revoked', 'This API key was revoked. Use another key.');
    if (state === 'expired')
      throw refused('api_key_expired', `This API key expired at ${record.expiresAt}. Use another key.`);
    if (!hasScope(record, scope)) throw scopeMissing(record, scope);
    return { project: record.project, mode: record.mode, keyId: record.id, scopes: record.scopes };
  };
}

async function readRecord(key: string, deps: AuthenticateDeps): Promise<ApiKeyRecord> {
  const parts = parseApiKey(key);
  if (!parts) {
    throw refused(
      'api_key_invalid',
      'The API key is not one: its form or checksum is wrong. Copy the whole key again.',
    );
  }
  const pepper = await deps.pepper();
  const record = await deps.keys.find(parts.project, parts.id);
  if (record && isKeyOf(key, record, pepper)) return record;
  const fresh = await deps.keys.find(parts.project, parts.id, 'fresh');
  if (fresh && isKeyOf(key, fresh, pepper)) return fresh;
  throw refused('api_key_invalid', 'No such API key. Check the key and the deployment it is sent to.');
}

function credentialOf(request: Pick<BodySource, 'headers'>): string {
  const authorization = headerOf(request, 'authorization');
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (authorization !== undefined && bearer === undefined) {
    throw refused(
      'api_key_invalid',
      'Got an Authorization header of another form; expected "Authorization: Bearer <API key>".',
    );
  }
  const key = bearer ?? headerOf(request, 'x-api-key')?.trim();
  if (!key) {
    throw refused('api_key_missing', 'No API key. Send "Authorization: Bearer <API key>" or "x-api-key: <API key>".');
  }
  return key;
}

function refused(code: string, message: string): BillingError {
  return new BillingError({ kind: 'forbidden', code, message });
}

function scopeMissing(record: ApiKeyRecord, scope: Scope): BillingError {
  return new BillingError({
    kind: 'forbidden',
    code: 'scope_missing',
    message: `This request needs the scope ${scope}; API key ${record.id} has ${record.scopes.join(', ')}.`,
    context: { scope },
  });
}
