import { conflict, invalid, notFound } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import {
  type ApiKeyRecord,
  hashApiKey,
  type KeyMode,
  keyStateAt,
  newApiKey,
  type RandomBytes,
  SCOPES,
  type Scope,
} from './api-key.ts';
import type { ApiKeyStore } from './ports.ts';

export interface ApiKeyDeps {
  readonly keys: ApiKeyStore;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly pepper: () => Promise<string>;
}

/** A key as it is shown exactly once: the record and the text. */
export interface CreatedApiKey {
  readonly key: string;
  readonly record: ApiKeyRecord;
}

export interface CreateApiKeyInput {
  readonly project: ProjectId;
  readonly mode: KeyMode;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Instant | null;
}

/** Makes a key and stores its hash. Throws `scopes_invalid` or `expires_at_invalid`. */
export async function createApiKey(input: CreateApiKeyInput, deps: ApiKeyDeps): Promise<CreatedApiKey> {
  const now = deps.clock.now();
  const scopes = scopesOf(input.scopes);
  if (input.expiresAt !== null && input.expiresAt <= now) {
    throw invalid('expires_at_invalid', `Got expires_at ${input.expiresAt}; expected a time after now (${now}).`);
  }
  const created = await recordOf({ ...input, scopes }, now, deps);
  await deps.keys.create(created.record);
  return created;
}

/** The longest time an old key may live on beside its successor, in hours: 30 days. */
const MAX_OVERLAP_HOURS = 720;

/**
 * Replaces a key: a new one with the same name, scopes and mode, while the old one works for `overlapHours` (0 to 720) more.
 * Throws `api_key_not_found`, `api_key_not_active` (revoked, expired or already rotated) or `overlap_invalid`.
 */
export async function rotateApiKey(
  input: { project: ProjectId; id: string; overlapHours: number },
  deps: ApiKeyDeps,
): Promise<CreatedApiKey & { readonly replaced: ApiKeyRecord }> {
  const { project, id, overlapHours } = input;
  if (!Number.isInteger(overlapHours) || overlapHours < 0 || overlapHours > MAX_OVERLAP_HOURS) {
    throw invalid('overlap_invalid', `Got overlap_hours ${overlapHours}; expected a whole number from 0 to 720.`);
  }
  const old = await deps.keys.find(project, id, 'fresh');
  if (!old) throw notFound('api_key_not_found', `No API key ${id} in this project.`);
  const now = deps.clock.now();
  if (keyStateAt(old, now) !== 'valid' || old.rotatedTo !== null) {
    throw conflict('api_key_not_active', `API key ${id} is revoked, expired or already rotated; create a new key.`);
  }
  const overlapEnd = instantFromMillis(millisOf(now) + overlapHours * 3_600_000);
  const expiresAt = old.expiresAt !== null && old.expiresAt < overlapEnd ? old.expiresAt : overlapEnd;
  const { mode, name, scopes } = old;
  const created = await recordOf({ project, mode, name, scopes, expiresAt: null }, now, deps);
  await deps.keys.rotate(old, expiresAt, created.record);
  return { ...created, replaced: { ...old, expiresAt, rotatedTo: created.record.id } };
}

/** Revokes a key at once, and for good; repeating it changes nothing. Throws `api_key_not_found`. */
export async function revokeApiKey(
  input: { project: ProjectId; id: string },
  deps: Pick<ApiKeyDeps, 'keys' | 'clock'>,
): Promise<ApiKeyRecord> {
  const record = await deps.keys.revoke(input.project, input.id, deps.clock.now());
  if (!record) throw notFound('api_key_not_found', `No API key ${input.id} in this project.`);
  return record;
}

async function recordOf(
  input: Omit<CreateApiKeyInput, 'scopes'> & { scopes: readonly Scope[] },
  now: Instant,
  deps: Pick<ApiKeyDeps, 'random' | 'pepper'>,
): Promise<CreatedApiKey> {
  const { key, ...parts } = newApiKey({ project: input.project, mode: input.mode }, deps.random);
  const record: ApiKeyRecord = {
    ...parts,
    name: input.name,
    scopes: input.scopes,
    hash: hashApiKey(key, await deps.pepper()),
    createdAt: now,
    expiresAt: input.expiresAt,
    revokedAt: null,
    rotatedTo: null,
  };
  return { key, record };
}

function scopesOf(given: readonly string[]): readonly Scope[] {
  const scopes = SCOPES.filter((scope) => given.includes(scope));
  if (scopes.length === 0 || given.some((scope) => !SCOPES.some((known) => known === scope))) {
    throw invalid(
      'scopes_invalid',
      `Got scopes ${JSON.stringify(given)}; expected one or more of ${SCOPES.join(', ')}.`,
    );
  }
  return scopes;
}
