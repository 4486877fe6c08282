import { CALLS, fixedFee, oneCharge, type PricingSection, TOKENS, used } from '../example.ts';

const calls = (more: object) => ({ kind: 'usage', key: 'calls', name: 'API calls', meter: 'api_calls', ...more });
const PER_CALL = { model: 'per_unit', unit_price: '0.01' };
const committed = (more: object) => ({
  currency: 'USD',
  meters: [CALLS],
  charges: [calls({ price: PER_CALL }), fixedFee('base', 'Base fee', '100')],
  period: '2026-11',
  ...more,
});

export const PLAN_OPTIONS: PricingSection = {
  title: 'Options of a plan',
  text: 'A plan version never changes; a change is a new version, and subscriptions move to it at a chosen time.',
  examples: [
    {
      title: 'Envelopes: one included quantity for several charges',
      rule: `An envelope holds units that several charges draw on, in the order of its \`burn\` list; each unit of a charge takes \`weight\` units of the
envelope. It is prorated in a partial period. A charge draws on one envelope at most.`,
      used: '600 small and 300 large jobs; 1,000 credits are included, a small job takes 1 and a large one 4.',
      parts: [
        {
          request: {
            currency: 'USD',
            meters: [
              { key: 'small_jobs', aggregation: 'count', unit: 'jobs' },
              { key: 'large_jobs', aggregation: 'count', unit: 'jobs' },
            ],
            charges: [
              {
                ...{ kind: 'usage', key: 'small', name: 'Small jobs', meter: 'small_jobs' },
                price: { model: 'per_unit', unit_price: '0.05' },
              },
              {
                ...{ kind: 'usage', key: 'large', name: 'Large jobs', meter: 'large_jobs' },
                price: { model: 'per_unit', unit_price: '0.20' },
              },
            ],
            envelopes: [
              {
                ...{ key: 'credits', name: 'Credits', quantity: '1000' },
                burn: [
                  { charge: 'small', weight: '1' },
                  { charge: 'large', weight: '4' },
                ],
              },
            ],
            period: '2026-11',
            usage: [used('small_jobs', '600'), used('large_jobs', '300')],
          },
          total: '40.00',
          sum: '600 small jobs take 600 credits; the other 400 cover 100 large jobs, and 200 are left: 200 x 0.20.',
        },
      ],
    },
    {
      title: 'Commitment with true-up',
      rule: `What the lines of the plan come to at least in every period (\`term: "period"\`), fees included; with \`true_up\` a line of its own bills what is
missing. Prorated in a partial period.`,
      used: '15,000 calls and the base fee; 500 USD are committed.',
      parts: [
        {
          request: committed({
            commitment: { amount: '500', term: 'period', true_up: true },
            usage: [used('api_calls', '15000')],
          }),
          total: '500.00',
          sum: '15,000 x 0.01 + 100 = 250, and 250 are missing.',
        },
      ],
    },
    {
      title: 'Commitment with overage',
      rule: 'What the lines bill above the commitment costs `overage_factor` times as much; the difference is a line of its own.',
      used: '80,000 calls and the base fee; 500 USD are committed, beyond them everything costs 1.5 times as much.',
      parts: [
        {
          request: committed({
            commitment: { amount: '500', term: 'period', true_up: true, overage_factor: '1.5' },
            usage: [used('api_calls', '80000')],
          }),
          total: '1100.00',
          sum: '80,000 x 0.01 + 100 = 900; the 400 above 500 cost half as much again, 200.',
        },
      ],
    },
    {
      title: 'Rounding',
      rule: 'Each line is rounded once, half away from zero, or half to even with `rounding: "half_even"`.',
      used: '12.5 tokens at 0.01 USD each.',
      parts: (['half_away_from_zero', 'half_even'] as const).map((rounding) => ({
        of: `\`${rounding}\``,
        request: {
          ...oneCharge(TOKENS, { key: 'tokens', name: 'Tokens', price: PER_CALL }, { usage: [used('tokens', '12.5')] }),
          rounding,
        },
        total: rounding === 'half_even' ? '0.12' : '0.13',
        sum: '12.5 x 0.01 = 0.125.',
      })),
    },
    {
      title: 'Contracts: terms of one customer',
      rule: `A contract overrides single charges (price, allowance, minimum, maximum, amount, discount; null takes the plan's away), the commitment or the
envelopes, from a start to an end. Contract beats plan, and plan beats the project's default price list. The line names its source.`,
      used: '15,000 calls and the base fee, with a contract that makes calls cheaper and the fee 20 % less.',
      parts: [
        {
          request: committed({
            usage: [used('api_calls', '15000')],
            contract: {
              overrides: [
                { charge: 'calls', price: { model: 'per_unit', unit_price: '0.008' } },
                { charge: 'base', discount: { percent: '20' } },
              ],
            },
          }),
          total: '200.00',
          sum: '15,000 x 0.008 = 120; 100 less 20 % is 80.',
        },
      ],
    },
    {
      title: 'Intervals, by the calendar or from a date',
      rule: `\`interval\` is \`day\`, \`week\` (from Monday), \`month\`, \`quarter\`, \`year\` or every N days. By the calendar, or counted from the day the subscription
began: one that began on the 31st renews on the last day of shorter months and returns to the 31st.`,
      used: 'A fee of 90 USD, in the quarter of 21 November 2026, and in the month of 1 March 2026 counted from 31 January.',
      parts: [
        {
          of: 'Quarter 2026-Q4, 1 October to 31 December',
          request: {
            ...{ currency: 'USD', interval: 'quarter', charges: [fixedFee('base', 'Base fee', '90')] },
            at: '2026-11-21T00:00:00Z',
          },
          total: '90.00',
          sum: 'The full period.',
        },
        {
          of: 'Month 2026-02-28_2026-03-31, 28 February to 30 March',
          request: {
            ...{ currency: 'USD', charges: [fixedFee('base', 'Base fee', '90')] },
            ...{ at: '2026-03-01T00:00:00Z', anchor: '2026-01-31T00:00:00Z' },
          },
          total: '90.00',
          sum: 'The full period.',
        },
      ],
    },
  ],
};
