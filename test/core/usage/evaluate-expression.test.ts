import { describe, expect, test } from 'vitest';
import { parseExpression } from '../../../core/catalog/parse-expression.ts';
import { evaluateNumber, evaluateText } from '../../../core/usage/evaluate-expression.ts';

const PROPERTIES = { a: '7', b: '-2.5', z: '0', word: 'eu', tiny: '0.000000000001', huge: '9'.repeat(26), half: '0.5' };
const number = (text: string, properties: Record<string, string> = PROPERTIES) =>
  evaluateNumber(parseExpression(text, 'number'), properties);
const text = (expression: string) => evaluateText(parseExpression(expression, 'any'), PROPERTIES);

describe('the number of an expression', () => {
  test.each([
    ['a', '7'],
    ['a + b', '4.5'],
    ['a - b', '9.5'],
    ['a * b', '-17.5'],
    ['-a', '-7'],
    ['1 + 2 * 3 - 4 / 2', '5'],
    ['0.1 + 0.2', '0.3'],
    // exact inside: a third three times is one
    ['a / 3 * 3', '7'],
    // cut to 12 places once, halves away from zero
    ['1 / 3', '0.333333333333'],
    ['2 / 3', '0.666666666667'],
    ['-2 / 3', '-0.666666666667'],
    ['tiny / 2', '0.000000000001'],
    ['-tiny / 2', '-0.000000000001'],
    ['tiny * 0.4', '0'],
    // 10^-24 x (10^26 - 1) is 99.999..., which 12 places make 100
    ['tiny * tiny * huge', '100'],
    ['huge + tiny', '99999999999999999999999999.000000000001'],
    ['round(2.5)', '3'],
    ['round(-2.5)', '-3'],
    ['round(2.4999)', '2'],
    ['round(1.005, 2)', '1.01'],
    ['floor(b)', '-3'],
    ['floor(2.999)', '2'],
    ['floor(-0.01, 1)', '-0.1'],
    ['ceil(b)', '-2'],
    ['ceil(2.001)', '3'],
    ['ceil(a / 3, 2)', '2.34'],
    ['ceil(3)', '3'],
    ['least(a, b, 3)', '-2.5'],
    ['greatest(a, b, 3)', '7'],
    ['greatest(half, 0.50)', '0.5'],
    ['a / -2', '-3.5'],
    ['b / b', '1'],
  ])('%s is %s', (expression, result) => {
    expect(number(expression)).toBe(result);
  });

  test('is missing when a property is, or is not a number, wherever in the expression it stands', () => {
    expect(number('a + nothing')).toMatchObject({ code: 'value_missing', property: 'nothing' });
    expect(number('a + toString')).toMatchObject({ code: 'value_missing', property: 'toString' });
    expect(number('a + word')).toMatchObject({ code: 'value_not_a_number', property: 'word', got: 'eu' });
    expect(number('least(1, greatest(2, word))')).toMatchObject({ code: 'value_not_a_number', property: 'word' });
  });

  test('is none when it divides by zero or has more than 26 integer digits', () => {
    expect(number('a / z')).toMatchObject({ code: 'value_not_computable', detail: expect.stringContaining('zero') });
    expect(number('a / (z * b)')).toMatchObject({ code: 'value_not_computable' });
    expect(number('huge + 1')).toMatchObject({ code: 'value_not_computable', detail: expect.stringContaining('26') });
    expect(number('huge + 0')).toBe('9'.repeat(26));
    expect(number('huge * huge / huge')).toBe('9'.repeat(26));
  });

  test('takes no longer for the worst that the bounds allow than a few thousandths of a second', () => {
    const longest = `${'9'.repeat(26)}.${'9'.repeat(12)}`;
    const expression = parseExpression(Array.from({ length: 25 }, () => 'a').join('/'), 'number');
    const started = performance.now();
    for (let i = 0; i < 100; i++) evaluateNumber(expression, { a: longest });
    expect((performance.now() - started) / 100).toBeLessThan(5);
  });
});

describe('the text of an expression', () => {
  test.each([
    ['word', 'eu'],
    ['nothing', ''],
    ["concat(word, '/', a)", 'eu/7'],
    ["concat(word, nothing, '-', half * 2)", 'eu-1'],
    ['floor(a / 2)', '3'],
    ["'fixed'", 'fixed'],
  ])('%s is %j', (expression, result) => {
    expect(text(expression)).toBe(result);
  });

  test('is none beyond 1,000 characters', () => {
    const long = { a: 'x'.repeat(999), b: 'y', c: '' };
    expect(evaluateText(parseExpression('concat(a, b)', 'any'), long)).toHaveLength(1000);
    expect(evaluateText(parseExpression('concat(a, b, b)', 'any'), long)).toMatchObject({
      code: 'value_not_computable',
    });
  });

  test('needs the numbers that it computes with', () => {
    expect(text('concat(word, floor(nothing / 2))')).toMatchObject({ code: 'value_missing', property: 'nothing' });
  });
});
