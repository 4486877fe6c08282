import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { ExpressionFault } from './expression-tokens.ts';
import { parseExpression } from './parse-expression.ts';

const valuePart = z.looseObject({ aggregation: z.unknown(), value: z.looseObject({ expression: z.string() }) });
const dimensionsPart = z.looseObject({
  dimensions: z.array(z.unknown()).default([]),
  dimensionExpressions: z.record(z.string(), z.unknown()),
});

/** The faults of a meter's expressions: one for each that cannot be read, and for each that computes no dimension. */
export function expressionFaults(input: unknown, at: readonly PropertyKey[]): Fault[] {
  const valued = valuePart.safeParse(input).data;
  // What is counted once may be any text; everything else is a number.
  const wanted = valued?.aggregation === 'unique_count' ? 'any' : 'number';
  const part = dimensionsPart.safeParse(input).data;
  const faults = valued ? faultsOf(valued.value.expression, wanted, [...at, 'value', 'expression']) : [];
  for (const [name, text] of Object.entries(part?.dimensionExpressions ?? {})) {
    const path = [...at, 'dimensionExpressions', name];
    if (typeof text === 'string') faults.push(...faultsOf(text, 'any', path));
    if (part?.dimensions.includes(name)) continue;
    const expected = `one of the meter's dimensions: ${part?.dimensions.map(String).join(', ') || '(it has none)'}`;
    faults.push({
      field: wirePath(path),
      code: 'unknown_dimension',
      detail: `Got ${shown(name)}; expected ${expected}.`,
      got: shown(name),
      expected,
    });
  }
  return faults;
}

function faultsOf(text: string, wanted: 'number' | 'any', path: readonly PropertyKey[]): Fault[] {
  try {
    parseExpression(text, wanted);
    return [];
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    const detail = `At character ${error.position}: ${error.message}.`;
    return [{ field: wirePath(path), code: 'expression_invalid', detail, got: shown(text) }];
  }
}
