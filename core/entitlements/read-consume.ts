import { type Fault, faulty } from '../errors.ts';
import { EXTERNAL_ID_PATTERN } from '../ids.ts';
import type { Decimal } from '../money/decimal.ts';
import { type Instant, isInstantText, parseInstant } from '../time/instant.ts';
import { type Ask, askOf, fault, fieldsOf } from './read-ask.ts';

/** The body of a consumption. */
export interface ConsumeAsk extends Ask {
  readonly quantity: Decimal;
  readonly id: string;
  readonly time: Instant | null;
  readonly properties: Readonly<Record<string, string>>;
}

const FIELDS = ['customer', 'feature', 'quantity', 'id', 'time', 'properties'];

/** Reads it by hand, like `readAsk`. Throws `invalid` (code `body_invalid`) with every fault; ingest looks at the properties. */
export function readConsume(body: unknown): ConsumeAsk {
  const { fields, faults } = fieldsOf(body, FIELDS);
  const ask = askOf(fields, faults);
  const { id, time, properties } = fields;
  if (typeof id !== 'string' || id === '' || !EXTERNAL_ID_PATTERN.test(id)) {
    faults.push(
      fault(
        'id',
        id === undefined ? 'missing' : 'invalid_format',
        id,
        'a text of 1 to 255 characters without control characters',
      ),
    );
  }
  const isTimed = typeof time === 'string' && isInstantText(time);
  if (time !== undefined && time !== null && !isTimed) {
    faults.push(fault('time', 'invalid_format', time, 'an RFC 3339 time such as "2026-11-21T03:00:00Z"'));
  }
  const texts = textsOf(properties, faults);
  const { quantity } = ask;
  if (quantity === null || !quantity.isPositive()) {
    if (!faults.some(({ field }) => field === 'quantity'))
      faults.push(
        fault('quantity', quantity === null ? 'missing' : 'not_positive', fields.quantity, 'a quantity above 0'),
      );
    throw faulty('body_invalid', 'The body', faults);
  }
  if (faults.length > 0) throw faulty('body_invalid', 'The body', faults);
  return { ...ask, quantity, id: id as string, time: isTimed ? parseInstant(time) : null, properties: texts };
}

function textsOf(properties: unknown, faults: Fault[]): Readonly<Record<string, string>> {
  if (properties === undefined || properties === null) return {};
  if (typeof properties !== 'object' || Array.isArray(properties)) {
    faults.push(fault('properties', 'wrong_type', properties, 'an object of texts'));
    return {};
  }
  const entries = Object.entries(properties);
  for (const [name, value] of entries) {
    if (typeof value !== 'string') faults.push(fault(`properties.${name}`, 'wrong_type', value, 'a text'));
  }
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
