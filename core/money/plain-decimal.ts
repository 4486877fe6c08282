const MAX_EXPONENT = 100;

/**
 * A JSON number literal in plain decimal notation: `1.5e-3` to `0.0015`, `1e3` to `1000`. Exponents beyond 100 stay as they
 * are written, for the reader of the field to refuse.
 */
export function plainDecimal(literal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (!match) return literal;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > MAX_EXPONENT) return literal;
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const cut = point <= 0 ? 1 : point;
  const integer = padded.slice(0, cut).replace(/^0+(?=\d)/, '');
  const rest = padded.slice(cut);
  return `${sign}${integer}${rest === '' ? '' : `.${rest}`}`;
}
