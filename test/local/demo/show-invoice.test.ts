import { expect, test } from 'vitest';
import type { InvoiceDocument } from '../../../local/demo/api-documents.ts';
import { invoiceTable } from '../../../local/demo/show-invoice.ts';

const step = { label: '', quantity: null, unit_price: null, flat_amount: null, fraction: null };
const line = { subscription: 'sub_acme', unit: null, allowance_used: '0', quantity: '1', description: 'Platform fee' };
const INVOICE: InvoiceDocument = {
  ...{ id: 'inv_1', customer: 'acme', status: 'paid', number: 'INV-000001', currency: 'USD', total: '1074.81' },
  period: { key: '2026-10', start: '2026-10-01T04:00:00Z', end: '2026-11-01T04:00:00Z', time_zone: 'America/New_York' },
  payment: null,
  lines: [
    {
      ...{
        ...line,
        key: 'sub_acme/platform/fixed',
        price_version: 'growth@1',
        exact_amount: '735/31',
        amount: '23.71',
      },
      service_period: { start: '2026-10-01T04:00:00Z', end: '2026-10-16T04:00:00Z' },
      steps: [
        { ...step, label: '15 of 31 days', quantity: '1', flat_amount: '49', fraction: '15/31', amount: '735/31' },
      ],
    },
    {
      ...{ ...line, key: 'sub_acme/phase-2/calls/usage', price_version: 'scale@1', description: 'Calls' },
      ...{ quantity: '1970907', unit: 'calls', exact_amount: '1051.1', amount: '1051.10' },
      service_period: { start: '2026-10-16T04:00:00Z', end: '2026-11-01T04:00:00Z' },
      steps: [
        { ...step, label: 'Usage', quantity: '1970907', unit_price: '0.0005', amount: '985.4535000001' },
        { ...step, label: 'Correction', amount: '-1/3' },
      ],
    },
  ],
};

test('an invoice is shown by plan and days, with what every line is made of', () => {
  expect(invoiceTable(INVOICE).split('\n')).toEqual([
    'Invoice INV-000001 to acme for 2026-10 (America/New_York), paid',
    '┌─────────────────────────────────────────┬─────────────────┬─────────────────┬─────────────┐',
    '│ line                                    │        quantity │           price │         USD │',
    '├─────────────────────────────────────────┼─────────────────┼─────────────────┼─────────────┤',
    '│ 2026-10-01 to 2026-10-15, plan growth@1 │                 │                 │             │',
    '│   Platform fee                          │               1 │                 │       23.71 │',
    '│       15 of 31 days                     │               1 │ flat 49 x 15/31 │  23.709677… │',
    '│                                         │                 │                 │             │',
    '│ 2026-10-16 to 2026-10-31, plan scale@1  │                 │                 │             │',
    '│   Calls                                 │ 1,970,907 calls │                 │    1,051.10 │',
    '│       Usage                             │       1,970,907 │          0.0005 │ 985.453500… │',
    '│       Correction                        │                 │                 │  -0.333333… │',
    '│                                         │                 │                 │             │',
    '│ Total                                   │                 │                 │    1,074.81 │',
    '└─────────────────────────────────────────┴─────────────────┴─────────────────┴─────────────┘',
    'The rows of a line add up to its exact amount, which is rounded once, half away from zero.',
  ]);
});
