import { oneCharge, type PricingSection } from '../example.ts';

const USERS = { key: 'users', aggregation: 'unique_count', unit: 'users', dimensions: ['region'] };
const LATENCY = { key: 'latency', aggregation: 'average', unit: 'ms' };
const STORAGE = { key: 'storage', aggregation: 'time_weighted_sum', unit: 'GB months' };
const DISK = { ...STORAGE, key: 'disk', reset: 'carry_over' };
const SEATS = { key: 'seats', aggregation: 'sum', unit: 'seats', reset: 'carry_over' };

const perUnit = (key: string, name: string, unit_price: string, more: object = {}) => ({
  ...{ key, name, price: { model: 'per_unit', unit_price } },
  ...more,
});
const event = (meter: string, at: string, value: string, more: object = {}) => ({ meter, at, value, ...more });

export const LEVELS: PricingSection = {
  title: 'Users, averages and levels over time',
  text: `What a quantity is made of decides how it comes about; from then on it is priced like any other. Different users and averages are one
quantity of the whole period, also over a change of plan; a level over time adds up, and is prorated by itself. How events become
these quantities: [counting](counting.md).`,
  examples: [
    {
      title: 'Different users: `unique_count`',
      rule: 'Every value counts once in a period, however often it comes and whatever the dimensions it is kept apart by.',
      used: 'Ada in the EU and in the US, Bob in the US. 5 USD a user.',
      parts: [
        {
          request: oneCharge(USERS, perUnit('users', 'Active users', '5'), {
            transactions: [
              event('users', '2026-11-03T09:00:00Z', 'ada', { dimensions: { region: 'eu' } }),
              event('users', '2026-11-20T09:00:00Z', 'ada', { dimensions: { region: 'us' } }),
              event('users', '2026-11-20T10:00:00Z', 'bob', { dimensions: { region: 'us' } }),
            ],
          }),
          total: '10.00',
          sum: 'two users x 5.',
        },
      ],
    },
    {
      title: 'An average: `average`',
      rule: 'The sum of all values over their number, rounded to 12 places once.',
      used: 'Three answers of 10, 20 and 20 ms. 0.50 USD for every millisecond on average.',
      parts: [
        {
          request: oneCharge(LATENCY, perUnit('latency', 'Average latency', '0.50'), {
            transactions: ['10', '20', '20'].map((value, day) =>
              event('latency', `2026-11-0${day + 1}T10:00:00Z`, value),
            ),
          }),
          total: '8.33',
          sum: '50 / 3 = 16.666666666667; x 0.50 = 8.3333333333335.',
        },
      ],
    },
    {
      title: 'A level over time: `time_weighted_sum`',
      rule: `Events change a level. The quantity is the level times how long it held, over the length of the whole billing period; so what is there
for half a month costs half, and an allowance of a part of a period is its part of the allowance.`,
      used: '30 GB from 11 November on, 20 GB of them gone on 21 November. 10 GB months included, 0.10 USD for each more.',
      parts: [
        {
          request: oneCharge(STORAGE, perUnit('storage', 'Storage', '0.10', { allowance: '10' }), {
            transactions: [
              event('storage', '2026-11-11T00:00:00Z', '30'),
              event('storage', '2026-11-21T00:00:00Z', '-20'),
            ],
          }),
          total: '0.33',
          sum: '30 GB for 10 of 30 days and 10 GB for 10 of 30 days: 10 + 3.333333333333 GB months; 3.333333333333 x 0.10.',
        },
      ],
    },
    {
      title: 'What carries over: `reset: carry_over`',
      rule: `The level goes on from what it was before the period. A sum is then a balance, due as it stands at the end of the period; a
time-weighted sum begins with the level there was; a latest reading holds until the next one.`,
      used: 'Five seats and 100 GB in October; two more seats and 60 GB more on 16 November. 10 USD a seat, 0.10 USD a GB month.',
      parts: [
        {
          of: 'Seats, as they stand at the end',
          request: oneCharge(SEATS, perUnit('seats', 'Seats', '10'), {
            transactions: [event('seats', '2026-10-10T12:00:00Z', '5'), event('seats', '2026-11-16T00:00:00Z', '2')],
          }),
          total: '70.00',
          sum: '7 x 10.',
        },
        {
          of: 'Storage, over the month',
          request: oneCharge(DISK, perUnit('disk', 'Storage', '0.10'), {
            transactions: [event('disk', '2026-10-10T12:00:00Z', '100'), event('disk', '2026-11-16T00:00:00Z', '60')],
          }),
          total: '13.00',
          sum: '100 for all of the month and 60 for 15 of 30 days: 130 GB months x 0.10.',
        },
      ],
    },
  ],
};
