import { describe, expect, test } from 'vitest';
import type { Expression } from '../../../core/catalog/expression.ts';
import { ExpressionFault } from '../../../core/catalog/expression-tokens.ts';
import { parseExpression } from '../../../core/catalog/parse-expression.ts';

/** The tree with every operation in brackets. */
function bracketed(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return expression.text;
    case 'text':
      return `'${expression.text}'`;
    case 'property':
      return expression.name;
    case 'negate':
      return `(-${bracketed(expression.of)})`;
    case 'arithmetic':
      return `(${bracketed(expression.left)}${expression.operator}${bracketed(expression.right)})`;
    case 'round':
      return `${expression.mode}(${bracketed(expression.of)};${expression.places})`;
    case 'choose':
      return `${expression.which}(${expression.of.map(bracketed).join(';')})`;
    case 'concat':
      return `concat(${expression.of.map(bracketed).join(';')})`;
  }
}
const read = (text: string, wanted: 'number' | 'any' = 'any') => bracketed(parseExpression(text, wanted));

function faultOf(text: string, wanted: 'number' | 'any' = 'any'): string {
  try {
    return read(text, wanted);
  } catch (error) {
    if (error instanceof ExpressionFault) return `${error.position}: ${error.message}`;
    throw error;
  }
}

describe('an expression', () => {
  test.each([
    ['1 + 2 * 3', '(1+(2*3))'],
    ['1 * 2 + 3', '((1*2)+3)'],
    ['1 - 2 - 3', '((1-2)-3)'],
    ['8 / 4 / 2', '((8/4)/2)'],
    ['8 / 4 * 2', '((8/4)*2)'],
    ['(1 + 2) * 3', '((1+2)*3)'],
    ['-a * b', '((-a)*b)'],
    ['a - -b', '(a-(-b))'],
    ['-(a + b)', '(-(a+b))'],
    ['  a+b\t', '(a+b)'],
    ['usage.input_tokens', 'usage.input_tokens'],
    ['"input-tokens" + "say ""hi"""', '(input-tokens+say "hi")'],
    ['round(a)', 'round(a;0)'],
    ['floor(a / 3, 2)', 'floor((a/3);2)'],
    ['ceil(a, 12)', 'ceil(a;12)'],
    ['least(a, 1, b)', 'least(a;1;b)'],
    ['greatest(0, a)', 'greatest(0;a)'],
    ["concat(region, '/', 'it''s', 1 + a)", "concat(region;'/';'it's';(1+a))"],
    // a function's name is a property's where nothing is called
    ['round + floor', '(round+floor)'],
    ["'text'", "'text'"],
  ])('%s is read as %s', (text, tree) => {
    expect(read(text)).toBe(tree);
  });

  test.each([
    ['', '1: got the end; expected a number, a property, a text, a function or ('],
    ['a +', '4: got the end; expected a number, a property, a text, a function or ('],
    ['a b', '3: got "b"; expected the end'],
    ['(a', '3: got the end; expected )'],
    ['a)', '2: got ")"; expected the end'],
    ['1.', '1: got the number 1.; expected plain notation with at most 12 decimal places'],
    ['1e3', '1: got the number 1e3; expected plain notation with at most 12 decimal places'],
    ['007', '1: got the number 007; expected plain notation with at most 12 decimal places'],
    ['0.0000000000001', '1: got the number 0.0000000000001; expected plain notation with at most 12 decimal places'],
    [
      'a % b',
      '3: got "% b"; expected a number, a property, a text in single quotes, a function or one of + - * / ( ) ,',
    ],
    ["'open", "1: got a quote that is never closed; expected another '"],
    ['"open', '1: got a quote that is never closed; expected another "'],
    ['""', '1: got a property name of 0 characters; expected 1 to 64'],
    ['eval(a)', '1: got the function eval; expected round, floor, ceil, least, greatest, concat'],
    ['least(a)', '1: got one argument for least; expected two or more'],
    ['round()', '7: got ")"; expected a number, a property, a text, a function or ('],
    [
      'round(a, b)',
      '1: got other arguments for round; expected a number and, if wanted, the places as a whole number from 0 to 12',
    ],
    [
      'floor(a, 13)',
      '1: got other arguments for floor; expected a number and, if wanted, the places as a whole number from 0 to 12',
    ],
    [
      'ceil(a, 1, 2)',
      '1: got other arguments for ceil; expected a number and, if wanted, the places as a whole number from 0 to 12',
    ],
    ["1 + 'a'", '3: got a text where a number is computed; expected a number or a property'],
    ["-concat(a, 'b')", '1: got a text where a number is computed; expected a number or a property'],
    ["round('a')", '1: got a text where a number is computed; expected a number or a property'],
  ])('%s has a fault that says where and what', (text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  test('that yields a text is no value of a meter', () => {
    expect(faultOf("concat(a, 'b')", 'number')).toContain('1: got a text');
    expect(faultOf("'1'", 'number')).toContain('1: got a text');
    expect(faultOf('a', 'number')).toBe('a');
  });

  test('has bounds: 500 characters, 50 parts, 12 levels, 10 arguments', () => {
    const sum = (parts: number) => Array.from({ length: parts }, () => 'a').join('+');
    // n properties and n - 1 additions
    expect(faultOf(sum(25))).not.toContain('parts');
    expect(faultOf(sum(26))).toContain('got more than 50 parts');
    expect(faultOf(`${'('.repeat(12)}a${')'.repeat(12)}`)).toBe('a');
    expect(faultOf(`${'('.repeat(13)}a${')'.repeat(13)}`)).toContain('got more than 12 levels');
    expect(faultOf(`${'-'.repeat(13)}a`)).toContain('got more than 12 levels');
    expect(faultOf(`least(${'a,'.repeat(9)}a)`)).toContain('least(');
    expect(faultOf(`least(${'a,'.repeat(10)}a)`)).toContain('got more than 10 arguments');
    expect(faultOf(`a${' '.repeat(499)}`)).toBe('a');
    expect(faultOf(`a${' '.repeat(500)}`)).toContain('501: got 501 characters');
  });
});
