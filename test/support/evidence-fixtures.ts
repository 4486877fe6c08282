import type { CustomerId, ProjectId } from '../../core/ids.ts';
import { type InvoiceSubject, invoiceIdOf } from '../../core/invoicing/draft-invoice.ts';
import type { Evidence, RatedService } from '../../core/invoicing/evidence.ts';
import type { RatingInput } from '../../core/rating/rate.ts';
import { parseBillingPeriod } from '../../core/time/billing-period.ts';

export const SUBJECT: InvoiceSubject = {
  project: 'prj_demo' as ProjectId,
  customer: 'acme' as CustomerId,
  account: 'acme/USD',
  currency: 'USD',
  period: parseBillingPeriod('2026-12', 'UTC'),
  purpose: 'period',
  ordinal: 0,
};

export function service(input: RatingInput): RatedService {
  return { input, views: [{ key: 'view/2026-11-01', version: 7, cursors: { 'part/1': 12 } }] };
}

export function evidenceOf(more: Partial<Evidence>): Evidence {
  return {
    format: 1,
    invoice: invoiceIdOf(SUBJECT),
    subject: SUBJECT,
    codeVersion: '0.1.0',
    services: [],
    earlier: [],
    ...more,
  };
}
