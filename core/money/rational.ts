import { invalid, invariantBroken } from '../errors.ts';
import { type Decimal, decimalText } from './decimal.ts';
import { exponentOf, powerOfTen } from './power-of-ten.ts';

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const PATTERN = /^(-?(?:0|[1-9][0-9]*))\/([1-9][0-9]*)$/;

/**
 * An exact fraction with a denominator above 0: what proration makes of an amount (49 x 17/30) before the line is rounded
 * once. In lowest terms, except that a decimal keeps its power of ten until something is done with it.
 */
export class Rational {
  static readonly ZERO = new Rational(0n, 1n);
  static readonly ONE = new Rational(1n, 1n);
  readonly numerator: bigint;
  readonly denominator: bigint;

  private constructor(numerator: bigint, denominator: bigint) {
    this.numerator = numerator;
    this.denominator = denominator;
  }

  /** `numerator / denominator`. Throws `invariant-broken` on a denominator of 0. */
  static of(numerator: bigint, denominator: bigint): Rational {
    if (denominator === 0n) throw invariantBroken('fraction_by_zero', `Got the fraction ${numerator}/0.`);
    if (denominator === 1n) return new Rational(numerator, 1n);
    const divisor = greatestCommonDivisor(numerator, denominator);
    const sign = denominator < 0n ? -1n : 1n;
    return new Rational((sign * numerator) / divisor, (sign * denominator) / divisor);
  }

  static from(value: Decimal): Rational {
    return new Rational(value.coefficient, powerOfTen(value.scale));
  }

  /** Reads what `toString` writes: a plain decimal of any length, or `numerator/denominator`. Throws `invalid` (code `fraction_invalid`). */
  static parse(text: string): Rational {
    const match = PATTERN.exec(text);
    if (match?.[1] && match[2]) return Rational.of(BigInt(match[1]), BigInt(match[2]));
    if (!/^-?\d+(\.\d+)?$/.test(text)) {
      throw invalid('fraction_invalid', `Got ${JSON.stringify(text.slice(0, 64))}; expected "12.34" or "833/30".`);
    }
    const [integer = '0', fraction = ''] = text.split('.');
    return Rational.of(BigInt(integer + fraction), powerOfTen(fraction.length));
  }

  plus(other: Rational): Rational {
    if (this.numerator === 0n) return other;
    if (other.numerator === 0n) return this;
    if (this.denominator === other.denominator) {
      return Rational.of(this.numerator + other.numerator, this.denominator);
    }
    return Rational.of(
      this.numerator * other.denominator + other.numerator * this.denominator,
      this.denominator * other.denominator,
    );
  }

  minus(other: Rational): Rational {
    return this.plus(other.negated());
  }

  times(other: Rational): Rational {
    return Rational.of(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  negated(): Rational {
    return new Rational(-this.numerator, this.denominator);
  }

  /** -1, 0 or 1 as this value is less than, equal to or greater than the other. */
  compare(other: Rational): -1 | 0 | 1 {
    const left = this.numerator * other.denominator;
    const right = other.numerator * this.denominator;
    return left < right ? -1 : left > right ? 1 : 0;
  }

  isZero(): boolean {
    return this.numerator === 0n;
  }

  isNegative(): boolean {
    return this.numerator < 0n;
  }

  /** A plain decimal where one exists (`12.5`), else the fraction in lowest terms (`833/30`). */
  toString(): string {
    const exponent = exponentOf(this.denominator);
    if (exponent !== undefined) return decimalText(this.numerator, exponent);
    const places = decimalPlaces(this.denominator);
    if (places === null) return `${this.numerator}/${this.denominator}`;
    return decimalText((this.numerator * powerOfTen(places)) / this.denominator, places);
  }

  toJSON(): string {
    return this.toString();
  }
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [left, right] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (right > SAFE) [left, right] = [right, left % right];
  if (right === 0n) return left;
  // both are safe integers from here on, whose remainders are exact as numbers, and far faster
  let [divisor, rest] = [Number(right), Number(left % right)];
  while (rest !== 0) [divisor, rest] = [rest, divisor % rest];
  return BigInt(divisor);
}

/** How many decimal places a fraction in lowest terms with this denominator has; null when no number of places is enough. */
function decimalPlaces(denominator: bigint): number | null {
  let [rest, places] = [denominator, 0];
  for (; rest % 10n === 0n; rest /= 10n) places += 1;
  const factor = rest % 2n === 0n ? 2n : 5n;
  for (; rest % factor === 0n; rest /= factor) places += 1;
  return rest === 1n ? places : null;
}
