import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { Decimal } from '../../core/money/decimal.ts';

/**
 * Condition and key expressions of DynamoDB, as far as this product writes them. Anything else throws, so that the fake
 * database can never quietly accept what the real one would understand differently.
 */
export type Item = Record<string, AttributeValue>;
type Names = Record<string, string> | undefined;
type Values = Record<string, AttributeValue> | undefined;

const TOKEN = /\s*(<=|>=|<>|[()=<>,]|[#:]?[A-Za-z_][\w.]*)/y;

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const match = TOKEN.exec(expression);
    if (match?.[1] === undefined) throw new Error(`memory-dynamodb does not know this expression: ${expression}`);
    tokens.push(match[1]);
  }
  return tokens;
}

/** Orders two values of one type as DynamoDB does; null when the types differ. */
export function compareValues(a: AttributeValue | undefined, b: AttributeValue | undefined): number | null {
  if (a === undefined || b === undefined) return null;
  if (a.N !== undefined && b.N !== undefined) {
    const [left, right] = [Number(a.N), Number(b.N)];
    if (Number.isSafeInteger(left) && Number.isSafeInteger(right)) return left - right;
    return Decimal.ofTotal(a.N).compare(Decimal.ofTotal(b.N));
  }
  if (a.S !== undefined && b.S !== undefined) return Buffer.compare(Buffer.from(a.S), Buffer.from(b.S));
  if (a.BOOL !== undefined && b.BOOL !== undefined) return Number(a.BOOL) - Number(b.BOOL);
  if (a.B !== undefined && b.B !== undefined) return Buffer.compare(a.B, b.B);
  return null;
}

class Parser {
  readonly #tokens: string[];
  readonly #names: Names;
  readonly #values: Values;
  readonly #item: Item | undefined;
  readonly #text: string;
  #at = 0;

  constructor(text: string, names: Names, values: Values, item: Item | undefined) {
    this.#text = text;
    this.#tokens = tokensOf(text);
    this.#names = names;
    this.#values = values;
    this.#item = item;
  }

  evaluate(): boolean {
    const result = this.#or();
    if (this.#at !== this.#tokens.length) this.#unknown();
    return result;
  }

  #unknown(): never {
    throw new Error(`memory-dynamodb does not know this expression at token ${this.#at}: ${this.#text}`);
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    return token ?? this.#unknown();
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #or(): boolean {
    let result = this.#and();
    while (this.#take('OR')) {
      const right = this.#and();
      result = result || right;
    }
    return result;
  }

  #and(): boolean {
    let result = this.#not();
    while (this.#take('AND')) {
      const right = this.#not();
      result = result && right;
    }
    return result;
  }

  #not(): boolean {
    if (this.#take('NOT')) return !this.#not();
    if (this.#take('(')) {
      const result = this.#or();
      if (!this.#take(')')) this.#unknown();
      return result;
    }
    const token = this.#next();
    if (token === 'attribute_not_exists' || token === 'attribute_exists' || token === 'begins_with')
      return this.#call(token);
    return this.#comparison(this.#operand(token));
  }

  #call(name: string): boolean {
    if (!this.#take('(')) this.#unknown();
    const first = this.#operand(this.#next());
    if (name === 'begins_with') {
      if (!this.#take(',')) this.#unknown();
      const start = this.#operand(this.#next());
      if (!this.#take(')')) this.#unknown();
      return first?.S !== undefined && start?.S !== undefined && first.S.startsWith(start.S);
    }
    if (!this.#take(')')) this.#unknown();
    return (first !== undefined) === (name === 'attribute_exists');
  }

  #comparison(left: AttributeValue | undefined): boolean {
    const operator = this.#next();
    if (operator === 'BETWEEN') {
      const low = compareValues(left, this.#operand(this.#next()));
      if (!this.#take('AND')) this.#unknown();
      const high = compareValues(left, this.#operand(this.#next()));
      return low !== null && high !== null && low >= 0 && high <= 0;
    }
    const order = compareValues(left, this.#operand(this.#next()));
    switch (operator) {
      case '=':
        return order === 0;
      case '<>':
        return order !== 0;
      case '<':
        return order !== null && order < 0;
      case '<=':
        return order !== null && order <= 0;
      case '>':
        return order !== null && order > 0;
      case '>=':
        return order !== null && order >= 0;
      default:
        return this.#unknown();
    }
  }

  #operand(token: string): AttributeValue | undefined {
    if (token.startsWith(':')) {
      const value = this.#values?.[token];
      if (value === undefined) throw new Error(`Expression value ${token} is missing: ${this.#text}`);
      return value;
    }
    const name = token.startsWith('#') ? this.#names?.[token] : token;
    if (name === undefined || name.includes('.')) this.#unknown();
    return this.#item?.[name];
  }
}

/** Whether `item` (undefined: no item) satisfies the expression. */
export function holds(expression: string | undefined, item: Item | undefined, names: Names, values: Values): boolean {
  return expression === undefined || new Parser(expression, names, values, item).evaluate();
}
