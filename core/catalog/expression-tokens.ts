/** One word of an expression; `position` counts characters from 1, for the fault that names it. */
export interface Token {
  readonly kind: 'number' | 'name' | 'property' | 'text' | 'sign' | 'end';
  readonly text: string;
  readonly position: number;
}

/** What is wrong with an expression: the first thing, and where. */
export class ExpressionFault extends Error {
  readonly position: number;

  constructor(position: number, detail: string) {
    super(detail);
    this.position = position;
  }
}

const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['number', /\d[\w.]*/y],
  ['name', /[A-Za-z_]\w*(?:\.\w+)*/y],
  ['property', /"(?:[^"]|"")*"/y],
  ['text', /'(?:[^']|'')*'/y],
  ['sign', /[-+*/(),]/y],
];
const SPACE = /\s*/y;

/** The words of an expression, the last of them `end`. Throws `ExpressionFault`. */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const skipSpace = () => {
    SPACE.lastIndex = at;
    at += SPACE.exec(expression)?.[0].length ?? 0;
  };
  for (skipSpace(); at < expression.length; skipSpace()) {
    const token = tokenAt(expression, at);
    tokens.push({ ...token, text: unquoted(token) });
    at += token.text.length;
  }
  return [...tokens, { kind: 'end', text: '', position: expression.length + 1 }];
}

function tokenAt(expression: string, at: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(expression)?.[0];
    if (text !== undefined) return { kind, text, position: at + 1 };
  }
  const found = expression.slice(at, at + 12);
  const isOpen = found.startsWith('"') || found.startsWith("'");
  throw new ExpressionFault(
    at + 1,
    isOpen
      ? `got a quote that is never closed; expected another ${found[0]}`
      : `got ${JSON.stringify(found)}; expected a number, a property, a text in single quotes, a function or one of + - * / ( ) ,`,
  );
}

function unquoted({ kind, text }: Token): string {
  const quote = kind === 'property' ? '"' : kind === 'text' ? "'" : null;
  return quote === null ? text : text.slice(1, -1).replaceAll(quote + quote, quote);
}
