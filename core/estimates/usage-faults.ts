import type { Meter } from '../catalog/meter.ts';
import type { Fault } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { matchesMeter, uncountable } from '../usage/count-event.ts';
import type { HypotheticalUsage, SingleEvent } from './estimate-request.ts';

type Path = readonly PropertyKey[];
interface Entry {
  readonly meter: string;
  readonly dimensions?: Readonly<Record<string, string>> | undefined;
}

/** What no meter could have counted: meters and dimensions that are not there, events without a value, a count below zero. */
export function usageFaults(input: HypotheticalUsage, meters: readonly Meter[], at: Path = []): Fault[] {
  const byKey = new Map(meters.map((meter) => [meter.key, meter]));
  const stated = (input.usage ?? []).flatMap((entry, index) => {
    const path = [...at, 'usage', index];
    return [...targetFaults(entry, byKey, path), ...quantityFaults(entry, byKey.get(entry.meter), path)];
  });
  const single = (input.transactions ?? []).flatMap((entry, index) => {
    const path = [...at, 'transactions', index];
    return [...targetFaults(entry, byKey, path), ...valueFaults(entry, byKey.get(entry.meter), path)];
  });
  return [...stated, ...single];
}

function targetFaults(entry: Entry, byKey: ReadonlyMap<string, Meter>, path: Path): Fault[] {
  const meter = byKey.get(entry.meter);
  if (meter === undefined) {
    const known = [...byKey.keys()].sort().slice(0, 20).join(', ');
    const expected = `a meter of this request or of the project: ${known || '(none yet)'}`;
    return [faultOf([...path, 'meter'], 'unknown_meter', entry.meter, expected)];
  }
  return Object.keys(entry.dimensions ?? {})
    .filter((name) => !meter.dimensions.includes(name))
    .map((name) => {
      const expected = `a dimension of the meter ${meter.key}: ${meter.dimensions.join(', ') || '(it has none)'}`;
      return faultOf([...path, 'dimensions', name], 'unknown_dimension', name, expected);
    });
}

function quantityFaults(entry: { quantity: string }, meter: Meter | undefined, path: Path): Fault[] {
  if (meter?.aggregation === 'transactions') {
    const expected = `its single events, in transactions, because ${meter.key} is a meter of the kind transactions`;
    return [faultOf([...path, 'meter'], 'transactions_needed', meter.key, expected)];
  }
  if (meter?.aggregation === 'unique_count' && !isWhole(entry.quantity)) {
    return [faultOf([...path, 'quantity'], 'not_a_whole_number', entry.quantity, 'a whole number of at least 0')];
  }
  if (meter?.aggregation !== 'count' || !Decimal.parse(entry.quantity).isNegative()) return [];
  return [faultOf([...path, 'quantity'], 'negative_count', entry.quantity, 'a count of at least 0')];
}

function isWhole(quantity: string): boolean {
  const value = Decimal.parse(quantity);
  return value.isInteger() && !value.isNegative();
}

function valueFaults(entry: SingleEvent, meter: Meter | undefined, path: Path): Fault[] {
  if (meter === undefined) return [];
  if (entry.properties !== undefined) return propertyFaults(entry, meter, path);
  if (meter.aggregation === 'count') return [];
  if (entry.value !== undefined) return numberFaults(entry.value, meter, path);
  const expected = `the value of the event, because ${meter.key} is a meter of the kind ${meter.aggregation}`;
  return [faultOf([...path, 'value'], 'missing', undefined, expected)];
}

function numberFaults(value: string, { key, aggregation }: Meter, path: Path): Fault[] {
  if (aggregation === 'unique_count' ? value !== '' : Decimal.isDecimal(value)) return [];
  const expected = aggregation === 'unique_count' ? 'a text that is not empty' : 'a decimal string such as "12.34"';
  const code = aggregation === 'unique_count' ? 'value_missing' : 'decimal_invalid';
  return [faultOf([...path, 'value'], code, value, `${expected} for the meter ${key}`)];
}

/** Properties stand by themselves, and the meter can count them. */
function propertyFaults(entry: SingleEvent, meter: Meter, path: Path): Fault[] {
  const beside = (['value', 'dimensions'] as const).filter((name) => entry[name] !== undefined);
  const faults = beside.map((name) =>
    faultOf([...path, name], 'not_allowed', entry[name], 'either this or properties, from which the meter reads it'),
  );
  const properties = entry.properties ?? {};
  const found = matchesMeter(meter, properties) ? uncountable(meter, meter, properties) : undefined;
  if (found === undefined) return faults;
  const at = [...path, 'properties', ...(found.property === undefined ? [] : [found.property])];
  const expected = `properties that the meter ${meter.key} can count: ${found.detail}`;
  return [...faults, faultOf(at, found.code, found.got, expected)];
}

function faultOf(path: Path, code: string, got: unknown, expected: string): Fault {
  const detail = `Got ${shown(got)}; expected ${expected}.`;
  return { field: wirePath(path), code, detail, got: shown(got), expected };
}
