import type { PercentagePrice } from '../../catalog/price.ts';
import { invariantBroken } from '../../errors.ts';
import type { LineStep } from '../../invoicing/invoice.ts';
import { Decimal } from '../../money/decimal.ts';
import type { ChargeUsage } from '../charge-usage.ts';
import { lineStep } from '../line-step.ts';
import type { PricedQuantity } from './charge-model.ts';
import { freeParts } from './free-part.ts';

/** Transactions that cost the same way: how many, and what they come to. */
interface Group {
  readonly count: number;
  readonly quantity: Decimal;
}

interface Groups {
  readonly free: Group;
  /** Priced at the rate. */
  readonly rated: Group;
  /** Of the rated ones those that pay the fixed fee: all but those below zero. */
  readonly withFee: number;
  readonly atMinimum: Group;
  readonly atMaximum: Group;
  /** Below zero, giving back the most that one may cost. */
  readonly returnedAtMaximum: Group;
}

const NONE: Group = { count: 0, quantity: Decimal.ZERO };

/**
 * Every transaction by itself, the earliest first: rate x its charged part + fixed fee, at least the minimum and at most the
 * maximum; nothing for a free one (free-part.ts says which those are). One below zero gives back the rate of its charged
 * part, at most the maximum; fee and minimum stay paid. Rows are groups of transactions that cost the same way, so there are
 * never more than six. Throws `invariant-broken` (code `transactions_damaged`) when the transactions are not all there.
 */
export function priceTransactions(usage: ChargeUsage, price: PercentagePrice): PricedQuantity {
  const total = usage.transactions.reduce((sum, { value }) => sum.plus(Decimal.ofTotal(value)), Decimal.ZERO);
  if (!total.equals(usage.quantity)) {
    throw invariantBroken(
      'transactions_damaged',
      `Got transactions of ${total} for the quantity ${usage.quantity}; a price per transaction needs all of them, and no allowance.`,
    );
  }
  const rows = rowsOf(groupsOf(usage, price), price, total);
  return {
    amount: rows.reduce((sum, { amount }) => sum.plus(amount), Decimal.ZERO),
    steps: rows.map(({ step }) => step),
  };
}

function groupsOf(usage: ChargeUsage, price: PercentagePrice): Groups {
  const groups = { free: NONE, rated: NONE, withFee: 0, atMinimum: NONE, atMaximum: NONE, returnedAtMaximum: NONE };
  const add = (group: Group, quantity: Decimal, count = 1): Group => ({
    count: group.count + count,
    quantity: group.quantity.plus(quantity),
  });
  const rate = Decimal.ofPercent(price.rate);
  const fee = Decimal.constant(price.fixedFee ?? '0');
  const least = price.transactionMinimum === undefined ? null : Decimal.constant(price.transactionMinimum);
  const most = price.transactionMaximum === undefined ? null : Decimal.constant(price.transactionMaximum);
  const split = freeParts(price);
  for (const { value } of usage.transactions) {
    const { free, charged, isFree } = split(Decimal.ofTotal(value));
    if (isFree || !free.isZero()) groups.free = add(groups.free, free, isFree ? 1 : 0);
    if (isFree) continue;
    const isReturn = value.startsWith('-');
    const due = isReturn ? charged.times(rate).negated() : charged.times(rate).plus(fee);
    if (most !== null && due.compare(most) > 0) {
      if (isReturn) groups.returnedAtMaximum = add(groups.returnedAtMaximum, charged);
      else groups.atMaximum = add(groups.atMaximum, charged);
    } else if (!isReturn && least !== null && due.compare(least) < 0) {
      groups.atMinimum = add(groups.atMinimum, charged);
    } else {
      groups.rated = add(groups.rated, charged);
      if (!isReturn) groups.withFee += 1;
    }
  }
  return groups;
}

interface Row {
  readonly amount: Decimal;
  readonly step: LineStep;
}

function rowsOf(groups: Groups, price: PercentagePrice, total: Decimal): Row[] {
  const { free, rated, atMinimum, atMaximum, returnedAtMaximum } = groups;
  const rate = Decimal.ofPercent(price.rate).toString();
  const minimum = price.transactionMinimum ?? '0';
  const maximum = price.transactionMaximum ?? '0';
  const each = ({ count, quantity }: Group, what: string) => `${transactions(count)}, ${quantity} in all, ${what}`;
  const rows: Row[] = [];
  const add = (key: string, label: string, quantity: Decimal, unitPrice: string) => {
    const amount = quantity.times(Decimal.ofTotal(unitPrice));
    const step = lineStep({ key, label, quantity: quantity.toString(), unitPrice, amount: amount.toString() });
    rows.push({ amount, step });
  };
  const counted = ({ count }: Group) => Decimal.of(BigInt(count));
  if (free.count > 0 || !free.quantity.isZero()) {
    add('free', `Free: ${free.quantity} of ${total}, ${transactions(free.count)} whole`, free.quantity, '0');
  }
  add('usage', `${price.rate} % of ${transactions(rated.count)}`, rated.quantity, rate);
  if (price.fixedFee !== undefined && groups.withFee > 0) {
    add(
      'fixed-fee',
      `Fixed fee of ${transactions(groups.withFee)}`,
      Decimal.of(BigInt(groups.withFee)),
      price.fixedFee,
    );
  }
  if (atMinimum.count > 0) {
    add('transaction-minimum', each(atMinimum, 'at the minimum'), counted(atMinimum), minimum);
  }
  if (atMaximum.count > 0) {
    add('transaction-maximum', each(atMaximum, 'at the maximum'), counted(atMaximum), maximum);
  }
  if (returnedAtMaximum.count > 0) {
    const label = each(returnedAtMaximum, 'giving back the maximum');
    add('transaction-maximum/returned', label, counted(returnedAtMaximum).negated(), maximum);
  }
  return rows;
}

function transactions(count: number): string {
  return count === 1 ? '1 transaction' : `${count} transactions`;
}
