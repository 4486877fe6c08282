import type { Meter } from '../catalog/meter.ts';
import { invariantBroken } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { byTimeThenValue } from '../rating/charge-usage.ts';
import { microsOf } from '../time/instant.ts';
import { countEvent, matchesMeter } from '../usage/count-event.ts';
import { microsOfTimestamp } from '../usage/event-time.ts';
import { quantityOf, quotientOf } from '../usage/quantity-of.ts';
import { decodeMembers, encodeMembers, memberOf } from '../usage/unique-members.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';
import type { HypotheticalUsage, SingleEvent } from './estimate-request.ts';
import type { Span } from './estimate-span.ts';

/** When the usage is: transactions without a time begin with the service, a microsecond apart. */
export interface UsageTime {
  readonly service: Span;
  /** What time-weighted sums are a share of. */
  readonly period: Span;
}

/**
 * The slices that reading the usage of a customer would have given: one for each combination of dimension values, single
 * events aggregated as their meter does it.
 */
export function slicesOf(input: HypotheticalUsage, meters: readonly Meter[], time: UsageTime): readonly UsageSlice[] {
  const byKey = new Map(meters.map((meter) => [meter.key, meter]));
  const stated = (input.usage ?? []).flatMap(({ meter: key, quantity, dimensions = {} }, index) => {
    const meter = byKey.get(key);
    return meter ? [{ meter: key, dimensions, ...statedFigures(meter, quantity, time), ...orderOf(index) }] : [];
  });
  const single = (input.transactions ?? []).flatMap((event, index) => {
    const latestAt =
      (event.at === undefined ? null : microsOfTimestamp(event.at)) ?? microsOf(time.service.start) + index;
    const meter = byKey.get(event.meter);
    const counted = meter && countedAs(event, meter);
    if (!meter || !counted) return [];
    const { value, dimensions } = counted;
    const figures = eventFigures(meter, value, { ...time, at: latestAt });
    return [{ meter: event.meter, dimensions, ...figures, ...orderOf(index), latestAt }];
  });
  const groups = Map.groupBy([...stated, ...single], (slice) => groupOf(slice));
  return [...groups.values()].flatMap((slices) => merged(slices, meters));
}

interface CountedEvent {
  readonly value: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

type Figures = Pick<UsageSlice, 'quantity' | 'mean' | 'unique' | 'timed'>;

/** A quantity that is stated, with what it could have been made of. */
function statedFigures({ aggregation }: Meter, quantity: string, { period }: UsageTime): Figures {
  if (aggregation === 'average') return { quantity, mean: { sum: quantity, readings: '1' } };
  if (aggregation === 'unique_count') return { quantity, unique: { members: '', alone: quantity } };
  if (aggregation !== 'time_weighted_sum') return { quantity };
  const overMicros = lengthOf(period);
  return { quantity, timed: { integral: timesMicros(quantity, overMicros), overMicros, level: '0' } };
}

function eventFigures(meter: Meter, value: string, time: UsageTime & { readonly at: number }): Figures {
  const { aggregation, reset } = meter;
  if (aggregation === 'average') return { quantity: value, mean: { sum: value, readings: '1' } };
  if (aggregation === 'unique_count') {
    return { quantity: '1', unique: { members: encodeMembers(new Set([memberOf(value)])), alone: '0' } };
  }
  if (aggregation !== 'time_weighted_sum') return { quantity: value };
  const { service, period, at } = time;
  const overMicros = lengthOf(period);
  const isBefore = at < microsOf(period.start) && reset !== 'carry_over';
  const held = isBefore ? 0 : Math.max(0, microsOf(service.end) - Math.max(at, microsOf(service.start)));
  const integral = timesMicros(value, held);
  const quantity = quotientOf(Decimal.ofTotal(integral), Decimal.of(BigInt(overMicros))).toString();
  return { quantity, timed: { integral, overMicros, level: isBefore ? '0' : value } };
}

function lengthOf({ start, end }: Span): number {
  return microsOf(end) - microsOf(start);
}

function timesMicros(value: string, micros: number): string {
  return Decimal.parse(value)
    .times(Decimal.of(BigInt(micros)))
    .toString();
}

/** What the meter, as it counts now, makes of one event; null where its filter leaves the event out. */
function countedAs(event: SingleEvent, meter: Meter): CountedEvent | null {
  const { value = '1', dimensions = {}, properties } = event;
  if (properties === undefined) return { value: meter.aggregation === 'count' ? '1' : value, dimensions };
  if (!matchesMeter(meter, properties)) return null;
  const counted = countEvent(meter, meter, properties);
  if ('code' in counted) throw invariantBroken('estimate_unread', `An event was taken that ${meter.key} cannot count.`);
  const values = JSON.parse(counted.dimensionKey) as readonly string[];
  return {
    value: counted.value,
    dimensions: Object.fromEntries(meter.dimensions.map((name, index) => [name, values[index] ?? ''])),
  };
}

/** Where entries have no time of their own, the later one in the list is the later one. */
function orderOf(index: number) {
  return { latestAt: 0, latestBy: String(index).padStart(6, '0') };
}

function groupOf({ meter, dimensions }: UsageSlice): string {
  return JSON.stringify([meter, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function merged(slices: readonly UsageSlice[], meters: readonly Meter[]): UsageSlice[] {
  const [first] = slices;
  const meter = meters.find(({ key }) => key === first?.meter);
  if (first === undefined || meter === undefined) return [];
  const { dimensions } = first;
  if (meter.aggregation === 'latest') return slices.map((slice) => ({ ...slice, dimensions }));
  const quantity = quantityOf(meter.aggregation, slices);
  return [{ meter: meter.key, dimensions, quantity, ...mergedFigures(meter, slices) }];
}

function mergedFigures({ aggregation }: Meter, slices: readonly UsageSlice[]): Omit<Partial<UsageSlice>, 'quantity'> {
  const total = (part: (slice: UsageSlice) => string | undefined) =>
    slices.reduce((sum, slice) => sum.plus(Decimal.ofTotal(part(slice) ?? '0')), Decimal.ZERO).toString();
  switch (aggregation) {
    case 'transactions': {
      const single = slices.map(({ quantity, latestAt = 0 }) => ({ value: quantity, occurredAtMicros: latestAt }));
      return { transactions: single.sort(byTimeThenValue) };
    }
    case 'average':
      return { mean: { sum: total(({ mean }) => mean?.sum), readings: total(({ mean }) => mean?.readings) } };
    case 'unique_count': {
      const members = new Set<string>();
      for (const { unique } of slices) if (unique) decodeMembers(unique.members, members);
      return { unique: { members: encodeMembers(members), alone: total(({ unique }) => unique?.alone) } };
    }
    case 'time_weighted_sum': {
      const overMicros = slices[0]?.timed?.overMicros ?? 0;
      const integral = total(({ timed }) => timed?.integral);
      return { timed: { integral, overMicros, level: total(({ timed }) => timed?.level) } };
    }
    default:
      return {};
  }
}
