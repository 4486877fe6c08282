import type { Aggregation, Meter } from '../catalog/meter.ts';
import { quarterOf } from './fold.ts';
import { dayStartMillis } from './log-partition.ts';
import { type MicrosSpan, OpenSlice } from './open-slice.ts';
import type { StoredView } from './ports.ts';
import type { UsageSlice } from './usage-snapshot.ts';

const DAY_MICROS = 86_400_000_000;
const QUARTER_MICROS = 900_000_000;

/** What of a span's usage began before it. */
export interface Opening {
  /** Meters whose level goes on through the span, by key. */
  readonly meters: ReadonlyMap<string, Aggregation>;
  /** Their slices of the time before: the level at its end is the one with which the span begins. */
  readonly slices: readonly UsageSlice[];
}

export const NOTHING_BEFORE: Opening = { meters: new Map(), slices: [] };

/**
 * The usage of a span from the views of its days, by meter and dimension values, in a fixed order. `overMicros` is what
 * time-weighted sums are divided by where that is not the span's own length. Pure.
 */
export function sliceUsage(
  views: readonly StoredView[],
  span: MicrosSpan,
  opening: Opening = NOTHING_BEFORE,
  overMicros?: number,
): UsageSlice[] {
  const slices = new Map<string, OpenSlice>();
  for (const { key, view } of views) {
    const dayMicros = dayStartMillis(key.day) * 1000;
    const first = span.from <= dayMicros ? 0 : quarterOf(span.from);
    const last = span.to >= dayMicros + DAY_MICROS ? 95 : quarterOf(span.to - 1);
    for (const [meter, { aggregation, names, dimensions }] of Object.entries(view.meters)) {
      // A meter may have had fewer dimensions in its earlier days, so the names belong to what tells slices apart.
      const suffix = JSON.stringify(names);
      for (const [dimensionKey, cells] of Object.entries(dimensions)) {
        const name = `${meter}\0${dimensionKey}\0${suffix}`;
        for (const [quarter, cell] of Object.entries(cells)) {
          const at = Number(quarter);
          if (at < first || at > last) continue;
          let slice = slices.get(name);
          if (slice === undefined) {
            slice = new OpenSlice({ meter, aggregation, dimensions: dimensionsOf(names, dimensionKey) }, span);
            slices.set(name, slice);
          }
          slice.add(cell, dayMicros + at * QUARTER_MICROS);
        }
      }
    }
  }
  for (const before of opening.slices) continueSlice(slices, span, before, opening);
  return [...slices].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, slice]) => slice.closed(overMicros) ?? []);
}

function continueSlice(slices: Map<string, OpenSlice>, span: MicrosSpan, before: UsageSlice, opening: Opening): void {
  const { meter, dimensions } = before;
  const aggregation = opening.meters.get(meter);
  if (aggregation === undefined) return;
  const [names, values] = [Object.keys(dimensions), Object.values(dimensions)];
  const name = `${meter}\0${JSON.stringify(values)}\0${JSON.stringify(names)}`;
  const slice = slices.get(name) ?? new OpenSlice({ meter, aggregation, dimensions }, span);
  slice.continueFrom(before);
  slices.set(name, slice);
}

/** Meters whose usage of a span depends on what was before it. */
export function goesOn({ aggregation, reset }: Pick<Meter, 'aggregation' | 'reset'>): boolean {
  return aggregation === 'time_weighted_sum' || reset === 'carry_over';
}

function dimensionsOf(names: readonly string[], key: string): Record<string, string> {
  const values = JSON.parse(key) as string[];
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
