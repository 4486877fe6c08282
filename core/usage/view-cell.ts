import type { Aggregation } from '../catalog/meter.ts';
import { invariantBroken } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { QUARTER_HOUR_MILLIS } from '../time/quarter-hour.ts';
import type { Reading } from './usage-view.ts';

/**
 * Total of a sum or count; of an average `sum/readings`; of a time-weighted sum `change/moment`, where the moment is the sum of
 * every change times the microseconds of the quarter hour before it; contributions of max, min and latest: partition to
 * [value, micros, fingerprint]; of a unique count partition to set of members (unique-members.ts); or the single amounts of
 * transactions.
 */
export type Cell = string | Readonly<Record<string, Contribution>> | MemberSets | readonly Amount[];
export type MemberSets = Readonly<Record<string, string>>;
export type Contribution = readonly [value: string, occurredAtMicros: number, fingerprint: string];
/** One transaction; cells hold them by (time, value), so that the order of folding does not show. */
export type Amount = readonly [value: string, occurredAtMicros: number];

/** Whether readings of an aggregation add up in a cell, so that one can be taken out again by itself. */
export function addsUp(aggregation: Aggregation): boolean {
  return !keepsContributions(aggregation);
}

/** Whether a cell keeps what each log partition contributed: one that chooses forgets what it did not choose. */
export function keepsContributions(aggregation: Aggregation): boolean {
  return CONTRIBUTED.has(aggregation);
}

const CONTRIBUTED: ReadonlySet<Aggregation> = new Set(['max', 'min', 'latest', 'unique_count']);
const PAIRED: ReadonlySet<Aggregation> = new Set(['average', 'time_weighted_sum']);

/** A cell with one more reading of a log partition; none where it comes to nothing. Amounts and members, which come in lists, have ways of their own. */
export function addToCell(cell: Cell | undefined, partition: string, reading: Reading): Cell | undefined {
  const { aggregation } = reading;
  if (addsUp(aggregation)) return sumWith(cell, reading, Decimal.parse(reading.value), 1);
  if (typeof cell === 'string' || isAmounts(cell))
    throw invariantBroken('view_damaged', `A ${aggregation} cell holds a total.`);
  // Of a maximum or minimum only the value counts; time and identity would be most of what the view weighs.
  const mine: Contribution =
    aggregation === 'latest' ? [reading.value, reading.occurredAtMicros, reading.fingerprint] : [reading.value, 0, ''];
  const contributions = cell as Readonly<Record<string, Contribution>> | undefined;
  const known = contributions?.[partition];
  return { ...contributions, [partition]: known === undefined ? mine : stronger(aggregation, known, mine) };
}

/** A cell without one reading that it holds; none where nothing is left. */
export function takeFromCell(cell: Cell | undefined, reading: Reading): Cell | undefined {
  if (addsUp(reading.aggregation)) return sumWith(cell, reading, Decimal.parse(reading.value).negated(), -1);
  throw invariantBroken(
    'view_damaged',
    `Got a ${reading.aggregation} reading to take out; its partition has to be replaced.`,
  );
}

/** A cell without what a partition contributed: the very same cell where that is nothing, none where it is all. */
export function withoutPartition(cell: Cell, partition: string): Cell | undefined {
  if (typeof cell === 'string' || isAmounts(cell))
    throw invariantBroken('view_damaged', 'A cell holds no contributions.');
  if (cell[partition] === undefined) return cell;
  const { [partition]: _, ...others } = cell as MemberSets;
  return Object.keys(others).length === 0 ? undefined : others;
}

/** The cell with `value` (negated: without it); `by` is how many readings that is. */
function sumWith(cell: Cell | undefined, reading: Reading, value: Decimal, by: 1 | -1): Cell | undefined {
  const { aggregation, occurredAtMicros } = reading;
  if (cell !== undefined && typeof cell !== 'string')
    throw invariantBroken('view_damaged', `A ${aggregation} cell holds contributions.`);
  if (PAIRED.has(aggregation)) {
    const into = BigInt(occurredAtMicros % QUARTER_MICROS);
    const beside = aggregation === 'average' ? Decimal.of(BigInt(by)) : value.times(Decimal.of(into));
    const before = cell === undefined ? { first: Decimal.ZERO, second: Decimal.ZERO } : pairOf(cell);
    const [first, second] = [before.first.plus(value), before.second.plus(beside)];
    return first.isZero() && second.isZero() ? undefined : `${first}/${second}`;
  }
  const total = cell === undefined ? value : decimalOf(cell).plus(value);
  return total.isZero() ? undefined : total.toString();
}

const QUARTER_MICROS = QUARTER_HOUR_MILLIS * 1000;

/** The two totals of a cell of an average (sum, readings) or a time-weighted sum (change, moment). */
export function pairOf(cell: Cell): { readonly first: Decimal; readonly second: Decimal } {
  const [first, second] = typeof cell === 'string' ? cell.split('/') : [];
  if (first === undefined || second === undefined)
    throw invariantBroken('view_damaged', 'A cell holds no pair of totals.');
  return { first: decimalOf(first), second: decimalOf(second) };
}

/** The sets of members in a cell of a unique count, by partition. */
export function memberSetsOf(cell: Cell): MemberSets {
  if (typeof cell === 'string' || isAmounts(cell)) throw invariantBroken('view_damaged', 'A cell holds no members.');
  return cell as MemberSets;
}

function isAmounts(cell: Cell | undefined): cell is readonly Amount[] {
  return Array.isArray(cell);
}

/** The single amounts of a transactions cell. */
export function amountsOf(cell: Cell): readonly Amount[] {
  if (isAmounts(cell)) return cell;
  throw invariantBroken('view_damaged', 'A transactions cell holds something else than amounts.');
}

/** By time, then by value: the order in which prices see single transactions. */
export function compareAmounts(a: Amount, b: Amount): number {
  return a[1] - b[1] || decimalOf(a[0]).compare(decimalOf(b[0]));
}

/** A sum may have more digits than a single quantity is allowed, so totals are read without the limits of the door. */
export function decimalOf(text: string): Decimal {
  const dot = text.indexOf('.');
  return dot < 0
    ? Decimal.of(BigInt(text))
    : Decimal.of(BigInt(text.slice(0, dot) + text.slice(dot + 1)), text.length - dot - 1);
}

/** Of two contributions the one that counts. `latest` orders by (occurredAt, identity). */
export function stronger(aggregation: Aggregation, a: Contribution, b: Contribution): Contribution {
  if (aggregation === 'latest') {
    if (a[1] !== b[1]) return a[1] > b[1] ? a : b;
    return a[2] >= b[2] ? a : b;
  }
  const order = decimalOf(a[0]).compare(decimalOf(b[0]));
  if (order === 0) return a[2] >= b[2] ? a : b;
  return order > 0 === (aggregation === 'max') ? a : b;
}

/** The contribution a max, min or latest cell comes down to. */
export function strongest(aggregation: Aggregation, cell: Cell): Contribution {
  const contributions: readonly Contribution[] =
    typeof cell === 'string' || isAmounts(cell) ? [] : Object.values(cell as Readonly<Record<string, Contribution>>);
  const first = contributions[0];
  if (first === undefined) throw invariantBroken('view_damaged', `A ${aggregation} cell has no contribution.`);
  return contributions.reduce((best, next) => stronger(aggregation, best, next), first);
}
