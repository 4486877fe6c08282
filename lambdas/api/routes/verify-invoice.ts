import * as z from 'zod';
import { notFound } from '../../../core/errors.ts';
import type { InvoiceId } from '../../../core/ids.ts';
import { type VerifyDeps, verifyStoredInvoice } from '../../../core/invoicing/verify-stored-invoice.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { amount } from '../document/invoice-schema.ts';
import { type Route, route } from '../route.ts';

export type { VerifyDeps };

const verificationSchema = z.object({
  invoice: z.string(),
  number: z.string().nullable(),
  status: z.enum(['draft', 'issued', 'paid', 'void', 'uncollectible']),
  currency: z.string(),
  evidence: z
    .object({ sha256: z.string(), key: z.string() })
    .meta({ description: 'SHA-256 of the canonical JSON, and the object in the archive bucket (gzip).' }),
  codeVersion: z.string().meta({ description: 'The rating code that rated it first.' }),
  ratedByCodeVersion: z.string().meta({ description: 'The rating code that rated it now.' }),
  agrees: z.boolean().meta({ description: 'Whether every line agrees to the cent.' }),
  total: z.object({ invoiced: amount, rated: amount }),
  lines: z.array(
    z.object({ key: z.string(), invoiced: amount.nullable(), rated: amount.nullable(), agrees: z.boolean() }),
  ),
});

export function verifyInvoiceRoute(deps: VerifyDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/invoices/{id}/verify',
    scope: 'read',
    docs: {
      tag: 'Billing',
      summary: 'Rate the stored evidence of an invoice again and compare',
      description:
        'Reads the evidence that was frozen when the invoice was drafted (usage, prices, meters, earlier billing), checks it against the hash the invoice names, rates it and compares cent by cent. Writes nothing. An amount is null where the line is missing on that side.',
      answers: { 200: verificationSchema },
      errors: ['invoice_not_found', 'evidence_missing', 'evidence_damaged'],
    },
    async handle({ project, params }) {
      const id = params.id ?? '';
      if (!/^inv_[0-9a-z]{1,64}$/.test(id))
        throw notFound('invoice_not_found', `No invoice ${id.slice(0, 64)} in this project.`);
      return jsonAnswer(200, await verifyStoredInvoice({ project, id: id as InvoiceId }, deps));
    },
  });
}
