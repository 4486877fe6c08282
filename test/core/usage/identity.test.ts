import { describe, expect, test } from 'vitest';
import type { ProjectId } from '../../../core/ids.ts';
import {
  batchFingerprint,
  compareDigests,
  digestOf,
  fingerprintHex,
  fingerprintOf,
} from '../../../core/usage/identity.ts';
import type { UsageEvent } from '../../../core/usage/usage-event.ts';

const project = 'prj_demo' as ProjectId;
const hexOf = (customer: string, source: string, id: string) =>
  fingerprintHex(fingerprintOf(project, { customer, source, id }));

function event(change: Partial<UsageEvent> = {}): UsageEvent {
  return {
    index: 0,
    id: 'order-1',
    type: 'api_call',
    customer: 'ada',
    source: '',
    occurredAtMicros: 1_795_230_000_000_000,
    properties: { region: 'eu', tokens: '1.5' },
    ...change,
  };
}

const digestHex = (change: Partial<UsageEvent> = {}) => Buffer.from(digestOf(event(change)), 'latin1').toString('hex');
const withTokens = (tokens: string) => digestOf(event({ properties: { region: 'eu', tokens } }));

describe('the identity of an event', () => {
  // Frozen: computed with another program (Python's hashlib) from the documented text. Never to be changed.
  test.each([
    ['ada', '', 'order-1', 'ada28100164af45345ad8adeb648255b'],
    ['ada', 'web', 'order-1', 'fcf3569c33bfe5bad85595e0e3ada862'],
    ['ad', 'a', 'order-1', '01ad6c88458cc33206026da9432226f4'],
    ['Zoë 🚀', 'web', '018bcfe5-6800-7000-8000-000000000000', 'dd787749cc1f7f5b48f3bbe062ec74e3'],
  ])('of %s from %j with id %s is the same for ever', (customer, source, id, hex) => {
    expect(hexOf(customer, source, id)).toBe(hex);
  });

  test('has no time, no type and no properties in it', () => {
    const first = fingerprintOf(project, event());
    expect(fingerprintOf(project, event({ occurredAtMicros: 1, type: 'other', properties: {} }))).toBe(first);
  });

  test('differs between projects, customers, sources and ids, and between neighbours that join to the same text', () => {
    const all = [
      hexOf('ada', '', 'order-1'),
      hexOf('ada', '', 'order-2'),
      hexOf('bob', '', 'order-1'),
      hexOf('ada', 'o', 'rder-1'),
      hexOf('adao', '', 'rder-1'),
      fingerprintHex(fingerprintOf('prj_other' as ProjectId, event())),
    ];
    expect(new Set(all).size).toBe(6);
  });

  test('of a message is frozen too, and never that of an event', () => {
    expect(fingerprintHex(batchFingerprint('b-1'))).toBe('715f46ca13e97e7ec92dfdad0ae537b3');
  });
});

describe('the digest of an event', () => {
  test('is frozen: six bytes of content, two of time', () => {
    expect(digestHex()).toBe('881709c038d065e6');
    expect(digestHex({ occurredAtMicros: 1_795_230_000_000_001 })).toBe('881709c038d03b32');
    expect(digestHex({ properties: {}, occurredAtMicros: 0 })).toBe('159e2da132da5fec');
  });

  test('does not depend on the order of properties, nor on the position in the request', () => {
    expect(digestHex({ properties: { tokens: '1.5', region: 'eu' }, index: 7 })).toBe('881709c038d065e6');
  });

  test.each([
    ['1.50', '1.5'],
    ['1.500000000000', '1.5'],
    ['2.0', '2'],
    ['10.0', '10'],
    ['0.00', '0'],
    ['-3.10', '-3.1'],
    ['100', '100'],
  ])('takes %s for the same quantity as %s', (sent, again) => {
    expect(compareDigests(withTokens(sent), withTokens(again))).toBe('duplicate');
  });

  test.each([
    ['100', '1'],
    ['1.5', '15'],
    ['1.5', '-1.5'],
    ['1.05', '1.5'],
    ['v1.', 'v1'],
    ['', '0'],
  ])('tells %s from %s', (sent, again) => {
    expect(compareDigests(withTokens(sent), withTokens(again))).toBe('conflict');
  });
});

describe('a resend', () => {
  const stored = digestOf(event());

  test('with the same body is a duplicate', () => {
    expect(compareDigests(stored, digestOf(event()))).toBe('duplicate');
  });

  test('with another time only is a retimed duplicate', () => {
    expect(compareDigests(stored, digestOf(event({ occurredAtMicros: 1 })))).toBe('retimed');
  });

  test.each([
    ['another type', { type: 'other' }],
    ['another value', { properties: { region: 'eu', tokens: '2' } }],
    ['one property less', { properties: { region: 'eu' } }],
    ['one property more', { properties: { region: 'eu', tokens: '1.5', model: 'a' } }],
    ['values under other names', { properties: { region: '1.5', tokens: 'eu' } }],
  ])('with %s is a conflict, whatever its time', (_name, change) => {
    expect(compareDigests(stored, digestOf(event(change)))).toBe('conflict');
    expect(compareDigests(stored, digestOf(event({ ...change, occurredAtMicros: 1 })))).toBe('conflict');
  });
});
