import { CALLS, oneCharge, type PricingSection, TOKENS, used } from '../example.ts';
import { MONEY_MODELS } from './money-models.ts';

const SEATS = { key: 'seats', aggregation: 'max', unit: 'seats' };
const COMPUTE = { key: 'compute', aggregation: 'sum', unit: 'hours', dimensions: ['region', 'size'] };

export const MODELS: PricingSection = {
  title: 'Price models',
  text: `A charge has one price, and the price has one model. Which aggregations a model can price is checked when the plan is written:
per unit, graduated, volume, stairstep, package and matrix price any meter; percentage, graduated percentage and dynamic price
money, so they need a meter that adds up (\`sum\` or \`transactions\`); dynamic prices also need one that does not carry over.`,
  examples: [
    {
      title: 'Per unit: `per_unit`',
      rule: 'Quantity times price. Prices have up to 12 decimal places; nothing is rounded before the end of the line.',
      used: '1,500.5 tokens at 0.002 USD each.',
      parts: [
        {
          request: oneCharge(
            TOKENS,
            { key: 'tokens', name: 'Tokens', price: { model: 'per_unit', unit_price: '0.002' } },
            { usage: [used('tokens', '1500.5')] },
          ),
          total: '3.00',
          sum: '1,500.5 x 0.002 = 3.001, rounded once to 3.00.',
        },
      ],
    },
    {
      title: 'Graduated: `graduated`',
      rule: `Each tier prices its own slice of the quantity: above the tier before, up to and including its \`up_to\`. A tier's \`flat_amount\` is
due once its slice is entered. The last tier has \`up_to: null\`.`,
      used: '250,000 calls; the first 100,000 at 0.001 USD, the rest at 0.0005 USD and 20 USD once.',
      parts: [
        {
          request: oneCharge(
            CALLS,
            {
              key: 'calls',
              name: 'API calls',
              price: {
                model: 'graduated',
                tiers: [
                  { up_to: '100000', unit_price: '0.001' },
                  { up_to: null, unit_price: '0.0005', flat_amount: '20' },
                ],
              },
            },
            { usage: [used('api_calls', '250000')] },
          ),
          total: '195.00',
          sum: '100,000 x 0.001 + 150,000 x 0.0005 + 20 = 100 + 75 + 20.',
        },
      ],
    },
    {
      title: 'Volume: `volume`',
      rule: 'The tier that holds the whole quantity prices all of it, plus its flat amount. So a little more can cost less in all.',
      used: '12,000 calls; up to 10,000 cost 0.01 USD each, more than that 0.008 USD each.',
      parts: [
        {
          request: oneCharge(
            CALLS,
            {
              key: 'calls',
              name: 'API calls',
              price: {
                model: 'volume',
                tiers: [
                  { up_to: '10000', unit_price: '0.01' },
                  { up_to: null, unit_price: '0.008' },
                ],
              },
            },
            { usage: [used('api_calls', '12000')] },
          ),
          total: '96.00',
          sum: '12,000 x 0.008. (10,000 calls would cost 100.00.)',
        },
      ],
    },
    {
      title: 'Stairstep: `stairstep`',
      rule: 'The flat amount of the tier reached, however much of the tier is used. Nothing at zero, unless `flat_at_zero`.',
      used: '120 seats at most in the month; up to 50 cost 500 USD, up to 200 cost 1,500 USD.',
      parts: [
        {
          request: oneCharge(
            SEATS,
            {
              key: 'seats',
              name: 'Seats',
              price: {
                model: 'stairstep',
                tiers: [
                  { up_to: '50', flat_amount: '500' },
                  { up_to: '200', flat_amount: '1500' },
                  { up_to: null, flat_amount: '5000' },
                ],
              },
            },
            { usage: [used('seats', '120')] },
          ),
          total: '1500.00',
          sum: '120 lies above 50, up to 200.',
        },
      ],
    },
    {
      title: 'Package: `package`',
      rule: 'Whole packages; one that is begun is due. Free units before the first package are the `allowance` of the charge.',
      used: '121 calls, 10 of them free, in packages of 10 for 100 USD.',
      parts: [
        {
          request: oneCharge(
            CALLS,
            {
              key: 'calls',
              name: 'API calls',
              allowance: '10',
              price: { model: 'package', package_size: '10', package_price: '100' },
            },
            { usage: [used('api_calls', '121')] },
          ),
          total: '1200.00',
          sum: '111 calls fill 11 packages and begin a 12th: 12 x 100.',
        },
      ],
    },
    ...MONEY_MODELS,
    {
      title: 'Matrix: `matrix`',
      rule: `A price per combination of dimension values. Usage belongs to the entry that matches it with the most dimensions; all other usage
pays \`default_unit_price\`, which is mandatory. An allowance covers the entries in written order, the default last.`,
      used: 'Compute: 100 hours eu/large, 40 hours eu/small, 10 hours us/small.',
      parts: [
        {
          request: oneCharge(
            COMPUTE,
            {
              key: 'compute',
              name: 'Compute',
              price: {
                model: 'matrix',
                dimensions: ['region', 'size'],
                prices: [
                  { match: { region: 'eu', size: 'large' }, unit_price: '0.40' },
                  { match: { region: 'eu' }, unit_price: '0.12' },
                ],
                default_unit_price: '0.10',
              },
            },
            {
              usage: [
                used('compute', '100', { region: 'eu', size: 'large' }),
                used('compute', '40', { region: 'eu', size: 'small' }),
                used('compute', '10', { region: 'us', size: 'small' }),
              ],
            },
          ),
          total: '45.80',
          sum: '100 x 0.40 + 40 x 0.12 + 10 x 0.10 = 40 + 4.80 + 1.',
        },
      ],
    },
  ],
};
