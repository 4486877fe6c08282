import { major, onlyLine, quantityOf, times } from './amounts.ts';
import { fee, feeRequest, perUnit, quantityRequest, tiersOf } from './requests.ts';
import { type Mapper, member, text, texts } from './vector.ts';

/** Minor units, rounding and conversions of units of the peers. */
const unitMinor: Mapper = ({ properties, usage }) => ({
  kind: 'reproduced',
  requests: [quantityRequest(perUnit(major(text(properties, 'unit_amount_minor'))), text(usage, 'quantity'))],
  read: ([answer]) => {
    const line = answer && onlyLine(answer);
    return line
      ? { unrounded_minor: inMinor(line.exact_amount), total_minor: inMinor(line.amount), major: line.exact_amount }
      : {};
  },
});

function inMinor(amount: string): string {
  return times(amount, '100');
}

const unitConversion: Mapper = ({ properties, usage }) => {
  const size = text(member(properties, 'conversion'), 'factor');
  return {
    kind: 'reproduced',
    option: '`package` for units rounded up',
    requests: [quantityRequest({ model: 'package', package_size: size, package_price: '1' }, text(usage, 'quantity'))],
    read: ([answer]) => ({ quantity: answer && quantityOf(onlyLine(answer), 'packages') }),
  };
};

const effectiveUnitCost: Mapper = ({ properties, usage }) => ({
  kind: 'reproduced',
  requests: [quantityRequest({ model: 'graduated', tiers: tiersOf(properties) }, text(usage, 'quantity'))],
  read: ([answer]) => ({
    numerator: answer && onlyLine(answer).exact_amount,
    denominator: answer && onlyLine(answer).quantity,
  }),
});

const rounded: Mapper = ({ properties, usage }) => {
  const currency = text(properties, 'currency');
  const amount = text(usage, 'amount');
  if (!amount.startsWith('-')) {
    return {
      kind: 'reproduced',
      requests: [feeRequest(amount, { request: { currency } })],
      read: ([answer]) => ({ rounded: answer?.total }),
    };
  }
  return {
    kind: 'reproduced',
    option: 'below zero it is carried to an adjustment',
    requests: [quantityRequest(perUnit('1'), amount, { request: { currency } })],
    read: ([answer]) => ({ rounded: answer && onlyLine(answer).carried }),
  };
};

const roundedLines: Mapper = ({ properties, usage }) => ({
  kind: 'reproduced',
  requests: [
    {
      currency: text(properties, 'currency'),
      charges: texts(usage, 'lines').map((amount, index) => fee(amount, { key: `fee-${index}` })),
    },
  ],
  read: ([answer]) => ({ subtotal: answer?.total }),
});

export const PEER_ROUNDING: Readonly<Record<string, Mapper>> = {
  unit_minor: unitMinor,
  unit_conversion: unitConversion,
  effective_unit_cost: effectiveUnitCost,
  currency_rounding: rounded,
  round_lines_then_sum: roundedLines,
};
