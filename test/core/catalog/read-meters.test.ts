import { expect, test } from 'vitest';
import { readMeter, readMeters } from '../../../core/catalog/read-meters.ts';
import { BillingError } from '../../../core/errors.ts';

function faultsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof BillingError) return error.faults.map(({ field, code }) => `${field} ${code}`);
    throw error;
  }
  return [];
}

const tokens = { key: 'tokens', eventType: 'llm', aggregation: 'sum', value: 'tokens', dimensions: ['model'] };

test('a good meter is read as it was written, and dimensions may be left out', () => {
  expect(readMeter({ ...tokens, name: 'Tokens', unit: 'tokens', filter: { env: ['prod', 'eu'] } }).meter).toEqual({
    key: 'tokens',
    name: 'Tokens',
    eventType: 'llm',
    aggregation: 'sum',
    value: 'tokens',
    dimensions: ['model'],
    filter: { env: ['prod', 'eu'] },
    unit: 'tokens',
  });
  expect(readMeter({ key: 'calls', eventType: 'call', aggregation: 'count' }).meter).toMatchObject({ dimensions: [] });
});

test.each([
  ['no fields', {}, ['key missing', 'event_type missing', 'aggregation missing']],
  ['not an object', 'tokens', ['body wrong_type']],
  ['null', null, ['body wrong_type']],
  ['an unknown field', { ...tokens, evenType: 'x' }, ['even_type unknown_field']],
  ['an unknown aggregation', { ...tokens, aggregation: 'median' }, ['aggregation not_allowed']],
  ['a sum without value', { ...tokens, value: undefined }, ['value value_missing']],
  ['transactions without value', { ...tokens, aggregation: 'transactions', value: undefined }, ['value value_missing']],
  ['a value that is a number', { ...tokens, value: 7 }, ['value wrong_type']],
  [
    'an expression that nobody can read',
    { ...tokens, value: { expression: 'a +' } },
    ['value.expression expression_invalid'],
  ],
  [
    'an expression that yields a text',
    { ...tokens, value: { expression: "concat(a, 'x')" } },
    ['value.expression expression_invalid'],
  ],
  [
    'an expression of 501 characters',
    { ...tokens, value: { expression: 'a'.repeat(501) } },
    ['value.expression expression_invalid'],
  ],
  [
    'expressions of dimensions it does not have, and one that nobody can read',
    { ...tokens, dimensionExpressions: { modelName: 'concat(', model: 'concat(', siteName: 'region' } },
    [
      'dimension_expressions.modelName expression_invalid',
      'dimension_expressions.modelName unknown_dimension',
      'dimension_expressions.model expression_invalid',
      'dimension_expressions.siteName unknown_dimension',
    ],
  ],
  [
    'a rounding to 13 places in a strange way',
    { ...tokens, rounding: { mode: 'bankers', places: 13 } },
    ['rounding.mode not_allowed', 'rounding.places too_big'],
  ],
  [
    'a count carried over',
    { key: 'calls', eventType: 'llm', aggregation: 'count', reset: 'carry_over' },
    ['reset cannot_carry_over'],
  ],
  ['a maximum carried over', { ...tokens, aggregation: 'max', reset: 'carry_over' }, ['reset cannot_carry_over']],
  [
    'a unique count carried over',
    { ...tokens, aggregation: 'unique_count', reset: 'carry_over' },
    ['reset cannot_carry_over'],
  ],
  ['an average carried over', { ...tokens, aggregation: 'average', reset: 'carry_over' }, ['reset cannot_carry_over']],
  ['a time that is none', { ...tokens, effectiveAt: 'tomorrow' }, ['effective_at invalid_format']],
  ['a history of its own', { ...tokens, earlier: [] }, ['earlier unknown_field']],
  ['a count with value', { ...tokens, aggregation: 'count' }, ['value value_not_allowed']],
  ['a key with a slash', { ...tokens, key: 'a/b' }, ['key invalid_format']],
  ['a key in capitals', { ...tokens, key: 'Tokens' }, ['key invalid_format']],
  ['a dimension twice', { ...tokens, dimensions: ['model', 'a', 'model'] }, ['dimensions[2] duplicate_dimension']],
  ['a filter without values', { ...tokens, filter: { envName: [] } }, ['filter.envName too_small']],
  ['a filter value that is a number', { ...tokens, filter: { envName: [1] } }, ['filter.envName[0] wrong_type']],
])('a meter with %s is refused with its faults', (_what, input, faults) => {
  expect(faultsOf(() => readMeter(input))).toEqual(faults);
});

test('all faults are listed at once', () => {
  const bad = { key: 'A B', eventType: 7, aggregation: 'max', dimensions: ['x', 'x'], colour: 'red' };
  expect(faultsOf(() => readMeter(bad)).sort()).toEqual([
    'colour unknown_field',
    'dimensions[1] duplicate_dimension',
    'event_type wrong_type',
    'key invalid_format',
    'value value_missing',
  ]);
});

test('a set of meters names the meter at fault and refuses a key twice', () => {
  expect(faultsOf(() => readMeters([tokens, { ...tokens, value: undefined }, { ...tokens, key: 'b' }]))).toEqual([
    '[1].value value_missing',
    '[1].key duplicate_key',
  ]);
  expect(readMeters([tokens, { ...tokens, key: 'b' }]).map(({ key }) => key)).toEqual(['tokens', 'b']);
});

test('a project has at most 200 meters', () => {
  const many = Array.from({ length: 201 }, (_, index) => ({ ...tokens, key: `m${index}` }));
  expect(faultsOf(() => readMeters(many))).toEqual(['body too_big']);
  expect(readMeters(many.slice(1))).toHaveLength(200);
});

test('a fault says what stood there and what belongs there', () => {
  expect(() => readMeter({ ...tokens, aggregation: 'median' })).toThrow(
    expect.objectContaining({
      code: 'meter_invalid',
      faults: [
        {
          field: 'aggregation',
          code: 'not_allowed',
          detail:
            'Got "median"; expected one of count, sum, max, min, latest, transactions, unique_count, average, time_weighted_sum.',
          got: '"median"',
          expected: 'one of count, sum, max, min, latest, transactions, unique_count, average, time_weighted_sum',
        },
      ],
    }),
  );
});
