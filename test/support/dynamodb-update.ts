import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { Decimal } from '../../core/money/decimal.ts';
import type { Item } from './dynamodb-expression.ts';

/**
 * Update expressions of DynamoDB, as far as this product writes them to usage tables: `SET name = :value, name = name + :value`.
 * Anything else throws. Numbers are exact, as the real ones are to 38 digits.
 */
const SETTING = /^(\w+)\s*=\s*(?:(\w+)\s*([+-])\s*)?(:\w+)$/;

/** The item after the update; `before` is the stored item, or its key alone when there is none. */
export function updated(expression: string | undefined, before: Item, values: Item | undefined): Item {
  const [, list] = /^SET (.+)$/s.exec(expression?.trim() ?? '') ?? [];
  if (list === undefined) throw new Error(`memory-dynamodb does not know this update: ${expression}`);
  const after = { ...before };
  for (const part of list.split(',')) {
    const [, name, base, sign, value] = SETTING.exec(part.trim()) ?? [];
    const given = values?.[value ?? ''];
    if (name === undefined || given === undefined)
      throw new Error(`memory-dynamodb does not know this update: ${expression}`);
    after[name] = base === undefined ? given : sum(before[base], given, sign === '-');
  }
  return after;
}

function sum(a: AttributeValue | undefined, b: AttributeValue, isTaking: boolean): AttributeValue {
  if (a?.N === undefined || b.N === undefined) throw new Error('ValidationException: an operand is not a number');
  const [left, right] = [Decimal.ofTotal(a.N), Decimal.ofTotal(b.N)];
  return { N: (isTaking ? left.minus(right) : left.plus(right)).toString() };
}
