import type { EstimateAnswer } from '../estimate-api.ts';
import { onlyLine } from './amounts.ts';
import { given, perUnit, quantityRequest, transactionsRequest, usageCharge } from './requests.ts';
import { differs, type Mapper, member, text, textOrNull, texts } from './vector.ts';

/** How Lago's metrics count: sums, rounding, computed values. */
const aggregateSum: Mapper = ({ properties, usage }) => {
  const isCarried = member(properties, 'recurring') === true;
  const values = [...(isCarried ? texts(usage, 'previousPeriods') : []), ...texts(usage, 'events')];
  if (values.some((value) => !/^-?[\d.]+$/.test(value))) {
    return differs('a value that is no number is refused or warned of at the door, never dropped in silence');
  }
  return {
    kind: 'reproduced',
    ...(isCarried && { option: '`reset: carry_over` of the meter' }),
    requests: [
      isCarried
        ? transactionsRequest(perUnit('1'), values, {
            meters: [{ key: 'usage', aggregation: 'sum', reset: 'carry_over' }],
          })
        : transactionsRequest(perUnit('1'), values),
    ],
    read: ([answer]) => ({ units: answer && onlyLine(answer).quantity }),
  };
};

/** The running total is what a longer and longer list of events comes to, until something of it is charged. */
const runningTotal: Mapper = ({ properties, usage }) => {
  const values = texts(usage, 'events');
  const price = { model: 'percentage', rate: '1', free_amount: text(properties, 'freeUnitsTotal') };
  return {
    kind: 'reproduced',
    option: '`free_amount`',
    requests: values.map((_, index) => transactionsRequest(price, values.slice(0, index + 1))),
    read: (answers) => ({ runningTotal: untilCharged(answers) }),
  };
};

function untilCharged(answers: readonly EstimateAnswer[]): string[] {
  const lines = answers.map(onlyLine);
  const end = lines.findIndex(({ exact_amount }) => exact_amount !== '0');
  return lines.slice(0, end + 1).map(({ quantity }) => quantity);
}

const ROUNDING: Readonly<Record<string, string>> = { round: 'nearest', ceil: 'up', floor: 'down' };

const metricRounding: Mapper = ({ properties, usage }) => {
  const name = textOrNull(properties, 'function');
  const rounding = name === null ? null : { mode: ROUNDING[name], places: Number(text(properties, 'precision')) };
  return {
    kind: 'reproduced',
    ...(rounding && { option: '`rounding` of the meter' }),
    requests: [quantityRequest(perUnit('1'), text(usage, 'units'), { meter: given({ rounding }) })],
    read: ([answer]) => ({ units: answer && onlyLine(answer).exact_amount }),
  };
};

/** What an event's properties come to: a number as the quantity, a text as the value of a computed dimension. */
const expression: Mapper = ({ properties, usage, expected }) => {
  const own = member(usage, 'properties');
  const written = text(properties, 'expression').replaceAll('event.properties.', '');
  const value = text(expected, 'value');
  const isNumber = /^-?[\d.]+$/.test(value);
  const meter = isNumber
    ? { aggregation: 'sum', value: { expression: written } }
    : { aggregation: 'count', dimensions: ['computed'], dimension_expressions: { computed: `concat(${written})` } };
  return {
    kind: 'reproduced',
    option: isNumber ? '`value` of the meter' : '`dimension_expressions` of the meter',
    requests: [
      {
        currency: 'USD',
        meters: [{ key: 'usage', ...meter }],
        charges: [usageCharge(perUnit('1'), isNumber ? {} : { filter: { computed: value } })],
        transactions: [{ meter: 'usage', properties: own }],
      },
    ],
    // a charge that takes only usage with that very text has taken the event
    read: ([answer]) => ({ value: answer && (isNumber ? onlyLine(answer).quantity : takenText(answer, value)) }),
  };
};

function takenText(answer: EstimateAnswer, value: string): string {
  return onlyLine(answer).quantity === '1' ? value : 'another text';
}

export const LAGO_COUNTING: Readonly<Record<string, Mapper>> = {
  aggregate_sum: aggregateSum,
  aggregate_sum_running_total: runningTotal,
  metric_rounding: metricRounding,
  expression,
};
