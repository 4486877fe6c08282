import type { Expression } from '../catalog/expression.ts';
import type { Meter, MeterDefinition } from '../catalog/meter.ts';
import { parseExpression } from '../catalog/parse-expression.ts';
import { Decimal } from '../money/decimal.ts';
import {
  evaluateMember,
  evaluateNumber,
  evaluateText,
  type Properties,
  type Uncountable,
} from './evaluate-expression.ts';
import { propertyOf } from './property-of.ts';

/**
 * What one event counts for one meter. The door asks whether it can be counted, folding asks for what: both by the functions
 * here, so that an event accepted for a meter is one that folding counts by it.
 */
export interface Counted {
  /** A plain decimal within the product's limits, "1" for a count; of a unique count the text that is counted once. */
  readonly value: string;
  /** Dimension values as a JSON array in the definition's order; a property that is absent is an empty text. */
  readonly dimensionKey: string;
}

interface Compiled {
  readonly value: Expression | null;
  readonly dimensions: ReadonlyMap<string, Expression>;
}

/** Expressions are read once for each definition; those of meters without any never are. */
const compiled = new WeakMap<MeterDefinition, Compiled>();

/** Whether the event passes the filter: for every property named there, one of its values. */
export function matchesMeter({ filter }: MeterDefinition, properties: Properties): boolean {
  if (filter === undefined) return true;
  for (const [key, values] of Object.entries(filter)) {
    if (!values.includes(propertyOf(properties, key) ?? '')) return false;
  }
  return true;
}

type Kind = Pick<Meter, 'aggregation'>;

/** The event's count by one definition of a meter, or why there is none. The filter is not looked at. */
export function countEvent(meter: Kind, definition: MeterDefinition, properties: Properties): Counted | Uncountable {
  const value = countedValue(meter, definition, properties);
  if (typeof value !== 'string') return value;
  const dimensionKey = dimensionKeyOf(definition, properties);
  return typeof dimensionKey === 'string' ? { value, dimensionKey } : dimensionKey;
}

/** Why the event has no count, if so: `countEvent` without the work that only folding needs. */
export function uncountable(meter: Kind, definition: MeterDefinition, properties: Properties): Uncountable | undefined {
  const value = countedValue(meter, definition, properties);
  if (typeof value !== 'string') return value;
  if (definition.dimensionExpressions === undefined) return undefined;
  const dimensionKey = dimensionKeyOf(definition, properties);
  return typeof dimensionKey === 'string' ? undefined : dimensionKey;
}

function countedValue(
  { aggregation }: Kind,
  definition: MeterDefinition,
  properties: Properties,
): string | Uncountable {
  const { value } = definition;
  if (value === undefined) return '1';
  const isText = aggregation === 'unique_count';
  if (typeof value !== 'string') {
    const expression = expressionOf(definition);
    return isText ? evaluateMember(expression, properties) : evaluateNumber(expression, properties);
  }
  const found = propertyOf(properties, value);
  // An empty text is nobody: counting it would make all that left it out one and the same.
  if (found === undefined || (isText && found === '')) {
    return { code: 'value_missing', property: value, detail: `the property ${value} is missing` };
  }
  if (isText || Decimal.isDecimal(found)) return found;
  return { code: 'value_not_a_number', property: value, got: found, detail: `the property ${value} is not a number` };
}

function dimensionKeyOf(definition: MeterDefinition, properties: Properties): string | Uncountable {
  const { dimensions, dimensionExpressions } = definition;
  if (dimensionExpressions === undefined) {
    return JSON.stringify(dimensions.map((name) => propertyOf(properties, name) ?? ''));
  }
  const expressions = compiledOf(definition).dimensions;
  const values: string[] = [];
  for (const name of dimensions) {
    const expression = expressions.get(name);
    const value =
      expression === undefined ? (propertyOf(properties, name) ?? '') : evaluateText(expression, properties);
    if (typeof value !== 'string') return value;
    values.push(value);
  }
  return JSON.stringify(values);
}

function expressionOf(definition: MeterDefinition): Expression {
  return compiledOf(definition).value ?? { kind: 'text', text: '' };
}

function compiledOf(definition: MeterDefinition): Compiled {
  const known = compiled.get(definition);
  if (known !== undefined) return known;
  const { value, dimensionExpressions } = definition;
  const made: Compiled = {
    // Held to being a number when the meter was written, unless it counts different texts.
    value: typeof value === 'object' ? parseExpression(value.expression, 'any') : null,
    dimensions: new Map(
      Object.entries(dimensionExpressions ?? {}).map(([name, text]) => [name, parseExpression(text, 'any')]),
    ),
  };
  compiled.set(definition, made);
  return made;
}
