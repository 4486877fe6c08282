import { describe, expect, it } from 'vitest';
import {
  type ApiKeyRecord,
  hashApiKey,
  hasScope,
  isKeyOf,
  keyStateAt,
  newApiKey,
  parseApiKey,
} from '../../../core/accounts/api-key.ts';
import type { ProjectId } from '../../../core/ids.ts';
import type { Instant } from '../../../core/time/instant.ts';

const project = 'prj_demo' as ProjectId;
const zeros = (length: number) => new Uint8Array(length);
const ones = (length: number) => new Uint8Array(length).fill(255);
const at = (text: string) => text as Instant;

const record: ApiKeyRecord = {
  project,
  mode: 'test',
  id: '000000000000',
  name: 'backend',
  scopes: ['ingest'],
  hash: '',
  createdAt: at('2026-11-01T00:00:00.000Z'),
  expiresAt: null,
  revokedAt: null,
  rotatedTo: null,
};

describe('an API key', () => {
  it('carries mode, project and id, a 43-digit secret and a checksum', () => {
    const created = newApiKey({ project, mode: 'test' }, zeros);
    expect(created.key).toMatch(/^ck_test_demo_0{12}_0{43}_[0-9A-Za-z]{6}$/);
    expect(parseApiKey(created.key)).toEqual({ project: 'prj_demo', mode: 'test', id: '000000000000' });
    const other = newApiKey({ project, mode: 'live' }, ones);
    expect(other.id).toBe('zzzzzzzzzzzz');
    expect(parseApiKey(other.key)).toEqual({ project: 'prj_demo', mode: 'live', id: 'zzzzzzzzzzzz' });
  });

  it('is refused without a read when any one character differs', () => {
    const { key } = newApiKey({ project, mode: 'test' }, ones);
    for (let place = 0; place < key.length; place++) {
      const changed = key.slice(0, place) + (key[place] === '7' ? '8' : '7') + key.slice(place + 1);
      expect(parseApiKey(changed), `character ${place}`).toBeNull();
    }
    expect(parseApiKey(key.slice(0, -1))).toBeNull();
    expect(parseApiKey(`${key}\n`)).toBeNull();
  });

  it('matches its record only with the same pepper and every character the same', () => {
    const { key } = newApiKey({ project, mode: 'test' }, ones);
    const stored = { ...record, hash: hashApiKey(key, 'pepper') };
    expect(isKeyOf(key, stored, 'pepper')).toBe(true);
    expect(isKeyOf(key, stored, 'salt')).toBe(false);
    expect(isKeyOf(`${key}x`, stored, 'pepper')).toBe(false);
    expect(isKeyOf(key, { ...stored, hash: '' }, 'pepper')).toBe(false);
  });

  it('opens its own scopes, and admin opens all', () => {
    expect(hasScope({ scopes: ['ingest'] }, 'ingest')).toBe(true);
    expect(hasScope({ scopes: ['ingest'] }, 'read')).toBe(false);
    expect(hasScope({ scopes: ['admin'] }, 'billing')).toBe(true);
  });

  it('ends at the very instant it expires or is revoked', () => {
    const expiring = { ...record, expiresAt: at('2026-11-02T00:00:00.000Z') };
    expect(keyStateAt(expiring, at('2026-11-01T23:59:59.999Z'))).toBe('valid');
    expect(keyStateAt(expiring, at('2026-11-02T00:00:00.000Z'))).toBe('expired');
    const revoked = { ...expiring, revokedAt: at('2026-11-01T12:00:00.000Z') };
    expect(keyStateAt(revoked, at('2026-11-01T12:00:00.000Z'))).toBe('revoked');
    expect(keyStateAt(revoked, at('2026-11-03T00:00:00.000Z'))).toBe('revoked');
  });
});
