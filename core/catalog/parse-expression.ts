import { Decimal } from '../money/decimal.ts';
import {
  type Expression,
  FUNCTIONS,
  MAX_EXPRESSION_LENGTH,
  MAX_NESTING,
  MAX_NODES,
  MAX_PLACES,
  type Operator,
} from './expression.ts';
import { ExpressionFault, type Token, tokensOf } from './expression-tokens.ts';

const STRENGTH: Readonly<Record<Operator, number>> = { '+': 1, '-': 1, '*': 2, '/': 2 };
const ANY = 0;
const SIGN = 3;
const MAX_ARGUMENTS = 10;

/**
 * Reads an expression that yields a number, or, for a dimension, anything. Throws `ExpressionFault` with the first fault.
 * Operators of one strength go from left to right; `*` and `/` bind closer than `+` and `-`, a sign closest.
 */
export function parseExpression(text: string, wanted: 'number' | 'any'): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    throw new ExpressionFault(
      MAX_EXPRESSION_LENGTH + 1,
      `got ${text.length} characters; expected at most ${MAX_EXPRESSION_LENGTH}`,
    );
  }
  const parser = new Parser(tokensOf(text));
  const expression = parser.expression(ANY);
  parser.end();
  if (wanted === 'number') refuseText(expression, 1);
  return expression;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #nodes = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expression(strength: number): Expression {
    let left = this.#operand();
    for (;;) {
      const token = this.#peek();
      const operator = token.kind === 'sign' && token.text in STRENGTH ? (token.text as Operator) : null;
      if (operator === null || STRENGTH[operator] <= strength) return left;
      this.#take();
      const right = this.expression(STRENGTH[operator]);
      refuseText(left, token.position);
      refuseText(right, token.position);
      left = this.#node({ kind: 'arithmetic', operator, left, right });
    }
  }

  end(): void {
    const token = this.#peek();
    if (token.kind !== 'end') throw new ExpressionFault(token.position, `got ${shownToken(token)}; expected the end`);
  }

  #operand(): Expression {
    const token = this.#take();
    if (token.kind === 'number') return this.#number(token);
    if (token.kind === 'text') return this.#node({ kind: 'text', text: token.text });
    if (token.kind === 'property') return this.#property(token);
    if (token.kind === 'name') return this.#isAt('(') ? this.#function(token) : this.#property(token);
    if (token.text === '-') {
      const of = this.#nested(() => this.expression(SIGN));
      refuseText(of, token.position);
      return this.#node({ kind: 'negate', of });
    }
    if (token.text === '(') {
      const inner = this.#nested(() => this.expression(ANY));
      this.#expect(')');
      return inner;
    }
    throw new ExpressionFault(
      token.position,
      `got ${shownToken(token)}; expected a number, a property, a text, a function or (`,
    );
  }

  #number(token: Token): Expression {
    if (Decimal.isDecimal(token.text)) return this.#node({ kind: 'number', text: token.text });
    throw new ExpressionFault(
      token.position,
      `got the number ${token.text.slice(0, 40)}; expected plain notation with at most 12 decimal places`,
    );
  }

  #property(token: Token): Expression {
    if (token.text.length >= 1 && token.text.length <= 64) return this.#node({ kind: 'property', name: token.text });
    throw new ExpressionFault(
      token.position,
      `got a property name of ${token.text.length} characters; expected 1 to 64`,
    );
  }

  #function(name: Token): Expression {
    if (!FUNCTIONS.some((known) => known === name.text)) {
      throw new ExpressionFault(
        name.position,
        `got the function ${name.text.slice(0, 40)}; expected ${FUNCTIONS.join(', ')}`,
      );
    }
    this.#take();
    const given = this.#nested(() => this.#arguments());
    if (name.text === 'concat') return this.#node({ kind: 'concat', of: given });
    for (const argument of given) refuseText(argument, name.position);
    const [first, second] = given;
    if (name.text === 'least' || name.text === 'greatest') {
      if (second === undefined)
        throw new ExpressionFault(name.position, `got one argument for ${name.text}; expected two or more`);
      return this.#node({ kind: 'choose', which: name.text, of: given });
    }
    const places = second === undefined ? 0 : second.kind === 'number' ? Number(second.text) : -1;
    if (first === undefined || given.length > 2 || !Number.isInteger(places) || places < 0 || places > MAX_PLACES) {
      throw new ExpressionFault(
        name.position,
        `got other arguments for ${name.text}; expected a number and, if wanted, the places as a whole number from 0 to ${MAX_PLACES}`,
      );
    }
    const mode = name.text === 'floor' || name.text === 'ceil' ? name.text : 'round';
    return this.#node({ kind: 'round', mode, of: first, places });
  }

  #arguments(): Expression[] {
    const given = [this.expression(ANY)];
    while (this.#isAt(',')) {
      const comma = this.#take();
      if (given.length === MAX_ARGUMENTS)
        throw new ExpressionFault(comma.position, `got more than ${MAX_ARGUMENTS} arguments; expected fewer`);
      given.push(this.expression(ANY));
    }
    this.#expect(')');
    return given;
  }

  #nested<T>(read: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING)
      throw new ExpressionFault(this.#peek().position, `got more than ${MAX_NESTING} levels; expected fewer`);
    const result = read();
    this.#nesting -= 1;
    return result;
  }

  #node(expression: Expression): Expression {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES)
      throw new ExpressionFault(this.#peek().position, `got more than ${MAX_NODES} parts; expected fewer`);
    return expression;
  }

  #isAt(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'sign' && token.text === text;
  }

  #expect(text: string): void {
    const token = this.#take();
    if (token.kind === 'sign' && token.text === text) return;
    throw new ExpressionFault(token.position, `got ${shownToken(token)}; expected ${text}`);
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', position: 1 };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }
}

function refuseText(expression: Expression, position: number): void {
  if (expression.kind === 'concat' || expression.kind === 'text')
    throw new ExpressionFault(position, 'got a text where a number is computed; expected a number or a property');
}

function shownToken({ kind, text }: Token): string {
  return kind === 'end' ? 'the end' : JSON.stringify(text.slice(0, 40));
}
