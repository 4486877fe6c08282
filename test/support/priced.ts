import type { Aggregation } from '../../core/catalog/meter.ts';
import type { Price } from '../../core/catalog/price.ts';
import type { LineStep } from '../../core/invoicing/invoice.ts';
import { Decimal } from '../../core/money/decimal.ts';
import type { PricedQuantity } from '../../core/rating/charge-models/charge-model.ts';
import { priceUsage } from '../../core/rating/charge-models/price-usage.ts';
import { type ChargeUsage, usageOf, usageOfQuantity } from '../../core/rating/charge-usage.ts';
import type { UsageSlice } from '../../core/usage/usage-snapshot.ts';

/** Shorthand of the models' tests: what a quantity costs, and its rows in one line each. */
export const HUGE = '99999999999999999999999999.999999999999';

export function pricedQuantity(price: Price, quantity: string): PricedQuantity {
  return priceUsage(usageOfQuantity(Decimal.ofTotal(quantity)), price);
}

export function amountOf(price: Price, quantity: string): string {
  return pricedQuantity(price, quantity).amount.toString();
}

/** `key quantity x price = amount`; a dash where a row has no quantity. */
export function rowText(row: LineStep): string {
  return `${row.key} ${row.quantity ?? '-'} x ${row.unitPrice ?? row.flatAmount ?? '-'} = ${row.amount}`;
}

export function rowsOf(price: Price, quantity: string): string[] {
  return pricedQuantity(price, quantity).steps.map(rowText);
}

/** A slice of single amounts, a microsecond apart from 1 on. */
export function transactionSlice(values: readonly string[], dimensions: Record<string, string> = {}): UsageSlice {
  const quantity = values.reduce((sum, value) => sum.plus(Decimal.ofTotal(value)), Decimal.ZERO).toString();
  const transactions = values.map((value, index) => ({ value, occurredAtMicros: index + 1 }));
  return { meter: 'payments', dimensions, quantity, transactions };
}

export function usageOfSlices(slices: readonly UsageSlice[], aggregation: Aggregation, price: Price): ChargeUsage {
  return usageOf(slices, { aggregation }, price);
}

export function pricedTransactions(price: Price, values: readonly string[]): PricedQuantity {
  return priceUsage(usageOfSlices([transactionSlice(values)], 'transactions', price), price);
}
