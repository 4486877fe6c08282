import { added, sum } from './amounts.ts';
import { dateOf, midnight } from './periods.ts';
import { fee, feeRequest, type Part } from './requests.ts';
import { type Mapper, member, type Reproduction, text, texts } from './vector.ts';

/** Changes in mid-period, and where periods begin. */
interface Change {
  readonly period: string;
  readonly at: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Fees in advance, billed whole, of which a change gives back the rest and adds the new ones for it. */
function changed({ period, at, ...fees }: Change): Reproduction {
  const old: Part = { currency: 'USD', period, charges: charges(fees.removed) };
  const isFromStart = period.startsWith(at);
  return {
    kind: 'reproduced',
    option: '`billed` with the service before the change',
    requests: [
      {
        ...old,
        ...(isFromStart ? { share: 'none' } : { service: { end: midnight(at) } }),
        billed: { share: 'prorated' },
      },
      { ...old, charges: charges(fees.added), service: { start: midnight(at) } },
    ],
    read: ([before, after]) => {
      if (before === undefined || after === undefined) return {};
      const credit = added(before);
      return { credit, charge: after.total, net: sum([credit, after.total]) };
    },
  };
}

/** One line each, rounded by itself; a fee of nothing where there is none. */
function charges(amounts: readonly string[]): readonly Part[] {
  return amounts.length === 0 ? [fee('0')] : amounts.map((amount, index) => fee(amount, { key: `fee-${index}` }));
}

const inclusive: Mapper = ({ properties, usage }) =>
  changed({
    period: text(properties, 'period_start').slice(0, 7),
    at: text(properties, 'change_date'),
    removed: [text(usage, 'old_amount')],
    added: [text(usage, 'new_amount')],
  });

const exclusive: Mapper = ({ properties, usage }) =>
  changed({
    period: `${text(properties, 'period_start')}_${text(properties, 'period_end_exclusive')}`,
    at: text(properties, 'change_date'),
    removed: texts(usage, 'removed_amounts'),
    added: texts(usage, 'added_amounts'),
  });

const anchored: Mapper = ({ properties, usage, expected }) => {
  const from = text(properties, 'from');
  const count = Number(member(usage, 'count'));
  const starts = texts(expected, 'starts').slice(0, count);
  return {
    kind: 'reproduced',
    option: '`anchor`',
    // the period that holds each of the dates has to begin on it
    requests: starts.map((start) => feeRequest('1', { request: { at: midnight(start), anchor: midnight(from) } })),
    read: (answers) => ({ starts: answers.map(({ period }) => dateOf(period.start)) }),
  };
};

export const PEER_PERIODS: Readonly<Record<string, Mapper>> = {
  proration_day_inclusive: inclusive,
  proration_day_exclusive: exclusive,
  monthly_anchor_clamped: anchored,
};
