import { expect, test } from 'vitest';
import { compilePattern } from '../../../local/parts/event-pattern.ts';

const event = {
  source: 'countinghouse',
  'detail-type': 'InvoiceIssued',
  detail: {
    total: 12.5,
    currency: 'USD',
    tags: ['gold', 'eu'],
    note: null,
    paid: false,
    lines: [{ meter: 'a' }, { meter: 'b' }],
  },
};

/** Pattern of `detail`, and whether the event above matches it. */
const cases: readonly [string, object, boolean][] = [
  ['a listed text', { currency: ['EUR', 'USD'] }, true],
  ['an unlisted text', { currency: ['EUR'] }, false],
  ['a number is not its text', { total: ['12.5'] }, false],
  ['a number', { total: [12.5] }, true],
  ['null', { note: [null] }, true],
  ['false', { paid: [false] }, true],
  ['one element of a list', { tags: ['eu'] }, true],
  ['no element of a list', { tags: ['us'] }, false],
  ['an object in a list', { lines: { meter: ['b'] } }, true],
  ['all fields must match', { currency: ['USD'], total: [1] }, false],
  ['prefix', { currency: [{ prefix: 'US' }] }, true],
  ['prefix is exact in case', { currency: [{ prefix: 'us' }] }, false],
  ['prefix without case', { currency: [{ prefix: { 'equals-ignore-case': 'us' } }] }, true],
  ['suffix', { currency: [{ suffix: 'SD' }] }, true],
  ['suffix elsewhere', { currency: [{ suffix: 'US' }] }, false],
  ['equals without case', { currency: [{ 'equals-ignore-case': 'usd' }] }, true],
  ['wildcard', { currency: [{ wildcard: 'U*D' }] }, true],
  ['wildcard is anchored', { currency: [{ wildcard: '*S' }] }, false],
  ['wildcard: a dot is a dot', { currency: [{ wildcard: 'U.*' }] }, false],
  ['wildcard: an escaped star is a star', { currency: [{ wildcard: 'U\\*' }] }, false],
  ['numeric at its bound', { total: [{ numeric: ['>', 12.5] }] }, false],
  ['numeric from its bound', { total: [{ numeric: ['>=', 12.5] }] }, true],
  ['numeric range', { total: [{ numeric: ['>', 0, '<=', 12.5] }] }, true],
  ['numeric on a text', { currency: [{ numeric: ['>', 0] }] }, false],
  ['exists', { total: [{ exists: true }] }, true],
  ['exists on a field that is null', { note: [{ exists: true }] }, true],
  ['not exists', { missing: [{ exists: false }] }, true],
  ['not exists on a field that is there', { note: [{ exists: false }] }, false],
  ['anything but a text', { currency: [{ 'anything-but': 'EUR' }] }, true],
  ['anything but a list that has it', { currency: [{ 'anything-but': ['EUR', 'USD'] }] }, false],
  ['anything but a prefix', { currency: [{ 'anything-but': { prefix: 'US' } }] }, false],
  ['anything but, on a field that is missing', { missing: [{ 'anything-but': 'x' }] }, false],
  ['one of two patterns', { $or: [{ total: [0] }, { currency: ['USD'] }] }, true],
  ['neither of two patterns', { $or: [{ total: [0] }, { currency: ['EUR'] }] }, false],
];

test.each(cases)('pattern: %s', (_, detail, expected) => {
  expect(compilePattern({ detail })(event)).toBe(expected);
});

test('fields beside the pattern do not matter, and a field inherited from objects in general is no field', () => {
  expect(compilePattern({ source: ['countinghouse'] })(event)).toBe(true);
  expect(compilePattern({ toString: [{ exists: true }] })(event)).toBe(false);
});

test.each([
  ['cidr', { source: [{ cidr: '10.0.0.0/8' }] }],
  ['an operator that does not exist', { source: [{ contains: 'x' }] }],
  ['anything-but with an unknown operator', { source: [{ 'anything-but': { numeric: ['>', 1] } }] }],
  ['a bare text instead of a list', { source: 'x' }],
  ['an empty list', { source: [] }],
  ['an empty pattern', {}],
  ['two operators in one object', { source: [{ prefix: 'a', suffix: 'b' }] }],
  ['a bad comparison', { total: [{ numeric: ['!=', 1] }] }],
  ['$or with one pattern', { $or: [{ source: ['a'] }] }],
])('refused when compiled: %s', (_, pattern) => {
  expect(() => compilePattern(pattern)).toThrow();
});
