import { invariantBroken } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { decodeMembers, encodeMembers } from './unique-members.ts';
import type { MeterUsage, Reading, UsageView } from './usage-view.ts';
import {
  type Amount,
  addToCell,
  amountsOf,
  type Cell,
  compareAmounts,
  keepsContributions,
  type MemberSets,
  memberSetsOf,
  takeFromCell,
  withoutPartition,
} from './view-cell.ts';

type Cells = Record<string, Cell>;

/**
 * A copy of a view's meters that changes: what it has copied already it may change; what was passed in stays as it is. What
 * comes down to nothing is not kept: no cell, no dimension and no meter. So the outcome depends on nothing but the readings
 * that are left, and never on what was there for a while.
 */
export class GrowingMeters {
  readonly #meters: Record<string, MeterUsage>;
  readonly #dimensions = new Map<string, Record<string, Readonly<Cells>>>();
  readonly #cells = new Map<string, { readonly meter: string; readonly key: string; readonly cells: Cells }>();
  readonly #amounts = new Map<
    string,
    { readonly cells: Cells; readonly quarter: number; readonly amounts: Amount[] }
  >();

  readonly #members = new Map<string, OpenMembers>();

  constructor(meters: UsageView['meters']) {
    this.#meters = { ...meters };
  }

  add(partition: string, reading: Reading): void {
    const { aggregation, quarter } = reading;
    const cells = this.#cellsFor(reading);
    if (aggregation === 'transactions') this.#amountsOf(reading, cells).push(amountOf(reading));
    else if (aggregation === 'unique_count') this.#membersOf(partition, reading, cells).add(reading.value);
    else this.#keep(cells, quarter, addToCell(cells[quarter], partition, reading));
  }

  /** Takes out one reading that was added; only of aggregations that add up. */
  takeOut(reading: Reading): void {
    const { aggregation, quarter } = reading;
    const cells = this.#cellsFor(reading);
    if (aggregation === 'transactions') takeAmount(this.#amountsOf(reading, cells), amountOf(reading));
    else this.#keep(cells, quarter, takeFromCell(cells[quarter], reading));
  }

  /** Takes out all that a partition contributed to meters that keep one contribution for each partition. */
  takeOutPartition(partition: string): void {
    for (const [meter, usage] of Object.entries(this.#meters)) {
      if (!keepsContributions(usage.aggregation)) continue;
      for (const [key, before] of Object.entries(usage.dimensions)) {
        for (const [quarter, cell] of Object.entries(before)) {
          const left = withoutPartition(cell, partition);
          if (left !== cell) this.#keep(this.#cellsOf(meter, key, usage), Number(quarter), left);
        }
      }
    }
  }

  finished(): UsageView['meters'] {
    for (const { cells, quarter, amounts } of this.#amounts.values()) {
      if (amounts.length === 0) delete cells[quarter];
      else amounts.sort(compareAmounts);
    }
    for (const { cells, quarter, partition, members } of this.#members.values()) {
      cells[quarter] = { ...(cells[quarter] as MemberSets | undefined), [partition]: encodeMembers(members) };
    }
    for (const { meter, key, cells } of this.#cells.values()) {
      if (isEmpty(cells)) delete this.#dimensions.get(meter)?.[key];
    }
    for (const [meter, dimensions] of this.#dimensions) if (isEmpty(dimensions)) delete this.#meters[meter];
    return this.#meters;
  }

  #keep(cells: Cells, quarter: number, cell: Cell | undefined): void {
    if (cell === undefined) delete cells[quarter];
    else cells[quarter] = cell;
  }

  /** One item holds one kind of cell and one list of dimensions per meter; `writeMeter` lets neither change within a day. */
  #cellsFor({ meter, dimensionKey, aggregation, names }: Reading): Cells {
    const cells = this.#cellsOf(meter, dimensionKey, { aggregation, names });
    const usage = this.#meters[meter];
    if (usage?.aggregation === aggregation && usage.names.length === names.length) return cells;
    throw invariantBroken(
      'meter_changed',
      `Meter ${meter} counted ${usage?.aggregation} by ${usage?.names.length} dimensions on this day and cannot count ${aggregation} by ${names.length} in the same view.`,
    );
  }

  #cellsOf(meter: string, key: string, { aggregation, names }: Pick<MeterUsage, 'aggregation' | 'names'>): Cells {
    const path = `${meter}\0${key}`;
    const known = this.#cells.get(path);
    if (known !== undefined) return known.cells;
    let dimensions = this.#dimensions.get(meter);
    if (dimensions === undefined) {
      // A meter may be called `constructor`, which every object seems to have.
      const before = Object.hasOwn(this.#meters, meter) ? this.#meters[meter] : undefined;
      dimensions = { ...before?.dimensions };
      this.#dimensions.set(meter, dimensions);
      this.#meters[meter] = {
        aggregation: before?.aggregation ?? aggregation,
        names: before?.names ?? names,
        dimensions,
      };
    }
    const cells = { ...dimensions[key] };
    this.#cells.set(path, { meter, key, cells });
    dimensions[key] = cells;
    return cells;
  }

  #amountsOf({ meter, dimensionKey, quarter }: Reading, cells: Cells): Amount[] {
    const name = `${meter}\0${dimensionKey}\0${quarter}`;
    const known = this.#amounts.get(name);
    if (known !== undefined) return known.amounts;
    const amounts = [...amountsOf(cells[quarter] ?? [])];
    this.#amounts.set(name, { cells, quarter, amounts });
    cells[quarter] = amounts;
    return amounts;
  }

  #membersOf(partition: string, { meter, dimensionKey, quarter }: Reading, cells: Cells): Set<string> {
    const name = `${meter}\0${dimensionKey}\0${quarter}\0${partition}`;
    const known = this.#members.get(name);
    if (known !== undefined) return known.members;
    const members = decodeMembers(memberSetsOf(cells[quarter] ?? {})[partition] ?? '', new Set());
    this.#members.set(name, { cells, quarter, partition, members });
    return members;
  }
}

interface OpenMembers {
  readonly cells: Cells;
  readonly quarter: number;
  readonly partition: string;
  readonly members: Set<string>;
}

function amountOf({ value, occurredAtMicros }: Reading): Amount {
  return [Decimal.parse(value).toString(), occurredAtMicros];
}

function takeAmount(amounts: Amount[], [value, micros]: Amount): void {
  const at = amounts.findIndex((amount) => amount[0] === value && amount[1] === micros);
  if (at < 0)
    throw invariantBroken('view_damaged', `Got the amount ${value} to take out, which the view does not hold.`);
  amounts.splice(at, 1);
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
