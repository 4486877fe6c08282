import { CALLS, fixedFee, oneCharge, type PricingSection, TOKENS, used } from '../example.ts';

const PER_CALL = { model: 'per_unit', unit_price: '0.01' };
const calls = (more: object) => ({ key: 'calls', name: 'API calls', price: PER_CALL, ...more });
const REGIONS = { ...CALLS, dimensions: ['region'] };

export const CHARGE_OPTIONS: PricingSection = {
  title: 'Options of a charge',
  text: 'Every model takes them, in the order written above. Only a percentage per transaction takes no allowance: it has free parts of its own.',
  examples: [
    {
      title: 'Filter',
      rule: `A charge with a \`filter\` takes only the usage with those dimension values; the most specific matching charge of a meter takes it, and a
charge without a filter takes the rest. Usage that no charge takes is listed (\`unmatched\`) and never billed in silence.`,
      used: '1,000 calls in the EU at 0.02 USD and 5,000 elsewhere at 0.01 USD.',
      parts: [
        {
          request: {
            currency: 'USD',
            meters: [REGIONS],
            charges: [
              {
                ...{ kind: 'usage', key: 'eu', name: 'Calls in the EU', meter: 'api_calls', filter: { region: 'eu' } },
                price: { model: 'per_unit', unit_price: '0.02' },
              },
              { kind: 'usage', key: 'other', name: 'Calls elsewhere', meter: 'api_calls', price: PER_CALL },
            ],
            period: '2026-11',
            usage: [used('api_calls', '1000', { region: 'eu' }), used('api_calls', '5000', { region: 'us' })],
          },
          total: '70.00',
          sum: '1,000 x 0.02 + 5,000 x 0.01 = 20 + 50.',
        },
      ],
    },
    {
      title: 'Allowance',
      rule: 'Units that are free in every period, before the price model sees the rest. Prorated in a partial period.',
      used: '12,500 calls, 10,000 of them included.',
      parts: [
        {
          request: oneCharge(CALLS, calls({ allowance: '10000' }), { usage: [used('api_calls', '12500')] }),
          total: '25.00',
          sum: '2,500 x 0.01.',
        },
      ],
    },
    {
      title: 'Minimum',
      rule: 'The charge is at least this much in every period, used or not. Prorated in a partial period.',
      used: '300 calls, with a minimum of 10 USD.',
      parts: [
        {
          request: oneCharge(CALLS, calls({ minimum: '10' }), { usage: [used('api_calls', '300')] }),
          total: '10.00',
          sum: '300 x 0.01 = 3, and 7 more to the minimum.',
        },
      ],
    },
    {
      title: 'Maximum',
      rule: 'The charge is at most this much. A cap is not prorated: the usage of half a month may all fall on one day.',
      used: '25,000 calls, with a maximum of 100 USD.',
      parts: [
        {
          request: oneCharge(CALLS, calls({ maximum: '100' }), { usage: [used('api_calls', '25000')] }),
          total: '100.00',
          sum: '25,000 x 0.01 = 250, less 150.',
        },
      ],
    },
    {
      title: 'Discount',
      rule: `Taken off after minimum and maximum, never below zero: a \`percent\`, or an \`amount\` of the period (prorated in a partial one). Fees take
discounts too.`,
      used: '300 calls with a minimum of 10 USD and 15 % off; a fee of 30 USD less 5 USD.',
      parts: [
        {
          request: {
            ...oneCharge(CALLS, {}, { usage: [used('api_calls', '300')] }),
            charges: [
              { kind: 'usage', meter: 'api_calls', ...calls({ minimum: '10', discount: { percent: '15' } }) },
              fixedFee('base', 'Base fee', '30', { discount: { amount: '5' } }),
            ],
          },
          total: '33.50',
          sum: '10 less 15 % is 8.50; 30 less 5 is 25.',
        },
      ],
    },
    {
      title: 'Flat amounts at zero',
      rule: 'The flat amount of the first tier is not due at zero usage, unless the price says `flat_at_zero`.',
      used: 'Nothing.',
      parts: [false, true].map((isDue) => ({
        of: isDue ? 'With `flat_at_zero`' : 'Without it',
        request: oneCharge(
          CALLS,
          calls({
            price: {
              model: 'graduated',
              tiers: [{ up_to: null, unit_price: '0.01', flat_amount: '25' }],
              ...(isDue && { flat_at_zero: true }),
            },
          }),
          { usage: [] },
        ),
        total: isDue ? '25.00' : '0.00',
        sum: isDue ? '0 x 0.01 + 25.' : '0 x 0.01.',
      })),
    },
    {
      title: 'Fixed fees, in arrears and in advance',
      rule: `A fee of the period. \`in_arrears\`: on the invoice that the closed period gets. \`in_advance\`: on the invoice that is made when the period
begins, together with what the period before has used. An estimate shows both sides of one period; \`bills\` picks one.`,
      used: 'A base fee of 49 USD in advance and a support fee of 20 USD in arrears.',
      parts: (['in advance', 'in arrears'] as const).map((side) => ({
        of: `Due ${side}`,
        request: {
          currency: 'USD',
          charges: [fixedFee('base', 'Base fee', '49', { timing: 'in_advance' }), fixedFee('support', 'Support', '20')],
          period: '2026-11',
          bills: side === 'in advance' ? 'advance' : 'arrears',
        },
        total: side === 'in advance' ? '49.00' : '20.00',
        sum: 'The fee of the full period.',
      })),
    },
    {
      title: 'Rounding of a meter',
      rule: `A meter may round its quantity once, before anything else looks at it: \`up\`, \`down\` or \`nearest\`, to \`places\` decimal places (below zero:
tens, hundreds ...).`,
      used: '1,234.5 GB, counted in whole hundreds begun.',
      parts: [
        {
          request: oneCharge(
            { ...TOKENS, key: 'transfer', unit: 'GB', rounding: { mode: 'up', places: -2 } },
            { key: 'transfer', name: 'Transfer', price: { model: 'per_unit', unit_price: '0.05' } },
            { usage: [used('transfer', '1234.5')] },
          ),
          total: '65.00',
          sum: '1,300 x 0.05.',
        },
      ],
    },
  ],
};
