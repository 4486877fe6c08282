import { Decimal } from '../../core/money/decimal.ts';
import type { EstimateAnswer, EstimatedLine } from '../estimate-api.ts';

/** Arithmetic on what answers show: decimal strings in and out, exact. */
export function sum(amounts: readonly string[]): string {
  return amounts.reduce((total, amount) => total.plus(Decimal.ofTotal(amount)), Decimal.ZERO).toString();
}

export function minus(a: string, b: string): string {
  return Decimal.ofTotal(a).minus(Decimal.ofTotal(b)).toString();
}

export function times(a: string, b: string): string {
  return Decimal.ofTotal(a).times(Decimal.ofTotal(b)).toString();
}

/** Major units of a currency with two places as cents. */
export const cents = (major: string): string => times(major, '100');
/** Cents as major units. */
export const major = (inCents: string): string => times(inCents, '0.01');

/** The only line of an answer. */
export function onlyLine({ lines }: EstimateAnswer): EstimatedLine {
  const [line, ...others] = lines;
  if (line !== undefined && others.length === 0) return line;
  throw new Error(`expected one line, got ${lines.length}`);
}

/** The amount of the rows with these keys; "0" where there is none. */
export function amountOf(line: EstimatedLine, ...keys: readonly string[]): string {
  return sum(line.steps.filter(({ key }) => keys.includes(key)).map(({ amount }) => amount));
}

/** The quantity of a row. */
export function quantityOf(line: EstimatedLine, key: string): string {
  const quantity = line.steps.find((step) => step.key === key)?.quantity;
  if (quantity !== undefined && quantity !== null) return quantity;
  throw new Error(`the line ${line.key} has no row ${key} with a quantity`);
}

/** What an invoice after the one that has billed `billed` would add. */
export function added({ adjustments }: EstimateAnswer): string {
  if (adjustments !== null) return adjustments.total;
  throw new Error('the request named nothing billed');
}
