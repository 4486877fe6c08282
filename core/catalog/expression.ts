/**
 * The small language in which a meter computes its value, or a dimension its text, from an event's properties. Decimals and
 * texts, no variables, no loops: whatever is written ends after as many steps as it has nodes.
 *
 * `input_tokens + 4 * output_tokens`, `round(bytes / 1073741824, 6)`, `greatest(duration, 60)`, `concat(region, '/', size)`.
 * A bare word, or anything in double quotes, is a property; single quotes hold a text.
 */
export type Expression =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'property'; readonly name: string }
  | { readonly kind: 'negate'; readonly of: Expression }
  | { readonly kind: 'arithmetic'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'round'; readonly mode: RoundFunction; readonly of: Expression; readonly places: number }
  | { readonly kind: 'choose'; readonly which: ChooseFunction; readonly of: readonly Expression[] }
  | { readonly kind: 'concat'; readonly of: readonly Expression[] };

export type Operator = '+' | '-' | '*' | '/';
/** `round` to the nearest, halves away from zero; `floor` and `ceil` towards minus and plus infinity. */
export type RoundFunction = 'round' | 'floor' | 'ceil';
export type ChooseFunction = 'least' | 'greatest';

export const FUNCTIONS = ['round', 'floor', 'ceil', 'least', 'greatest', 'concat'] as const;
/** Characters of an expression. */
export const MAX_EXPRESSION_LENGTH = 500;
export const MAX_NODES = 50;
/** Parentheses, functions and signs within each other. */
export const MAX_NESTING = 12;
/** The most digits after the point that `round`, `floor` and `ceil` are asked for, and that a result keeps. */
export const MAX_PLACES = 12;
