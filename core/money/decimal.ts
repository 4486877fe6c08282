import { invalid } from '../errors.ts';
import { powerOfTen } from './power-of-ten.ts';

/**
 * Exact decimals. A value is `coefficient * 10^-scale` with a bigint coefficient, so plus, minus and times never round and
 * never overflow. There is no division here: dividing is rounding, and rounding has one home (rounding.ts).
 * Values come from strings and go to strings only. `parse` is for values from outside and holds them to the product's
 * limits: 12 decimal places and 26 integer digits (billing-semantics). Results of arithmetic may be longer.
 */
const MAX_PLACES = 12;
const MAX_INTEGER_DIGITS = 26;
const DECIMAL_PATTERN = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/** A decimal never changes, so one that is remembered is the same as one that is read again. */
const constants = new Map<string, Decimal>();
const MAX_CONSTANTS = 4096;

export class Decimal {
  static readonly ZERO = new Decimal(0n, 0);
  static readonly ONE = new Decimal(1n, 0);
  readonly coefficient: bigint;
  readonly scale: number;

  private constructor(coefficient: bigint, scale: number) {
    this.coefficient = coefficient;
    this.scale = scale;
  }

  /** The value `coefficient * 10^-scale`; `scale` is a whole number of at least 0. */
  static of(coefficient: bigint, scale = 0): Decimal {
    return new Decimal(coefficient, scale).normalized();
  }

  /** Whether `text` is a decimal in plain notation within 12 places and 26 integer digits. */
  static isDecimal(text: string): boolean {
    if (!DECIMAL_PATTERN.test(text)) return false;
    const dot = text.indexOf('.');
    const integerDigits = (dot < 0 ? text.length : dot) - (text.startsWith('-') ? 1 : 0);
    return integerDigits <= MAX_INTEGER_DIGITS && (dot < 0 || text.length - dot - 1 <= MAX_PLACES);
  }

  /** Reads a plain decimal such as `-12.50`. Throws `invalid` (code `decimal_invalid`) on anything else. */
  static parse(text: string): Decimal {
    if (!Decimal.isDecimal(text)) {
      throw invalid(
        'decimal_invalid',
        `Got ${JSON.stringify(text.slice(0, 64))}; expected a decimal string such as "12.34" with at most ${MAX_INTEGER_DIGITS} integer digits and ${MAX_PLACES} decimal places.`,
      );
    }
    return Decimal.ofTotal(text);
  }

  /**
   * Reads a plain decimal of any length: totals may outgrow what a single value from outside may have. Throws `invalid`
   * (code `decimal_invalid`) on other notations.
   */
  static ofTotal(text: string): Decimal {
    if (!DECIMAL_PATTERN.test(text)) {
      throw invalid(
        'decimal_invalid',
        `Got ${JSON.stringify(text.slice(0, 64))}; expected a plain decimal such as "12.34".`,
      );
    }
    const dot = text.indexOf('.');
    if (dot < 0) return new Decimal(BigInt(text), 0);
    const end = endWithoutZeros(text, dot + 1);
    return new Decimal(BigInt(text.slice(0, dot) + text.slice(dot + 1, end)), end - dot - 1);
  }

  /** A percentage as the factor it stands for: "1.5" is 0.015. Throws as `parse`. */
  static ofPercent(text: string): Decimal {
    const percent = Decimal.constant(text);
    return new Decimal(percent.coefficient, percent.scale + 2).normalized();
  }

  /** `parse` for what is read again and again, such as a price: the last few thousand of them are remembered. */
  static constant(text: string): Decimal {
    let value = constants.get(text);
    if (value === undefined) {
      value = Decimal.parse(text);
      if (constants.size >= MAX_CONSTANTS) constants.clear();
      constants.set(text, value);
    }
    return value;
  }

  plus(other: Decimal): Decimal {
    if (this.scale === other.scale) return new Decimal(this.coefficient + other.coefficient, this.scale);
    return this.scale > other.scale
      ? new Decimal(this.coefficient + other.rescaled(this.scale), this.scale)
      : new Decimal(this.rescaled(other.scale) + other.coefficient, other.scale);
  }

  minus(other: Decimal): Decimal {
    if (this.scale === other.scale) return new Decimal(this.coefficient - other.coefficient, this.scale);
    return this.scale > other.scale
      ? new Decimal(this.coefficient - other.rescaled(this.scale), this.scale)
      : new Decimal(this.rescaled(other.scale) - other.coefficient, other.scale);
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.coefficient * other.coefficient, this.scale + other.scale);
  }

  negated(): Decimal {
    return new Decimal(-this.coefficient, this.scale);
  }

  abs(): Decimal {
    return this.coefficient < 0n ? this.negated() : this;
  }

  /** -1, 0 or 1 as this value is less than, equal to or greater than the other. */
  compare(other: Decimal): -1 | 0 | 1 {
    const scale = Math.max(this.scale, other.scale);
    const left = this.rescaled(scale);
    const right = other.rescaled(scale);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  isZero(): boolean {
    return this.coefficient === 0n;
  }

  isNegative(): boolean {
    return this.coefficient < 0n;
  }

  isPositive(): boolean {
    return this.coefficient > 0n;
  }

  isInteger(): boolean {
    return this.normalized().scale === 0;
  }

  static min(a: Decimal, b: Decimal): Decimal {
    return a.compare(b) <= 0 ? a : b;
  }

  static max(a: Decimal, b: Decimal): Decimal {
    return a.compare(b) >= 0 ? a : b;
  }

  /** The coefficient this value has at `scale`, which must be at least its own scale. */
  rescaled(scale: number): bigint {
    return scale === this.scale ? this.coefficient : this.coefficient * powerOfTen(scale - this.scale);
  }

  /** Plain notation without trailing zeros: "12.5", "-0.001", "0". `parse` is its inverse within the limits. */
  toString(): string {
    return decimalText(this.coefficient, this.scale);
  }

  toJSON(): string {
    return this.toString();
  }

  private normalized(): Decimal {
    let { coefficient, scale } = this;
    if (scale === 0) return this;
    if (coefficient === 0n) return Decimal.ZERO;
    while (scale > 0 && coefficient % 10n === 0n) {
      coefficient /= 10n;
      scale -= 1;
    }
    return scale === this.scale ? this : new Decimal(coefficient, scale);
  }
}

/** `coefficient * 10^-scale` in plain notation without trailing zeros. */
export function decimalText(coefficient: bigint, scale: number): string {
  if (scale === 0) return coefficient.toString();
  const isNegative = coefficient < 0n;
  const digits = (isNegative ? -coefficient : coefficient).toString().padStart(scale + 1, '0');
  const cut = digits.length - scale;
  const end = endWithoutZeros(digits, cut);
  const text = end === cut ? digits.slice(0, cut) : `${digits.slice(0, cut)}.${digits.slice(cut, end)}`;
  return isNegative ? `-${text}` : text;
}

/** Where the digits of `text` end without the zeros at its end, at `from` at the earliest. */
function endWithoutZeros(text: string, from: number): number {
  let end = text.length;
  while (end > from && text.charCodeAt(end - 1) === 48) end -= 1;
  return end;
}
