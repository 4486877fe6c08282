import type { Aggregation } from '../catalog/meter.ts';
import { Decimal } from '../money/decimal.ts';
import { quotientOf } from './quantity-of.ts';
import { decodeMembers, encodeMembers } from './unique-members.ts';
import type { UsageSlice } from './usage-snapshot.ts';
import {
  type Amount,
  amountsOf,
  type Cell,
  type Contribution,
  compareAmounts,
  decimalOf,
  memberSetsOf,
  pairOf,
  stronger,
  strongest,
} from './view-cell.ts';

/** Microseconds since 1970, half-open, on quarter hours. */
export interface MicrosSpan {
  readonly from: number;
  readonly to: number;
}

/** Whose slice it is. */
export interface SliceHead {
  readonly meter: string;
  readonly aggregation: Aggregation;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** A slice of usage while cells are added to it: what is known of it so far. */
export class OpenSlice {
  readonly #head: SliceHead;
  readonly #span: MicrosSpan;
  /** The total of a sum, the sum of an average, the level of a time-weighted sum. */
  #total = Decimal.ZERO;
  /** The readings of an average, the integral of a time-weighted sum. */
  #beside = Decimal.ZERO;
  #best: Contribution | null = null;
  #carried: string | null = null;
  readonly #amounts: Amount[] = [];
  readonly #members = new Set<string>();

  constructor(head: SliceHead, span: MicrosSpan) {
    this.#head = head;
    this.#span = span;
  }

  /** Adds what the quarter hour that begins at `quarterMicros` knows. */
  add(cell: Cell, quarterMicros: number): void {
    const { aggregation } = this.#head;
    switch (aggregation) {
      case 'average': {
        const { first, second } = pairOf(cell);
        this.#total = this.#total.plus(first);
        this.#beside = this.#beside.plus(second);
        return;
      }
      case 'time_weighted_sum': {
        const { first: change, second: moment } = pairOf(cell);
        this.#total = this.#total.plus(change);
        this.#beside = this.#beside.plus(change.times(this.#microsSince(quarterMicros))).minus(moment);
        return;
      }
      case 'unique_count':
        for (const members of Object.values(memberSetsOf(cell))) decodeMembers(members, this.#members);
        return;
      case 'transactions':
        for (const amount of amountsOf(cell)) {
          this.#amounts.push(amount);
          this.#total = this.#total.plus(decimalOf(amount[0]));
        }
        return;
      default:
        if (typeof cell === 'string') this.#total = this.#total.plus(decimalOf(cell));
        else this.#choose(strongest(aggregation, cell));
    }
  }

  /** Begins where an earlier slice of the same meter and dimension values ended, and not at zero. */
  continueFrom({ quantity, timed, latestAt, latestBy }: UsageSlice): void {
    if (this.#head.aggregation === 'latest') {
      this.#choose([quantity, latestAt ?? 0, latestBy ?? '']);
      return;
    }
    this.#carried = timed?.level ?? quantity;
    const level = decimalOf(this.#carried);
    this.#total = this.#total.plus(level);
    if (timed !== undefined) this.#beside = this.#beside.plus(level.times(this.#microsSince(this.#span.from)));
  }

  /** The finished slice; null where something was carried over that has come to nothing. */
  closed(overMicros = this.#span.to - this.#span.from): UsageSlice | null {
    const { meter, dimensions } = this.#head;
    if (this.#carried !== null && this.#total.isZero() && this.#beside.isZero() && this.#carried === '0') return null;
    const carried = this.#carried === null ? {} : { carried: this.#carried };
    return { meter, dimensions, ...this.#figures(overMicros), ...carried };
  }

  #figures(overMicros: number): Pick<UsageSlice, 'quantity'> & Partial<UsageSlice> {
    const total = this.#total.toString();
    const beside = this.#beside.toString();
    switch (this.#head.aggregation) {
      case 'average':
        return {
          quantity: quotientOf(this.#total, this.#beside).toString(),
          mean: { sum: total, readings: beside },
        };
      case 'time_weighted_sum':
        return {
          quantity: quotientOf(this.#beside, Decimal.of(BigInt(overMicros))).toString(),
          timed: { integral: beside, overMicros, level: total },
        };
      case 'unique_count':
        return {
          quantity: String(this.#members.size),
          unique: { members: encodeMembers(this.#members), alone: '0' },
        };
      case 'transactions':
        return { quantity: total, transactions: this.#amounts.sort(compareAmounts).map(transactionOf) };
      default: {
        if (this.#best === null) return { quantity: total };
        const [value, latestAt, latestBy] = this.#best;
        const quantity = decimalOf(value).toString();
        return this.#head.aggregation === 'latest' ? { quantity, latestAt, latestBy } : { quantity };
      }
    }
  }

  #choose(next: Contribution): void {
    this.#best = this.#best === null ? next : stronger(this.#head.aggregation, this.#best, next);
  }

  #microsSince(micros: number): Decimal {
    return Decimal.of(BigInt(this.#span.to - micros));
  }
}

function transactionOf([value, occurredAtMicros]: Amount) {
  return { value, occurredAtMicros };
}
