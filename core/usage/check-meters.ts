import type { Meter, MeterDefinition } from '../catalog/meter.ts';
import { definitionAt } from '../catalog/meter-definitions.ts';
import { matchesMeter, uncountable } from './count-event.ts';
import type { Uncountable } from './evaluate-expression.ts';
import { type RefusalInput, refuse, shown } from './event-refusal.ts';
import type { EventWarning } from './usage-event.ts';

/** What the door asks the meters about: an event that is read, and when it counts as having occurred (microseconds). */
export interface CheckedEvent {
  readonly index: number;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly occurredAtMicros: number;
}

/** An event that no meter can count is refused; one that only some can count is accepted with a warning for each other. */
export function checkMeters(meters: readonly Meter[], event: CheckedEvent): EventWarning[] {
  const { index, id, type, properties } = event;
  const warnings: EventWarning[] = [];
  let firstFault: RefusalInput | undefined;
  let counted = 0;
  for (const meter of meters) {
    const definition = definitionAt(meter, event.occurredAtMicros);
    if (definition.eventType !== type || !matchesMeter(definition, properties)) continue;
    const found = uncountable(meter, definition, properties);
    if (found === undefined) {
      counted += 1;
      continue;
    }
    const fault = faultOf(meter, definition, found);
    firstFault ??= fault;
    warnings.push({
      index,
      code: 'meter_cannot_count',
      detail: `Event ${index} is accepted, but meter ${meter.key} cannot count it: ${fault.field} is ${shown(fault.got)}; expected ${fault.expected}.`,
    });
  }
  if (counted > 0) return warnings;
  if (firstFault !== undefined) refuse(index, id, firstFault);
  return refuse(index, id, {
    code: 'no_meter_matches',
    field: 'properties',
    got: properties,
    expected: `properties that pass the filter of at least one of the meters ${meters.map((meter) => meter.key).join(', ')}`,
    todo: 'Correct the properties, or widen the filter of a meter.',
  });
}

function faultOf(meter: Meter, { value }: MeterDefinition, found: Uncountable): RefusalInput {
  const { code, property, got } = found;
  const what = typeof value === 'string' ? `${meter.aggregation} of ${value}` : 'it is part of an expression';
  const isText = meter.aggregation === 'unique_count';
  const expected = `${isText ? 'a text that is not empty' : 'a number'} for meter ${meter.key} (${what})`;
  if (code === 'value_missing') {
    const todo = isText ? 'Send the value.' : 'Send the value, as a decimal string to keep every digit.';
    return { code, field: `properties.${property}`, got: undefined, expected, todo };
  }
  if (code === 'value_not_a_number') {
    return {
      code,
      field: `properties.${property}`,
      got,
      expected: `${expected} in plain notation, with at most 26 integer digits and 12 decimal places`,
      todo: 'Send a decimal string such as "12.5".',
    };
  }
  return {
    code,
    field: 'properties',
    got: found.detail,
    expected: `properties from which meter ${meter.key} can compute`,
    todo: 'Correct the numbers that the expression of the meter uses.',
  };
}
