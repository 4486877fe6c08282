import * as z from 'zod';
import { Decimal } from './decimal.ts';

const EXPECTED = 'expected a decimal string such as "12.34" with at most 26 integer digits and 12 decimal places';

/** A decimal as the wire carries it: a string in plain notation. A JSON number is refused: it may have lost digits already. */
export const decimalSchema = z
  .string({ error: EXPECTED })
  .refine(Decimal.isDecimal, { error: EXPECTED, params: { code: 'decimal_invalid' }, abort: true });

/** A price or amount: a decimal of at least 0. What a company gives back is a credit, never a negative price. */
export const priceSchema = decimalSchema.refine((text) => !Decimal.parse(text).isNegative(), {
  error: 'expected a price of at least 0',
  params: { code: 'negative_price' },
});

/** A quantity above 0. */
export const positiveSchema = decimalSchema.refine((text) => Decimal.parse(text).compare(Decimal.ZERO) > 0, {
  error: 'expected a quantity above 0',
  params: { code: 'not_positive' },
});
