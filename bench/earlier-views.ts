import { foldView } from '../core/usage/fold-view.ts';
import type { UsageViews } from '../core/usage/ports.ts';
import type { Reading } from '../core/usage/usage-view.ts';
import { CUSTOMERS_OF, customerName, METERS, PROJECT, REGIONS, type Spread, shareOf } from './workload.ts';

/**
 * The views as the day so far left them: its full hours of every customer's usage. At noon a view has half of what it has at
 * midnight, so that what a fold costs then is what it costs on the day's average.
 */
const DAY = '20261121';
const DAY_START_MILLIS = Date.UTC(2026, 10, 21);
const HOUR_MILLIS = 3_600_000;
const QUARTER_SECONDS = 900;

interface EarlierUsage {
  readonly eventsPerSecond: number;
  readonly customers: Spread;
  readonly untilMillis: number;
}

export async function writeEarlierViews(
  views: UsageViews,
  { eventsPerSecond, customers, untilMillis }: EarlierUsage,
  random: () => number,
): Promise<void> {
  for (let i = 0; i < CUSTOMERS_OF[customers]; i++) {
    const perCell = (eventsPerSecond * QUARTER_SECONDS * shareOf(customers, i)) / REGIONS.length;
    const customer = customerName(i);
    const key = { project: PROJECT, customer, day: DAY, part: '' };
    const hours = Math.floor((untilMillis - DAY_START_MILLIS) / HOUR_MILLIS);
    const partitions = Array.from({ length: hours }, (_, hour) => ({
      partition: `0.${DAY}${String(hour).padStart(2, '0')}`,
      upTo: 1,
      chunks: [
        { sequence: 1, readings: [0, 1, 2, 3].flatMap((quarter) => readingsOf(4 * hour + quarter, perCell, random)) },
      ],
    }));
    if (hours > 0) await foldView({ key, partitions }, views);
  }
}

function readingsOf(quarter: number, perCell: number, random: () => number): Reading[] {
  const readings: Reading[] = [];
  for (const region of REGIONS) {
    const count = arrivalsIn(perCell, random);
    if (count === 0) continue;
    const tokens = 1 + Math.floor(random() * 4000);
    const total = { calls: count, tokens: count * tokens, peak: tokens };
    for (const { key, aggregation, dimensions } of METERS.meters) {
      readings.push({
        meter: key,
        aggregation,
        names: dimensions,
        dimensionKey: JSON.stringify([region]),
        quarter,
        value: String(total[key as keyof typeof total]),
        occurredAtMicros: DAY_START_MILLIS * 1000 + quarter * QUARTER_SECONDS * 1_000_000 + Math.floor(random() * 9e8),
        fingerprint: Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join(''),
      });
    }
  }
  return readings;
}

/** How many events fall into a cell that gets `mean` of them on average: random when they are few. */
function arrivalsIn(mean: number, random: () => number): number {
  if (mean > 30) return Math.round(mean);
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
}
