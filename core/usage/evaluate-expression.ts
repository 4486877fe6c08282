import type { Expression } from '../catalog/expression.ts';
import { Decimal } from '../money/decimal.ts';
import { propertyOf } from './property-of.ts';

/**
 * What an expression yields for an event's properties. Inside, numbers are exact fractions; only the result is cut, to 12
 * places, halves away from zero. The same at the door and when folding, because both call this.
 */
export type Properties = Readonly<Record<string, string>>;

/** Why an expression has no value for an event. `property` is the one at fault; none when it lies with the numbers. */
export interface Uncountable {
  readonly code: 'value_missing' | 'value_not_a_number' | 'value_not_computable';
  readonly property?: string;
  readonly got?: string;
  readonly detail: string;
}

interface Fraction {
  readonly over: bigint;
  /** Above zero. */
  readonly under: bigint;
}

/** Thrown inside and caught here. */
class NoValue extends Error {
  readonly reason: Uncountable;

  constructor(reason: Uncountable) {
    super(reason.detail);
    this.reason = reason;
  }
}

const RESULT_PLACES = 12;
const MAX_TEXT = 1000;

/** The number as a plain decimal within the product's limits, or why there is none. */
export function evaluateNumber(expression: Expression, properties: Properties): string | Uncountable {
  return valueOr(() => numberText(expression, properties));
}

/** The text of a dimension, at most 1,000 characters, or why there is none. A property that is absent is an empty text. */
export function evaluateText(expression: Expression, properties: Properties): string | Uncountable {
  return valueOr(() => textOf(expression, properties));
}

/** The text that a unique count counts once, or why there is none: unlike a dimension it needs every property it is made of. */
export function evaluateMember(expression: Expression, properties: Properties): string | Uncountable {
  return valueOr(() => {
    for (const name of propertiesIn(expression)) {
      if ((propertyOf(properties, name) ?? '') === '') throw missing(name);
    }
    const text = textOf(expression, properties);
    if (text === '') throw notComputable('an empty text; expected a text or a number');
    return text;
  });
}

function propertiesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'property':
      return [expression.name];
    case 'negate':
    case 'round':
      return propertiesIn(expression.of);
    case 'arithmetic':
      return [...propertiesIn(expression.left), ...propertiesIn(expression.right)];
    case 'choose':
    case 'concat':
      return expression.of.flatMap(propertiesIn);
    default:
      return [];
  }
}

function missing(property: string): NoValue {
  return new NoValue({ code: 'value_missing', property, detail: `the property ${property} is missing` });
}

function valueOr(compute: () => string): string | Uncountable {
  try {
    return compute();
  } catch (error) {
    if (error instanceof NoValue) return error.reason;
    throw error;
  }
}

function textOf(expression: Expression, properties: Properties): string {
  if (expression.kind === 'property') return propertyOf(properties, expression.name) ?? '';
  if (expression.kind === 'text') return expression.text;
  if (expression.kind !== 'concat') return numberText(expression, properties);
  const text = expression.of.map((part) => textOf(part, properties)).join('');
  if (text.length > MAX_TEXT) throw notComputable(`a text of ${text.length} characters; expected at most ${MAX_TEXT}`);
  return text;
}

function numberText(expression: Expression, properties: Properties): string {
  const text = Decimal.of(
    rounded(fractionOf(expression, properties), 'round', RESULT_PLACES),
    RESULT_PLACES,
  ).toString();
  if (Decimal.isDecimal(text)) return text;
  throw notComputable('a number of more than 26 integer digits; expected a smaller one');
}

function fractionOf(expression: Expression, properties: Properties): Fraction {
  switch (expression.kind) {
    case 'number':
      return fraction(Decimal.parse(expression.text));
    case 'property':
      return propertyNumber(expression.name, properties);
    case 'negate': {
      const { over, under } = fractionOf(expression.of, properties);
      return { over: -over, under };
    }
    case 'arithmetic':
      return combined(
        expression.operator,
        fractionOf(expression.left, properties),
        fractionOf(expression.right, properties),
      );
    case 'round': {
      const over = rounded(fractionOf(expression.of, properties), expression.mode, expression.places);
      return { over, under: 10n ** BigInt(expression.places) };
    }
    case 'choose': {
      const wanted = expression.which === 'greatest';
      const values = expression.of.map((part) => fractionOf(part, properties));
      return values.reduce((best, next) => (isGreater(next, best) === wanted ? next : best));
    }
    default:
      throw notComputable('a text where a number is needed');
  }
}

function propertyNumber(name: string, properties: Properties): Fraction {
  const value = propertyOf(properties, name);
  if (value === undefined) throw missing(name);
  if (!Decimal.isDecimal(value)) {
    throw new NoValue({
      code: 'value_not_a_number',
      property: name,
      got: value,
      detail: `the property ${name} is not a number`,
    });
  }
  return fraction(Decimal.parse(value));
}

function fraction(value: Decimal): Fraction {
  return { over: value.coefficient, under: 10n ** BigInt(value.scale) };
}

function combined(operator: '+' | '-' | '*' | '/', a: Fraction, b: Fraction): Fraction {
  if (operator === '*') return { over: a.over * b.over, under: a.under * b.under };
  if (operator === '/') {
    if (b.over === 0n) throw notComputable('a division by zero; expected another divisor');
    const sign = b.over < 0n ? -1n : 1n;
    return { over: sign * a.over * b.under, under: sign * a.under * b.over };
  }
  const other = operator === '-' ? -b.over : b.over;
  return { over: a.over * b.under + other * a.under, under: a.under * b.under };
}

function isGreater(a: Fraction, b: Fraction): boolean {
  return a.over * b.under > b.over * a.under;
}

/** The whole number of units of `10^-places`. */
function rounded({ over, under }: Fraction, mode: 'round' | 'floor' | 'ceil', places: number): bigint {
  const scaled = over * 10n ** BigInt(places);
  const whole = scaled / under; // cuts towards zero
  const rest = scaled - whole * under;
  if (rest === 0n) return whole;
  if (mode === 'floor') return rest < 0n ? whole - 1n : whole;
  if (mode === 'ceil') return rest > 0n ? whole + 1n : whole;
  if ((rest < 0n ? -rest : rest) * 2n < under) return whole;
  return rest < 0n ? whole - 1n : whole + 1n;
}

function notComputable(what: string): NoValue {
  return new NoValue({ code: 'value_not_computable', detail: `it comes to ${what}` });
}
