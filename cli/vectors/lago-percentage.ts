import { cents, onlyLine } from './amounts.ts';
import { given, type Part, quantities, quantityRequest, singles, tiersOf, transactionsRequest } from './requests.ts';
import { differs, type Mapper, member, type Reproduction, text, textOrNull, texts } from './vector.ts';

/** Lago's percentage charges, and its charges in advance: a fee per event as soon as it comes in. */
function priceOf(properties: unknown): Part {
  const freeEvents = textOrNull(properties, 'freeEvents');
  return given({
    model: 'percentage',
    rate: text(properties, 'rate'),
    fixed_fee: textOrNull(properties, 'fixedAmount'),
    free_events: freeEvents === null ? null : Number(freeEvents),
    free_amount: textOrNull(properties, 'freeUnitsTotal'),
    transaction_minimum: textOrNull(properties, 'minPerEvent'),
    transaction_maximum: textOrNull(properties, 'maxPerEvent'),
  });
}

const percentage: Mapper = ({ properties, usage }) => {
  const values = texts(usage, 'events');
  const price = priceOf(properties);
  const isFeeReturned = values.some((value) => value.startsWith('-')) && price.fixed_fee !== undefined;
  if (isFeeReturned) return differs('a transaction below zero gives back the rate; fees of earlier ones stay paid');
  return exact(price, values);
};

const instant: Mapper = ({ properties, usage }) => exact(priceOf(properties), [text(usage, 'units')]);

function exact(price: Part, values: readonly string[]): Reproduction {
  return {
    kind: 'reproduced',
    requests: [transactionsRequest(price, values)],
    read: ([answer]) => ({ amount: answer && onlyLine(answer).exact_amount }),
  };
}

type Usage = (values: readonly string[]) => Part;
const BILLED = 'what each event adds, by `billed`';

/** The fee of each event: what the usage up to it comes to, less what was billed up to the one before. */
function feesInAdvance(values: readonly string[], request: Part, usageOf: Usage): Reproduction {
  return {
    kind: 'reproduced',
    option: BILLED,
    requests: values.map((_, index) => ({
      ...request,
      ...usageOf(values.slice(0, index + 1)),
      billed: usageOf(values.slice(0, index)),
    })),
    read: (answers) => ({ feeCents: answers.map(({ adjustments }) => cents(adjustments?.total ?? '')), units: values }),
  };
}

/** Values that a sum meter adds up. */
const summed: Usage = (values) => ({ usage: values.flatMap(quantities) });
const single: Usage = (values) => ({ transactions: singles(values) });

const packageInAdvance: Mapper = ({ properties, usage }) => {
  const price = {
    model: 'package',
    package_size: text(properties, 'packageSize'),
    package_price: text(properties, 'packageAmount'),
  };
  const request = quantityRequest(price, '0', { charge: { allowance: text(properties, 'freeUnits') } });
  return feesInAdvance(texts(usage, 'events'), request, summed);
};

const graduatedInAdvance: Mapper = ({ properties, usage }) =>
  feesInAdvance(
    texts(usage, 'events'),
    quantityRequest({ model: 'graduated', tiers: tiersOf(properties) }, '0'),
    summed,
  );

const percentageInAdvance: Mapper = ({ properties, usage }) =>
  feesInAdvance(texts(usage, 'events'), transactionsRequest(priceOf(properties), []), single);

const highWaterMark: Mapper = ({ usage }) => {
  member(usage, 'periodMax');
  return differs('corrections below zero are credited, so no highest point of the period is kept');
};

export const LAGO_PERCENTAGE: Readonly<Record<string, Mapper>> = {
  percentage,
  percentage_min_max: percentage,
  percentage_instant_estimate: instant,
  pay_in_advance_package: packageInAdvance,
  pay_in_advance_graduated: graduatedInAdvance,
  pay_in_advance_percentage: percentageInAdvance,
  pay_in_advance_sum_units: highWaterMark,
};
