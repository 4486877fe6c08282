import * as z from 'zod';
import { timeText } from '../schemas.ts';
import { amount, line } from './invoice-schema.ts';

/** Estimates as answers hold them. */
const lines = z.array(line).meta({
  description: 'As an invoice would hold them, each rounded once. `subscription` is `estimate`.',
});

export const estimateSchema = z.object({
  currency: z.string(),
  period: z.object({ key: z.string(), start: timeText, end: timeText, timeZone: z.string() }),
  service: z.object({ start: timeText, end: timeText }),
  lines,
  total: amount.meta({ description: 'The sum of the lines.' }),
  unmatched: z
    .array(z.object({ meter: z.string(), dimensions: z.record(z.string(), z.string()), quantity: z.string() }))
    .meta({ description: 'Usage that no charge takes.' }),
  adjustments: z.object({ lines, total: amount }).nullable().meta({
    description:
      'With `billed`: the lines a later invoice would add, credits below zero included, before they wait for one that they fit on.',
  }),
});

export const ESTIMATE_EXAMPLES = {
  graduated: {
    summary: 'Graduated tiers over a made-up quantity, in a month that began on the 15th',
    value: {
      currency: 'USD',
      meters: [{ key: 'api_calls', aggregation: 'count', unit: 'calls' }],
      charges: [
        {
          kind: 'usage',
          key: 'calls',
          name: 'API calls',
          meter: 'api_calls',
          allowance: '10000',
          price: {
            model: 'graduated',
            tiers: [
              { up_to: '100000', unit_price: '0.001' },
              { up_to: null, unit_price: '0.0005' },
            ],
          },
        },
        { kind: 'fixed', key: 'base', name: 'Base fee', amount: '49.00', timing: 'in_arrears' },
      ],
      period: '2026-11',
      service: { start: '2026-11-15T00:00:00Z' },
      usage: [{ meter: 'api_calls', quantity: '250000' }],
    },
  },
  stored_plan: {
    summary: 'A plan of the project over what a customer has used, and 5,000 tokens more',
    value: { plan: 'pro', customer: 'acme', period: '2026-11', usage: [{ meter: 'tokens', quantity: '5000' }] },
  },
  late_usage: {
    summary: 'What usage that arrives late would add to the next invoice',
    value: {
      plan: 'pro',
      plan_version: 3,
      period: '2026-10',
      usage: [{ meter: 'tokens', quantity: '120000' }],
      billed: { usage: [{ meter: 'tokens', quantity: '118500' }] },
    },
  },
};
