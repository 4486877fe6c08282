import * as z from 'zod';
import { INVOICE_PURPOSES } from '../../../core/invoicing/invoice.ts';
import { timeText } from '../schemas.ts';

/** Invoices and runs as answers hold them. Amounts are exact decimal strings in major units of `currency`. */
export const amount = z.string().meta({ description: 'Major units, exact.', examples: ['45.15'] });
const text = z.string();

const step = z.object({
  key: text,
  label: text,
  from: text.nullable(),
  to: text.nullable(),
  quantity: text.nullable(),
  unitPrice: text.nullable(),
  flatAmount: text.nullable(),
  fraction: text.nullable(),
  amount: text,
});

export const line = z.object({
  key: text.meta({ description: 'Stable and unique on the invoice.' }),
  kind: z.enum(['usage', 'fixed', 'commitment', 'adjustment']),
  description: text,
  subscription: text,
  charge: text,
  meter: text.nullable(),
  servicePeriod: z.object({ period: text, start: timeText, end: timeText }),
  quantity: text,
  allowanceUsed: text,
  unit: text.nullable(),
  steps: z.array(step).meta({ description: 'How the amount came about; the rows add up to exact_amount.' }),
  exactAmount: text,
  rounding: text,
  amount,
  carried: amount,
  priceVersion: text.meta({
    description: '`<plan>@<version>`, `contract:<id>@<version>` or `price-list:<currency>@<version>`.',
  }),
  adjusts: z.object({ period: text, line: text, previousAmount: amount, currentAmount: amount }).optional(),
});

const payment = z.object({
  provider: text,
  providerInvoice: text.nullable(),
  status: text.nullable(),
  amounts: z.object({ due: amount, received: amount, outOfBand: amount, toBalance: amount }).nullable(),
  failedAttempts: z.int(),
  lastFailure: z.object({ code: text, at: timeText }).nullable(),
  hostedUrl: text.nullable(),
  paidAt: timeText.nullable(),
});

export const listedInvoiceSchema = z.object({
  id: text,
  customer: text,
  account: text,
  period: z.object({ key: text, start: timeText, end: timeText, timeZone: text }),
  purpose: z.enum(INVOICE_PURPOSES),
  ordinal: z.int(),
  currency: text,
  status: z.enum(['draft', 'issued', 'paid', 'void', 'uncollectible']),
  number: text.nullable(),
  total: amount,
  draftedAt: timeText,
  issuedAt: timeText.nullable(),
  dueAt: timeText.nullable(),
  payment: payment.nullable(),
});

export const invoiceSchema = listedInvoiceSchema.extend({
  lines: z.array(line),
  evidence: z.object({ sha256: text, key: text }).nullable(),
});

const failure = z.object({
  invoice: text,
  customer: text,
  account: text,
  period: text,
  at: text,
  code: text,
  reason: text,
  action: text,
});

export const billingRunSchema = z.object({
  id: text,
  asOf: timeText,
  through: text.nullable(),
  reason: z.enum(['schedule', 'request']),
  status: z.enum(['running', 'finished', 'failed']),
  startedAt: timeText,
  finishedAt: timeText.nullable(),
  settled: z
    .object({
      partitions: z.int(),
      foldedEvents: z.int(),
      parked: z
        .int()
        .meta({ description: 'Messages of the project that could not be counted and wait for a decision.' }),
      queued: z.int().meta({ description: 'About so many messages of all projects waited to be counted.' }),
      deadLettered: z.int().meta({ description: 'About so many messages of all projects waited to be parked.' }),
    })
    .nullable(),
  reconciled: z
    .object({
      views: z.int().meta({ description: 'View items counted again from the log and compared.' }),
      disputedDays: z.int().meta({ description: 'On which they did not agree; their customers are not billed.' }),
      unprovableDays: z.int().meta({ description: 'Whose log has expired in part.' }),
    })
    .nullable(),
  planned: z.object({ accounts: z.int(), invoices: z.int() }).nullable(),
  report: z
    .looseObject({
      accounts: z.int(),
      invoicesPlanned: z.int(),
      steps: z.record(text, z.int()),
      notProcessed: z.int(),
      totals: z.array(z.object({ currency: text, total: amount, invoices: z.int() })),
      failures: z.array(failure),
      credits: z
        .array(z.object({ account: text, customer: text, currency: text, amount }))
        .meta({ description: 'Owed to accounts whose subscriptions have all ended: no further invoice gives it.' }),
      warnings: z.array(text),
      error: text.nullable(),
    })
    .nullable(),
});
