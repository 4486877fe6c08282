import type { Customer } from '../../../core/accounts/customer.ts';
import type { ProductEvent } from '../../../core/events/product-event.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import type {
  CustomerPayment,
  CustomerPayments,
  InvoicePayments,
  StoredPayment,
  WebhookEvents,
} from '../../../core/payments/ports.ts';
import type { Faults } from './faults.ts';

/** The payment stores over one invoice and one customer, with version conditions, and a fault before or after each write. */
export class MemoryPayments {
  stored: StoredPayment;
  customer: { customer: Customer; payment: CustomerPayment | null };
  readonly events: ProductEvent[] = [];
  readonly processed = new Map<string, string>();
  readonly #faults: Faults;

  constructor(invoice: Invoice, customer: Customer, faults: Faults) {
    this.stored = { invoice, payment: null, version: 1 };
    this.customer = { customer, payment: null };
    this.#faults = faults;
  }

  readonly payments: InvoicePayments = {
    find: async (_project, id) => (id === this.stored.invoice.id ? structuredClone(this.stored) : null),
    save: (change) =>
      this.#faults.around('save', () => {
        if (change.stored.version !== this.stored.version) return 'refused';
        const { invoice, version } = this.stored;
        this.stored = {
          invoice: { ...invoice, status: change.status },
          payment: structuredClone(change.payment),
          version: version + 1,
        };
        this.events.push(...change.events);
        if (change.processed) this.processed.set(change.processed.notice.event, 'applied');
        return 'stored';
      }),
  };

  readonly customers: CustomerPayments = {
    find: async () => structuredClone(this.customer),
    save: (_project, before, after) =>
      this.#faults.around('save customer', () => {
        if (JSON.stringify(before.payment) !== JSON.stringify(this.customer.payment)) return 'refused';
        this.customer = { ...this.customer, payment: after };
        return 'stored';
      }),
  };

  readonly webhooks: WebhookEvents = {
    receive: async (notice) => (this.processed.has(notice.event) ? 'processed' : 'waiting'),
    markProcessed: (notice, _at, outcome) =>
      this.#faults.around('mark', () => {
        this.processed.set(notice.event, outcome);
      }),
  };

  typesOfEvents(): string[] {
    return this.events.map((event) => event.type);
  }
}
