import type { PercentagePrice } from '../../catalog/price.ts';
import { Decimal } from '../../money/decimal.ts';

/** One transaction's amount in two parts, which sum to it. */
export interface SplitTransaction {
  readonly free: Decimal;
  readonly charged: Decimal;
  /** Free as a whole: no fee and no minimum either. */
  readonly isFree: boolean;
}

/**
 * Splits transactions, in their order, into what is free and what is charged. A transaction is free while both the free
 * events and the free amount last (a limit the price does not name does not count); the one that crosses the end of the free
 * amount is charged for the rest of it.
 *
 * A transaction below zero gives back first what was charged, then what was free, which makes it free for others again, and
 * what is left below zero is given back at the rate: it corrects an earlier period. What follows fills that up first. So with
 * a free amount alone, what is charged depends only on the total: total - clamp(total, 0, free amount).
 */
export function freeParts(price: PercentagePrice): (value: Decimal) => SplitTransaction {
  const { freeEvents, freeAmount } = price;
  const hasFreePart = freeEvents !== undefined || freeAmount !== undefined;
  const mostEvents = hasFreePart ? (freeEvents ?? Number.POSITIVE_INFINITY) : 0;
  const mostFree = freeAmount === undefined ? null : Decimal.constant(freeAmount);
  let events = 0;
  let free = Decimal.ZERO;
  let charged = Decimal.ZERO;

  const taken = (freePart: Decimal, chargedPart: Decimal, isFree: boolean): SplitTransaction => {
    free = free.plus(freePart);
    charged = charged.plus(chargedPart);
    return { free: freePart, charged: chargedPart, isFree };
  };
  return (value) => {
    if (value.isNegative()) {
      const fromCharged = Decimal.min(value.negated(), Decimal.max(charged, Decimal.ZERO));
      const fromFree = Decimal.min(value.negated().minus(fromCharged), free);
      return taken(fromFree.negated(), value.plus(fromFree), false);
    }
    events += 1;
    const filling = charged.isNegative() ? Decimal.min(value, charged.negated()) : Decimal.ZERO;
    const rest = value.minus(filling);
    const left = mostFree?.minus(free) ?? rest;
    const isOpen = events <= mostEvents && (mostFree === null || !left.isZero());
    const freePart = isOpen ? Decimal.min(rest, left) : Decimal.ZERO;
    return taken(freePart, value.minus(freePart), isOpen && freePart.equals(value));
  };
}
