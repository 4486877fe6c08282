import { describe, expect, test } from 'vitest';
import type { ContractVersion } from '../../../core/catalog/contract.ts';
import {
  contractForBilled,
  contractInForce,
  firstCommonInstant,
  spansInForce,
} from '../../../core/catalog/contract-in-force.ts';
import type { CustomerId } from '../../../core/ids.ts';
import { parseInstant } from '../../../core/time/instant.ts';

const at = (date: string) => parseInstant(`${date}T00:00:00Z`);
const contract = (version: number, start: string, end: string | null, more: Partial<ContractVersion> = {}) =>
  ({
    id: 'acme',
    version,
    customer: 'acme' as CustomerId,
    plan: 'pro',
    currency: 'USD',
    interval: 'month',
    start: at(start),
    end: end === null ? null : at(end),
    overrides: [],
    ...more,
  }) satisfies ContractVersion;
const PRO = { plan: 'pro', currency: 'USD', interval: 'month' } as const;
const nameOf = (found: ContractVersion | null) => (found === null ? null : `${found.id}@${found.version}`);
const inForce = (versions: readonly ContractVersion[], date: string) =>
  nameOf(contractInForce(versions, { plan: PRO, start: at(date) }));

describe('the contract in force', () => {
  const first = contract(1, '2026-11-01', '2027-11-01');
  test.each([
    ['2026-10-31', null],
    ['2026-11-01', 'acme@1'],
    ['2027-10-31', 'acme@1'],
    ['2027-11-01', null],
  ])('at %s is %s: from its start on, and not at its end', (date, expected) => {
    expect(inForce([first], date)).toBe(expected);
  });

  test.each([
    ['2026-12-31', 'acme@1'],
    ['2027-01-01', 'acme@2'],
    ['2027-11-30', 'acme@2'],
  ])('at %s is %s where version 2 begins in January: what was before it stays', (date, expected) => {
    expect(inForce([first, contract(2, '2027-01-01', null)], date)).toBe(expected);
  });

  test('has ended where its newest version says so', () => {
    const versions = [first, contract(2, '2026-11-01', '2027-02-01')];
    expect([inForce(versions, '2027-01-31'), inForce(versions, '2027-02-01')]).toEqual(['acme@2', null]);
  });

  test('is none on another plan, in another currency or for another interval', () => {
    const service = (plan: object) => contractInForce([first], { plan: { ...PRO, ...plan }, start: at('2026-12-01') });
    expect([{ plan: 'max' }, { currency: 'EUR' }, { interval: 'year' }].map(service)).toEqual([null, null, null]);
  });
});

describe('a billed service', () => {
  const billedWith = { id: 'acme', version: 1 };
  const again = (versions: readonly ContractVersion[], billed: typeof billedWith | null = billedWith) =>
    nameOf(contractForBilled(versions, { plan: PRO, start: at('2026-12-01') }, billed));
  const first = contract(1, '2026-11-01', null);

  test('keeps the version it was billed with, however many came after it', () => {
    expect(again([first, contract(2, '2026-11-01', null), contract(3, '2026-11-01', '2026-11-15')])).toBe('acme@1');
  });

  test('keeps having none when a contract is dated back', () => {
    expect(again([first], null)).toBe(null);
  });

  test.each([
    ['2026-12-01', 'acme@2'],
    ['2026-12-02', 'acme@1'],
  ])('is corrected by a version that corrects from %s: %s', (from, expected) => {
    const correction = contract(2, '2026-11-01', null, { correctsFrom: at(from) });
    expect(again([first, correction, contract(3, '2026-11-01', null)])).toBe(expected);
  });

  test('is corrected by a contract it was billed without, and loses one that a correction ends', () => {
    expect(again([contract(1, '2026-11-01', null, { correctsFrom: at('2026-11-01') })], null)).toBe('acme@1');
    const ended = contract(2, '2026-11-01', '2026-11-15', { correctsFrom: at('2026-11-01') });
    expect(again([first, ended])).toBe(null);
  });

  test('billed with a correction is not corrected by an older one', () => {
    const older = contract(1, '2026-11-01', null, { correctsFrom: at('2026-11-01') });
    expect(again([older, contract(2, '2026-11-01', null)], { id: 'acme', version: 2 })).toBe('acme@2');
  });
});

test('versions put together are in force over disjoint spans', () => {
  const versions = [
    contract(1, '2026-11-01', '2027-06-01'),
    contract(2, '2027-01-01', '2027-03-01'),
    contract(3, '2027-08-01', null),
  ];
  expect(spansInForce(versions)).toEqual([
    { start: at('2026-11-01'), end: at('2027-01-01') },
    { start: at('2027-01-01'), end: at('2027-03-01') },
    { start: at('2027-08-01'), end: null },
  ]);
});

test('two contracts meet at the first instant at which both are in force, and not where one ends and the other begins', () => {
  const spans = (start: string, end: string | null) => [{ start: at(start), end: end === null ? null : at(end) }];
  expect(firstCommonInstant(spans('2026-11-01', '2027-01-01'), spans('2027-01-01', null))).toBe(null);
  expect(firstCommonInstant(spans('2026-11-01', null), spans('2027-01-01', null))).toBe(at('2027-01-01'));
});
