import { CALLS, fixedFee, oneCharge, type PricingSection, TOKENS, used } from '../example.ts';

const PER_TOKEN = { model: 'per_unit', unit_price: '0.002' };
const tokens = (more: object = {}) => ({ key: 'tokens', name: 'Tokens', price: PER_TOKEN, ...more });
const fees = (amount: string, more: object) => ({
  currency: 'USD',
  charges: [fixedFee('base', 'Base fee', amount)],
  period: '2026-11',
  ...more,
});
const CHANGE = '2026-11-16T00:00:00Z';

export const PERIODS: PricingSection = {
  title: 'Partial periods, changes and corrections',
  text: `Proration counts calendar days of the customer's time zone, half-open: the day of a change belongs to what follows. \`proration: "second"\` counts
seconds. Fees, allowances, envelopes, minimums, discounts of an amount and commitments are prorated; unit prices, flat amounts of tiers,
free parts of percentages and maximums are not.`,
  examples: [
    {
      title: 'A service that begins in mid-period',
      rule: 'The service is the part of the period in which the subscription is active: here 15 of 30 days.',
      used: '2,000 tokens from 16 November on; 3,000 a month are included, the fee is 30 USD a month.',
      parts: [
        {
          request: {
            ...oneCharge(TOKENS, {}, { usage: [used('tokens', '2000')] }),
            charges: [
              { kind: 'usage', meter: 'tokens', ...tokens({ allowance: '3000' }) },
              fixedFee('base', 'Base fee', '30'),
            ],
            service: { start: CHANGE },
          },
          total: '16.00',
          sum: '3,000 x 15/30 = 1,500 are free, 500 x 0.002 = 1; 30 x 15/30 = 15.',
        },
      ],
    },
    {
      title: 'Proration by the second',
      rule: 'With `proration: "second"` the part is counted in seconds, from and to quarter hours.',
      used: 'A fee of 30 USD for November, from 16 November at 12:00.',
      parts: [
        {
          request: fees('30', { proration: 'second', service: { start: '2026-11-16T12:00:00Z' } }),
          total: '14.50',
          sum: '14.5 of 30 days: 30 x 1,252,800/2,592,000.',
        },
      ],
    },
    {
      title: 'A change of plan in mid-period, prorated',
      rule: 'Each plan bears its own days, and prices the usage of its own span.',
      used: 'A plan for 30 USD until 15 November, one for 90 USD from the 16th on.',
      parts: [
        {
          of: 'The plan before',
          request: fees('30', { service: { end: CHANGE } }),
          total: '15.00',
          sum: '30 x 15/30.',
        },
        {
          of: 'The plan after',
          request: fees('90', { service: { start: CHANGE } }),
          total: '45.00',
          sum: '90 x 15/30.',
        },
      ],
    },
    {
      title: 'A change of plan without proration',
      rule: 'The plan in force when the period began bears all of its fees, allowances and minimums; the next one begins to bear them with the next period. Usage is priced by the plan in force.',
      used: 'The same change, asked for without proration.',
      parts: [
        {
          of: 'The plan before',
          request: fees('30', { service: { end: CHANGE }, share: 'whole' }),
          total: '30.00',
          sum: 'The full period.',
        },
        {
          of: 'The plan after',
          request: fees('90', { service: { start: CHANGE }, share: 'none' }),
          total: '0.00',
          sum: 'Nothing until the next period.',
        },
      ],
    },
    {
      title: 'Usage that arrives late, and other differences',
      rule: `An issued invoice is never edited. The period is rated again, and the next invoice holds a line for every difference, by line key, credits
included. In an estimate \`billed\` says what was billed, and \`adjustments\` are those lines.`,
      used: '15 calls were billed at 10 USD each; a 16th arrives, and above 15 all of them cost 5 USD.',
      parts: [
        {
          request: {
            ...oneCharge(
              CALLS,
              {
                key: 'calls',
                name: 'API calls',
                price: {
                  model: 'volume',
                  tiers: [
                    { up_to: '15', unit_price: '10' },
                    { up_to: null, unit_price: '5' },
                  ],
                },
              },
              { usage: [used('api_calls', '16')] },
            ),
            billed: { usage: [used('api_calls', '15')] },
          },
          total: '80.00',
          added: '-70.00',
          sum: '16 x 5 = 80 are right, 15 x 10 = 150 were billed.',
        },
      ],
    },
    {
      title: 'Corrections below zero',
      rule: `Negative quantities are legal for meters that add up. A charge is never below zero in its own period; what is left is carried to an adjustment
line of a later invoice (\`carried\`).`,
      used: 'A correction of -500 tokens, and nothing else.',
      parts: [
        {
          request: oneCharge(TOKENS, tokens(), { usage: [used('tokens', '-500')] }),
          total: '0.00',
          sum: '-500 x 0.002 = -1, carried.',
        },
      ],
    },
  ],
};

export const CURRENCIES: PricingSection = {
  title: 'Currencies',
  text: `A plan has one currency, and a customer one billing account per currency. Amounts have the places of the currency: 0 (JPY), 2 or 3 (KWD).
Nothing is ever converted but at a rate that a subscription has stored.`,
  examples: [
    {
      title: 'Currencies without and with three decimal places',
      rule: 'Each line is rounded to the minor unit of its currency.',
      used: '1,234.5 tokens at 0.25 yen, or at 0.0035 dinars.',
      parts: (['JPY', 'KWD'] as const).map((currency) => ({
        of: currency,
        request: {
          ...oneCharge(
            TOKENS,
            tokens({ price: { model: 'per_unit', unit_price: currency === 'JPY' ? '0.25' : '0.0035' } }),
            { usage: [used('tokens', '1234.5')] },
          ),
          currency,
        },
        total: currency === 'JPY' ? '309' : '4.321',
        sum: currency === 'JPY' ? '1,234.5 x 0.25 = 308.625.' : '1,234.5 x 0.0035 = 4.32075.',
      })),
    },
    {
      title: 'Conversion at a stored rate',
      rule: 'Prices stay in the currency of the plan; the line is converted before its one rounding, by a row of its own.',
      used: '100,000 tokens priced in dollars, billed in euros at 0.92 euros a dollar.',
      parts: [
        {
          request: {
            ...oneCharge(TOKENS, tokens(), { usage: [used('tokens', '100000')] }),
            conversion: { currency: 'EUR', rate: '0.92' },
          },
          total: '184.00',
          sum: '100,000 x 0.002 = 200 USD, x 0.92.',
        },
      ],
    },
  ],
};
