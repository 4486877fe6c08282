import { oneCharge, PAYMENTS, type PricingExample, used } from '../example.ts';

const REVENUE = { key: 'revenue', aggregation: 'sum', unit: 'USD' };

/** Models that price money. */
export const MONEY_MODELS: readonly PricingExample[] = [
  {
    title: 'Percentage: `percentage`',
    rule: 'A rate in percent of an amount of money. With nothing but the rate, any meter that adds up will do.',
    used: 'Payments of 12,345.67 USD in all, at 2.9 %.',
    parts: [
      {
        request: oneCharge(
          REVENUE,
          { key: 'fees', name: 'Payment fees', price: { model: 'percentage', rate: '2.9' } },
          { usage: [used('revenue', '12345.67')] },
        ),
        total: '358.02',
        sum: '12,345.67 x 2.9 % = 358.02443.',
      },
    ],
  },
  {
    title: 'Percentage per transaction',
    rule: `\`fixed_fee\`, \`free_events\`, \`free_amount\`, \`transaction_minimum\` and \`transaction_maximum\` look at every single transaction, the
earliest first, and need a meter with the aggregation \`transactions\`. The fee is added before the bounds; a free transaction
pays neither rate nor fee nor minimum. A transaction is free while both the free events and the free amount last. One below zero
gives back its rate; fees stay paid.`,
    used: 'Five payments: 20, 15, 100, 1,000 and 5 USD; 2.9 % + 0.30 USD each, the first two free, at least 0.50 and at most 10 USD.',
    parts: [
      {
        request: oneCharge(
          PAYMENTS,
          {
            key: 'fees',
            name: 'Payment fees',
            price: {
              ...{ model: 'percentage', rate: '2.9', fixed_fee: '0.30', free_events: 2 },
              ...{ transaction_minimum: '0.50', transaction_maximum: '10' },
            },
          },
          { transactions: ['20', '15', '100', '1000', '5'].map((value) => ({ meter: 'payments', value })) },
        ),
        total: '13.70',
        sum: '20 and 15 are free; 100 x 2.9 % + 0.30 = 3.20; 1,000 would cost 29.30, so 10; 5 would cost 0.445, so 0.50.',
      },
    ],
  },
  {
    title: 'Graduated percentage: `graduated_percentage`',
    rule: 'Graduated over money: each tier takes its rate of its own slice, and its flat amount once the slice is entered.',
    used: 'Revenue of 250,000 USD; 1 % of the first 100,000, 0.5 % of the rest.',
    parts: [
      {
        request: oneCharge(
          REVENUE,
          {
            key: 'share',
            name: 'Revenue share',
            price: {
              model: 'graduated_percentage',
              tiers: [
                { up_to: '100000', rate: '1' },
                { up_to: null, rate: '0.5' },
              ],
            },
          },
          { usage: [used('revenue', '250000')] },
        ),
        total: '1750.00',
        sum: '100,000 x 1 % + 150,000 x 0.5 % = 1,000 + 750.',
      },
    ],
  },
  {
    title: 'Dynamic: `dynamic`',
    rule: 'The events bring their own price: the meter adds up money, and the charge may multiply it (a margin).',
    used: 'Two jobs that cost 12.40 and 7.85 USD, resold with a margin of 20 %.',
    parts: [
      {
        request: oneCharge(
          { key: 'job_cost', aggregation: 'sum', unit: 'USD' },
          { key: 'jobs', name: 'Jobs', price: { model: 'dynamic', multiplier: '1.2' } },
          { transactions: ['12.40', '7.85'].map((value) => ({ meter: 'job_cost', value })) },
        ),
        total: '24.30',
        sum: '(12.40 + 7.85) x 1.2.',
      },
    ],
  },
];
