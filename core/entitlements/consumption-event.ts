import type { Meter } from '../catalog/meter.ts';
import { definitionAt } from '../catalog/meter-definitions.ts';
import { faulty, invalid } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { type Instant, microsOf } from '../time/instant.ts';
import { countEvent, matchesMeter } from '../usage/count-event.ts';
import type { QuotaScope } from './feature.ts';

/** What is to be consumed. */
export interface Consumption {
  readonly customer: string;
  /** Of the event: the same id is consumed once. */
  readonly id: string;
  /** Above 0. */
  readonly quantity: Decimal;
  readonly time: Instant;
  /** Values as text. */
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * The usage event of a consumption, such that the feature's meter counts exactly the quantity: where the meter's value is a
 * property, the quantity is written there. Throws `invalid`: `feature_not_consumable` for a meter that no single event adds
 * to, `time_outside_window`, or `consume_invalid` where the meter would count something else or the feature would not see it.
 */
export function consumptionEvent(consumption: Consumption, meter: Meter, scope: QuotaScope) {
  const { customer, id, quantity, time } = consumption;
  if (!['count', 'sum', 'transactions'].includes(meter.aggregation)) {
    throw invalid(
      'feature_not_consumable',
      `The feature ${scope.feature} watches the ${meter.aggregation} of ${meter.key}, to which nothing can be added. Send events and check it.`,
    );
  }
  const { start, end } = scope.window;
  if (time < start || time >= end) {
    throw invalid(
      'time_outside_window',
      `Got ${time}; expected a time in the window of the quota, from ${start} to before ${end}. Send older usage as events.`,
    );
  }
  const definition = definitionAt(meter, microsOf(time));
  const { value } = definition;
  const properties =
    typeof value === 'string' && consumption.properties[value] === undefined
      ? { ...consumption.properties, [value]: quantity.toString() }
      : consumption.properties;
  const counted = countEvent(meter, definition, properties);
  if (!('value' in counted))
    throw unlike('properties', counted.detail, `properties that the meter ${meter.key} counts`);
  if (!Decimal.parse(counted.value).equals(quantity)) {
    throw unlike(
      'quantity',
      quantity.toString(),
      value === undefined
        ? '1: the meter counts events'
        : `${counted.value}, which the meter counts of these properties`,
    );
  }
  if (!matchesMeter(definition, properties)) {
    throw unlike(
      'properties',
      'properties that its filter leaves out',
      `properties that the meter ${meter.key} counts`,
    );
  }
  const values = JSON.parse(counted.dimensionKey) as string[];
  for (const [dimension, allowed] of Object.entries(scope.filter)) {
    const own = values[definition.dimensions.indexOf(dimension)] ?? '';
    if (!allowed.includes(own)) {
      throw unlike(
        `properties.${dimension}`,
        JSON.stringify(own),
        `one of ${allowed.join(', ')}, which the feature watches`,
      );
    }
  }
  return { id, type: definition.eventType, customer, time, properties };
}

function unlike(field: string, got: string, expected: string) {
  const detail = `Got ${got}; expected ${expected}.`;
  return faulty('consume_invalid', 'The consumption', [{ field, code: 'consume_invalid', detail, got, expected }]);
}
