import type { DemoPlan } from './demo-catalog.ts';

/**
 * The demo's prices, written down a second time, and its lines, computed with whole numbers alone: quantities in picounits,
 * prices in picodollars, amounts in their product times the days of the month. Nothing of the product's code is used; if the
 * product and this file ever disagree, one of them is wrong.
 */
const PICO = 1_000_000_000_000n;

/** What was used in one part of the month. */
export interface PartUsage {
  /** API calls from the EU, and from anywhere else. */
  apiEu: bigint;
  apiOther: bigint;
  tokens: bigint;
  /** The highest reading of the whole month, in pico-GB: a level belongs to no part of it. */
  storagePeak: bigint;
}

/** For how many of the month's days fees, allowances, envelopes and commitments count. */
export interface Days {
  readonly part: bigint;
  readonly whole: bigint;
  /** The days on which the plan was in force: what it bills of a level. */
  readonly served: bigint;
}

/** Cents by what the line's key ends with. */
export type BilledLines = ReadonlyMap<string, bigint>;

/** The lines of one part of the month by one plan. */
export function billedLines(plan: DemoPlan, usage: PartUsage, days: Days): BilledLines {
  const amounts = plan === 'growth' ? growth(usage, days) : scale(usage, days);
  const lines = new Map([...amounts].map(([key, amount]) => [key, cents(amount, days.whole)]));
  if (days.part === 0n) return lines;
  const committed = dollars(plan === 'growth' ? 90n : 150n) * days.part;
  const billed = [...lines.values()].reduce((sum, line) => sum + line, 0n) * CENT * days.whole;
  if (billed < committed) lines.set('commitment/true-up', cents(committed - billed, days.whole));
  // 1.1 times the price above the commitment: a tenth more
  if (billed > committed && plan === 'growth')
    lines.set('commitment/overage', cents(billed - committed, 10n * days.whole));
  return lines;
}

function growth(usage: PartUsage, days: Days): Map<string, bigint> {
  const { whole, served } = days;
  const calls = usage.apiOther * PICO;
  const tokens = usage.tokens * PICO;
  // 100,000 credits: a call from the EU takes 50 first, a token takes 1 of what is left
  const credits = shareOf(100_000n * PICO, days);
  const euWanted = usage.apiEu * 50n * PICO;
  const euCovered = euWanted <= credits ? usage.apiEu * PICO : credits / 50n;
  const creditsLeft = euWanted <= credits ? credits - euWanted : 0n;
  const storagePackages = (usage.storagePeak + 10n * PICO - 1n) / (10n * PICO);
  return new Map([
    ['platform/fixed', dollars(49n) * days.part],
    ['api/usage', above(calls, shareOf(1000n * PICO, days)) * 4_000_000_000n * whole], // $0.004
    ['api_eu/usage', (usage.apiEu * PICO - euCovered) * 5_500_000_000n * whole], // $0.0055
    ['tokens/usage', graduated(above(tokens, creditsLeft)) * whole],
    ['storage/usage', (storagePackages * dollars(25n) * served) / 10n], // $2.50 for each 10 GB begun
  ]);
}

function graduated(tokens: bigint): bigint {
  const first = 250_000n * PICO;
  const second = 1_000_000n * PICO;
  if (tokens <= first) return tokens * 20_000_000n; // $0.00002
  const below = first * 20_000_000n + dollars(1n); // the second tier costs $1 once entered
  if (tokens <= second) return below + (tokens - first) * 15_000_000n; // $0.000015
  return below + (second - first) * 15_000_000n + (tokens - second) * 9_500_000n; // $0.0000095
}

function scale(usage: PartUsage, days: Days): Map<string, bigint> {
  const { whole, served } = days;
  const tokenPrice = usage.tokens <= 500_000n ? 12_000_000n : 9_000_000n; // $0.000012, or $0.000009 for all of them
  return new Map([
    ['platform/fixed', dollars(99n) * days.part],
    ['api/usage', above(usage.apiOther * PICO, shareOf(2000n * PICO, days)) * 2_000_000_000n * whole], // $0.002
    ['api_eu/usage', usage.apiEu * PICO * 3_000_000_000n * whole], // $0.003
    ['tokens/usage', usage.tokens * PICO * tokenPrice * whole],
    ['storage/usage', dollars(storageStep(usage.storagePeak)) * served],
  ]);
}

function storageStep(peak: bigint): bigint {
  if (peak === 0n) return 0n;
  if (peak <= 50n * PICO) return 8n;
  return peak <= 100n * PICO ? 14n : 30n;
}

const above = (quantity: bigint, free: bigint) => (quantity > free ? quantity - free : 0n);
const dollars = (count: bigint) => count * PICO * PICO;
const CENT = (PICO * PICO) / 100n;

/** What is included in a part of the month, to the nearest picounit, a half upwards. */
const shareOf = (quantity: bigint, { part, whole }: Days) => (2n * quantity * part + whole) / (2n * whole);

/** An amount to cents, half away from zero; every amount here is positive. */
const cents = (amount: bigint, whole: bigint) => (2n * amount + CENT * whole) / (2n * CENT * whole);
