import type { EstimateAnswer, EstimatedLine } from '../estimate-api.ts';
import { added, amountOf, minus, onlyLine, quantityOf, sum } from './amounts.ts';
import { feeRequest, given, type Part, perUnit, quantities, quantityRequest, tiersOf } from './requests.ts';
import { differs, type Mapper, member, type Reproduction, type Treatment, text, textOrNull } from './vector.ts';

/** The price models of OpenMeter, FlexPrice, Meteroid and Stripe: one charge, its minimum and maximum, and what was billed before. */
const NOTHING_YET = 'before the period has closed: `bills: advance`';

interface More {
  readonly charge?: Part;
  readonly meter?: Part;
  readonly option?: string | undefined;
}

function charged(price: Part, { properties, usage }: Parameters<Mapper>[0], more: More = {}): Treatment {
  const quantity = text(usage, 'quantity');
  const before = textOrNull(usage, 'pre_quantity');
  const minimum = textOrNull(properties, 'min_spend');
  const bounds = given({ minimum, maximum: textOrNull(properties, 'max_spend') });
  const currency = textOrNull(properties, 'currency') ?? 'USD';
  const parts = { charge: { ...bounds, ...more.charge }, ...(more.meter && { meter: more.meter }) };
  if (before !== null) return after(before, quantity, price, parts);
  const isOpen = member(properties, 'line_position') === 'mid' && minimum !== null;
  if (isOpen) return nothingYet(quantityRequest(price, quantity, parts));
  const isBounded = 'minimum' in bounds || 'maximum' in bounds;
  return {
    kind: 'reproduced',
    ...(more.option !== undefined && { option: more.option }),
    requests: [quantityRequest(price, quantity, { ...parts, request: { currency } })],
    read: ([answer]) => (answer ? shown(onlyLine(answer), isBounded) : {}),
  };
}

/** Nothing of usage is billed while its period runs. */
function nothingYet(request: Part): Reproduction {
  return {
    kind: 'reproduced',
    option: NOTHING_YET,
    requests: [{ ...request, bills: 'advance' }],
    read: ([answer]) => ({ total: answer?.total, commitment: answer?.total }),
  };
}

function shown(line: EstimatedLine, isBounded: boolean) {
  const { amount, steps } = line;
  const bounds = ['minimum', 'maximum'];
  return {
    total: amount,
    amount: isBounded ? sum(steps.filter(({ key }) => !bounds.includes(key)).map((step) => step.amount)) : amount,
    commitment: amountOf(line, 'minimum'),
    discount: minus('0', amountOf(line, 'maximum')),
    ...(steps.some(({ key }) => key === 'packages') && {
      packages: quantityOf(line, 'packages'),
      billed_quantity: quantityOf(line, 'packages'),
    }),
  };
}

/** A later part of a period's usage: what all of it comes to, less what was billed of the earlier part. */
function after(before: string, quantity: string, price: Part, parts: More): Reproduction {
  const request = quantityRequest(price, sum([before, quantity]), parts);
  const earlier = quantityRequest(price, before, parts);
  const isExact = price.model !== 'dynamic';
  return {
    kind: 'reproduced',
    option: '`billed`',
    requests: [{ ...request, billed: { usage: quantities(before) } }, earlier],
    read: ([answer, first]) => {
      if (answer === undefined || first === undefined) return {};
      const [now, then] = [shown(onlyLine(answer), true), shown(onlyLine(first), true)];
      // amounts that the others round on each line have no counterpart where they are not whole cents
      const parts = isExact && { amount: minus(now.amount, then.amount), discount: minus(now.discount, then.discount) };
      return { total: added(answer), ...parts };
    },
  };
}

const unit: Mapper = (vector) => {
  const { properties } = vector;
  const conversion = member(properties, 'conversion');
  if (conversion === undefined) return charged(perUnit(text(properties, 'unit_amount')), vector);
  if (textOrNull(vector.usage, 'pre_quantity') !== null) {
    return differs(
      'what a period has used is rated together: an invoice within it would be measured against the whole',
    );
  }
  const discount = textOrNull(properties, 'usage_discount');
  const size = text(conversion, 'factor');
  const price = text(properties, 'unit_amount');
  if (discount === null) {
    const packaged = { model: 'package', package_size: size, package_price: price };
    return charged(packaged, vector, { option: '`package` for units rounded up' });
  }
  // 1,000 units are one: rounded up in thousands, half a thousand included, at a thousandth of the price
  return charged(perUnit('0.01'), vector, {
    meter: { rounding: { mode: 'up', places: -3 } },
    charge: { allowance: '500' },
    option: '`rounding` of the meter, `allowance`',
  });
};

const flat: Mapper = ({ properties }) => {
  const timing = text(properties, 'payment_term');
  const isArrears = timing === 'in_advance';
  return {
    kind: 'reproduced',
    ...(isArrears && { option: '`bills: arrears`' }),
    requests: [
      feeRequest(text(properties, 'amount'), { fee: { timing }, request: isArrears ? { bills: 'arrears' } : {} }),
    ],
    read: ([answer]) => ({ total: answer?.total }),
  };
};

const dynamic: Mapper = (vector) =>
  charged({ model: 'dynamic', multiplier: text(vector.properties, 'multiplier') }, vector);

const packages: Mapper = (vector) => {
  const { properties } = vector;
  const size = text(properties, 'package_size');
  if (textOrNull(properties, 'round') !== 'down') {
    const price = {
      model: 'package',
      package_size: size,
      package_price: textOrNull(properties, 'package_amount') ?? '1',
    };
    return charged(price, vector);
  }
  // whole hundreds only, a hundredth of the price each
  return charged(perUnit('0.01'), vector, {
    meter: { rounding: { mode: 'down', places: -2 } },
    option: '`rounding` of the meter: packages that are not full are free',
  });
};

const tiered =
  (model: 'graduated' | 'volume'): Mapper =>
  (vector) => {
    const { properties, usage, expected, id } = vector;
    const tiers = tiersOf(properties);
    if (id === 'om-vol-01-mid-never-billed') return nothingYet(quantityRequest({ model, tiers }, '10'));
    const billed = textOrNull(properties, 'previously_billed');
    const isFlatDue =
      text(usage, 'quantity') === '0' && 'flat_amount' in (tiers[0] ?? {}) && (billed ?? expected.total) !== '0';
    const price = { model, tiers, ...(isFlatDue && { flat_at_zero: true }) };
    const treatment = charged(price, vector, isFlatDue ? { option: '`flat_at_zero`' } : {});
    if (billed === null || treatment.kind !== 'reproduced') return treatment;
    // the invoice before billed the flat amount; this one adds what is missing to the minimum
    return { ...treatment, read: (answers) => ({ commitment: firstCommitment(answers) }) };
  };

function firstCommitment([answer]: readonly EstimateAnswer[]): string {
  return answer === undefined ? '' : amountOf(onlyLine(answer), 'minimum');
}

export const PEER_MODELS: Readonly<Record<string, Mapper>> = {
  unit,
  flat,
  dynamic,
  package: packages,
  package_count: packages,
  graduated: tiered('graduated'),
  volume: tiered('volume'),
};
