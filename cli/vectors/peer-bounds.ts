import type { EstimateAnswer } from '../estimate-api.ts';
import { amountOf, minus, onlyLine, sum, times } from './amounts.ts';
import { fee, feeRequest, given, type Part, perUnit, quantityRequest, tiersOf } from './requests.ts';
import { list, type Mapper, member, type Reproduction, text, textOrNull, texts } from './vector.ts';

/** What peers do around a price: quotas, buckets, commitments and discounts. */
const usageDiscount: Mapper = ({ properties, usage }) => {
  const charge = { allowance: text(properties, 'discount_quantity') };
  const before = text(usage, 'pre_quantity');
  const all = sum([before, text(usage, 'quantity')]);
  return {
    kind: 'reproduced',
    option: '`allowance`',
    requests: [quantityRequest(perUnit('1'), all, { charge }), quantityRequest(perUnit('1'), before, { charge })],
    read: ([answer, earlier]) => {
      if (!answer || !earlier) return {};
      const [now, then] = [onlyLine(answer), onlyLine(earlier)];
      return {
        quantity: minus(minus(now.quantity, now.allowance_used), minus(then.quantity, then.allowance_used)),
        pre_quantity: minus(then.quantity, then.allowance_used),
        discount_in_line: minus(now.allowance_used, then.allowance_used),
        discount_before_line: then.allowance_used,
      };
    },
  };
};

const quotaOverage: Mapper = ({ properties, usage }) => {
  const quota = text(properties, 'quota');
  return {
    kind: 'reproduced',
    option: '`allowance`',
    requests: [quantityRequest(perUnit('1'), text(usage, 'quantity'), { charge: { allowance: quota } })],
    read: ([answer]) => {
      if (!answer) return {};
      const line = onlyLine(answer);
      return { overage: minus(line.quantity, line.allowance_used), exhausted: line.allowance_used === quota };
    },
  };
};

const quotaWindows: Mapper = ({ properties }) => ({
  kind: 'reproduced',
  option: '`allowance`, an estimate per window',
  requests: list(properties, 'windows').map((window) =>
    quantityRequest(perUnit(text(properties, 'unit_amount')), text(window, 'usage'), {
      charge: { allowance: text(window, 'quota') },
    }),
  ),
  read: (answers) => ({
    overage: sum(answers.map(onlyLine).map((line) => minus(line.quantity, line.allowance_used))),
    amount: sum(answers.map(({ total }) => total)),
  }),
});

const quotaAmount: Mapper = ({ properties, usage }) => ({
  kind: 'reproduced',
  option: '`allowance` of a meter of money',
  requests: [
    quantityRequest(perUnit('1'), text(usage, 'used_amount'), {
      charge: { allowance: text(properties, 'quota_amount') },
    }),
  ],
  read: ([answer]) => ({ overage_amount: answer?.total }),
});

/** Every bucket is priced by itself, as if it were a period. */
const buckets =
  (priceOf: (properties: unknown) => Part): Mapper =>
  ({ properties, usage }) => ({
    kind: 'reproduced',
    option: 'an estimate per bucket',
    requests: texts(usage, 'bucket_values').map((value) => quantityRequest(priceOf(properties), value)),
    read: (answers) => ({ total: sum(answers.map(({ total }) => total)) }),
  });

const windowedCommitment: Mapper = ({ usage }) => {
  const windows = list(usage, 'windows');
  return {
    kind: 'reproduced',
    option: '`commitment`, an estimate per window',
    requests: windows.map(windowRequest),
    read: (answers) => {
      const trueUp = sum(answers.map((answer) => lineAmount(answer, 'true-up')));
      return { total: sum(answers.map(({ total }) => total)), true_up: trueUp };
    },
  };
};

function windowRequest(window: unknown): Part {
  const price = text(window, 'unit_amount');
  const quantity = textOrNull(window, 'commit_quantity');
  const amount = textOrNull(window, 'commit_amount') ?? (quantity === null ? null : times(quantity, price));
  const commitment = amount && {
    amount,
    term: 'period',
    true_up: member(window, 'true_up') === true,
    overage_factor: text(window, 'overage_factor'),
  };
  return quantityRequest(perUnit(price), text(window, 'usage'), { request: given({ commitment }) });
}

function lineAmount({ lines }: EstimateAnswer, kind: 'true-up' | 'overage'): string {
  return sum(lines.filter(({ key }) => key.endsWith(`/commitment/${kind}`)).map(({ amount }) => amount));
}

const trueUp: Mapper = ({ properties, usage }) => ({
  kind: 'reproduced',
  option: '`commitment`',
  requests: [
    {
      ...feeRequest(text(usage, 'used_amount')),
      commitment: { amount: text(properties, 'commitment'), term: 'period', true_up: true },
    },
  ],
  read: ([answer]) => ({ true_up: answer && lineAmount(answer, 'true-up') }),
});

const discounted =
  (discountOf: (properties: unknown) => Part): Mapper =>
  ({ properties, usage }): Reproduction => ({
    kind: 'reproduced',
    option: '`discount` of the charge',
    requests: [
      {
        currency: textOrNull(properties, 'currency') ?? 'USD',
        charges: [fee(text(usage, 'amount'), { discount: discountOf(properties) })],
      },
    ],
    read: ([answer]) => ({
      total: answer?.total,
      discount: answer && minus('0', amountOf(onlyLine(answer), 'discount')),
    }),
  });

export const PEER_BOUNDS: Readonly<Record<string, Mapper>> = {
  usage_discount: usageDiscount,
  quota_overage: quotaOverage,
  quota_windows_sum: quotaWindows,
  quota_amount: quotaAmount,
  bucketed_unit: buckets((properties) => perUnit(text(properties, 'unit_amount'))),
  bucketed_graduated: buckets((properties) => ({ model: 'graduated', tiers: tiersOf(properties) })),
  bucketed_package: buckets((properties) => ({
    model: 'package',
    package_size: text(properties, 'package_size'),
    package_price: text(properties, 'package_amount'),
  })),
  grouped_buckets_summed_graduated: buckets((properties) => ({ model: 'graduated', tiers: tiersOf(properties) })),
  grouped_buckets_summed_volume: buckets((properties) => ({ model: 'volume', tiers: tiersOf(properties) })),
  windowed_commitment: windowedCommitment,
  commitment_true_up: trueUp,
  percent_discount: discounted((properties) => ({ percent: text(properties, 'percent') })),
  fixed_discount: discounted((properties) => ({ amount: text(properties, 'amount_off') })),
};
