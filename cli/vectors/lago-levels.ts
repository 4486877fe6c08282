import { Temporal } from 'temporal-polyfill';
import type { EstimateRequest } from '../estimate-api.ts';
import { onlyLine, sum } from './amounts.ts';
import { midnight } from './periods.ts';
import { type Part, perUnit, quantityRequest, tiersOf, usageCharge } from './requests.ts';
import { differs, list, type Mapper, member, type Reproduction, text, textOrNull, texts } from './vector.ts';

/** Lago's metrics that carry over, weigh by time or count different values: here levels whose events are changes. */
interface Change {
  readonly at: string;
  readonly value: string;
}

const UP_AT_5 = { mode: 'up', places: 5 };
const IN_ADVANCE = 'corrections below zero are credited, so no highest point of the period is kept';

function levelRequest(changes: readonly Change[], meter: Part, more: Part): EstimateRequest {
  return {
    currency: 'USD',
    meters: [{ key: 'usage', aggregation: 'time_weighted_sum', reset: 'carry_over', ...meter }],
    charges: [usageCharge(perUnit('1'))],
    transactions: changes.map(({ at, value }) => ({ meter: 'usage', at, value })),
    ...more,
  };
}

function unitsOf(option: string, request: EstimateRequest): Reproduction {
  return {
    kind: 'reproduced',
    option,
    requests: [request],
    read: ([answer]) => ({ units: answer && onlyLine(answer).quantity }),
  };
}

const dayAfter = (date: string): string => Temporal.PlainDate.from(date).add({ days: 1 }).toString();

/** A list of lists of texts, such as `[["2023-08-01T00:00:00", "2"]]`. */
function rows(part: unknown, name: string): readonly (readonly string[])[] {
  return list(part, name).map((row) => texts({ row }, 'row'));
}

const weightedSum: Mapper = ({ properties, usage }) => {
  const start = text(properties, 'from');
  const isCarried = member(properties, 'recurring') === true;
  const before = { at: `${Temporal.PlainDate.from(start.slice(0, 10)).subtract({ days: 1 })}T00:00:00Z` };
  const changes = [
    ...(isCarried ? [{ ...before, value: text(usage, 'initial') }] : []),
    ...rows(usage, 'events').map(([at, value = '0']) => ({ at: `${at}Z`, value })),
  ];
  const meter = { reset: isCarried ? 'carry_over' : 'each_period', rounding: { mode: 'nearest', places: 5 } };
  return unitsOf('`rounding` of the meter', levelRequest(changes, meter, { period: start.slice(0, 7) }));
};

/** By day: what changes on a day counts from its first instant on. */
const sumProrated: Mapper = ({ properties, usage }) => {
  const start = text(properties, 'from');
  const before = texts(usage, 'previousPeriods').map((value) => ({ at: '2020-01-01T00:00:00Z', value }));
  const changes = rows(usage, 'events').map(([date = '', value = '0']) => ({ at: midnight(date), value }));
  const precision = textOrNull(member(properties, 'metricRounding') ?? {}, 'precision');
  const rounding = precision === null ? UP_AT_5 : { mode: 'up', places: Number(precision) };
  return unitsOf(
    'a `time_weighted_sum` of changes at midnight, `rounding`',
    levelRequest([...before, ...changes], { rounding }, { period: start.slice(0, 7) }),
  );
};

const lastDaysOfUnits: Mapper = ({ usage }) => {
  // a month of 31 days, of which so many are left
  const at = Temporal.PlainDate.from('2026-11-01').subtract({ days: Number(text(usage, 'remainingDays')) });
  const change = { at: midnight(at.toString()), value: text(usage, 'billableUnits') };
  return unitsOf(
    'a `time_weighted_sum` of changes at midnight, `rounding`',
    levelRequest([change], { rounding: UP_AT_5 }, { period: '2026-10' }),
  );
};

/** A value that is added or removed is a change of 1; it is there on the day it is added and on the day it is removed. */
function changesOf(usage: unknown): readonly Change[] {
  return rows(usage, 'events').map(([date = '', what]) =>
    what === 'add' ? { at: midnight(date), value: '1' } : { at: midnight(dayAfter(date)), value: '-1' },
  );
}

const uniqueProrated: Mapper = ({ properties, usage }) => {
  const [from, to] = [text(properties, 'from'), text(properties, 'to')];
  const added = rows(usage, 'events').filter(([, what]) => what === 'add');
  if (new Set(added.map(([date, , value]) => `${date} ${value}`)).size < added.length) {
    return differs('a level has the changes it is sent: a value that comes and goes twice within a day is not one day');
  }
  const end = Temporal.PlainDate.from(from).add({ days: Number(text(properties, 'periodDays')) });
  const request = {
    period: `${from}_${end}`,
    ...(dayAfter(to) !== end.toString() && { service: { end: midnight(dayAfter(to)) } }),
  };
  return unitsOf(
    'a `time_weighted_sum` of changes by 1 and -1 at midnight, `rounding`',
    levelRequest(changesOf(usage), { rounding: UP_AT_5 }, request),
  );
};

const uniqueAtTheEnd: Mapper = ({ properties, usage }) => {
  const end = dayAfter(text(properties, 'to'));
  return unitsOf(
    'a `sum` of changes by 1 and -1 that carries over',
    levelRequest(changesOf(usage), { aggregation: 'sum' }, { period: `${text(properties, 'from')}_${end}` }),
  );
};

/** One quantity goes through the tiers; the same where all of the running total lies in the first one. */
const graduatedProrated: Mapper = ({ properties, usage }) => {
  const tiers = tiersOf(properties);
  const first = Number(member(tiers[0], 'up_to'));
  let running = 0;
  const isWithin = texts(usage, 'events').every((value) => {
    running += Number(value);
    return running <= first;
  });
  if (!isWithin) {
    return differs(
      'a quantity goes through the tiers as one; there every event does, by the running total of whole units',
    );
  }
  const quantity = sum(texts(usage, 'proratedEvents'));
  return {
    kind: 'reproduced',
    requests: [quantityRequest({ model: 'graduated', tiers }, quantity)],
    read: ([answer]) => ({ amount: answer && onlyLine(answer).amount }),
  };
};

const highestPoint: Mapper = () => differs(IN_ADVANCE);

export const LAGO_LEVELS: Readonly<Record<string, Mapper>> = {
  weighted_sum: weightedSum,
  sum_prorated: sumProrated,
  pay_in_advance_prorated_units: lastDaysOfUnits,
  unique_count_prorated: uniqueProrated,
  unique_count: uniqueAtTheEnd,
  prorated_graduated: graduatedProrated,
  pay_in_advance_unique_count: highestPoint,
  pay_in_advance_unique_units: highestPoint,
};
