import type { EstimateAnswer } from '../estimate-api.ts';
import { added, amountOf, minus, onlyLine, sum, times } from './amounts.ts';
import { given, type Part, perUnit, quantities, quantityRequest, tiersOf } from './requests.ts';
import { differs, type Mapper, text, textOrNull, texts } from './vector.ts';

/** What the engine of OpenMeter bills between two states of a period's usage, which is what a later invoice of ours adds. */
const MINIMUM_RULE = 'a minimum belongs to the whole period, and there is no invoice within it that could leave it out';

/** Each phase bills what its cumulative quantity comes to, less what the phases before have billed. */
const phases =
  (priceOf: (properties: unknown) => Part): Mapper =>
  ({ properties, usage }) => {
    if (textOrNull(properties, 'min_spend') !== null) return differs(MINIMUM_RULE);
    const charge = given({ maximum: textOrNull(properties, 'max_spend') });
    const price = priceOf(properties);
    const reached = texts(usage, 'cumulative_quantities');
    return {
      kind: 'reproduced',
      option: '`billed`',
      requests: reached.map((quantity, index) => ({
        ...quantityRequest(price, quantity, { charge }),
        billed: { usage: quantities(reached[index - 1] ?? '0') },
      })),
      read: (answers) => ({ phases: answers.map((answer, index) => phaseOf(answer, answers[index - 1])) }),
    };
  };

function phaseOf(answer: EstimateAnswer, before: EstimateAnswer | undefined) {
  const total = added(answer);
  const cut = minus(cutBy(before), cutBy(answer));
  return { total, amount: sum([total, cut]), discount: cut };
}

/** What the maximum took off, as a negative amount. */
function cutBy(answer: EstimateAnswer | undefined): string {
  return answer === undefined ? '0' : amountOf(onlyLine(answer), 'maximum');
}

const volumeOf = (properties: unknown): Part => ({ model: 'volume', tiers: tiersOf(properties), flat_at_zero: true });

const volumePhases: Mapper = (vector) => {
  const treatment = phases(volumeOf)(vector);
  if (treatment.kind !== 'reproduced') return treatment;
  // the first phase of OpenMeter bills a flat amount at zero; nothing was billed before it
  const [first, ...others] = treatment.requests;
  return {
    ...treatment,
    option: '`billed`, `flat_at_zero`',
    requests: [{ ...first, billed: undefined }, ...others],
    read: (answers) => ({
      phases: answers.map((answer, index) => {
        const total = index === 0 ? answer.total : added(answer);
        return { total, amount: total };
      }),
    }),
  };
};

/** The maximum's cut of 1,000 more, after units that came to what was billed. */
const maximumDiscount: Mapper = ({ properties, usage }) => {
  const price = perUnit(text(properties, 'unit_amount'));
  const charge = { maximum: text(properties, 'max_spend') };
  const before = times(text(properties, 'previously_billed'), '0.01');
  const now = sum([before, text(usage, 'quantity')]);
  return {
    kind: 'reproduced',
    option: '`billed`',
    requests: [quantityRequest(price, now, { charge }), quantityRequest(price, before, { charge })],
    read: ([answer, earlier]) => ({ discount: minus(cutBy(earlier), cutBy(answer)) }),
  };
};

export const PEER_DELTAS: Readonly<Record<string, Mapper>> = {
  delta_unit: phases((properties) => perUnit(text(properties, 'unit_amount'))),
  delta_package: phases((properties) => ({
    model: 'package',
    package_size: text(properties, 'package_size'),
    package_price: text(properties, 'package_amount'),
  })),
  delta_dynamic: phases((properties) => ({ model: 'dynamic', multiplier: text(properties, 'multiplier') })),
  delta_graduated: phases((properties) => ({ model: 'graduated', tiers: tiersOf(properties) })),
  delta_volume: volumePhases,
  max_spend_discount: maximumDiscount,
};
