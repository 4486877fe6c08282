import type { ProductEvent } from '../events/product-event.ts';
import type { InvoiceStatus } from '../invoicing/invoice.ts';
import { EMPTY_PAYMENT, type PaymentRecord } from './payment-record.ts';
import type { InvoicePayments, StoredPayment } from './ports.ts';

const MAX_GENERATIONS = 20;

/** One push on its way: the record as last stored, and the writes over exactly that version. */
export class PushWork {
  #stored: StoredPayment;
  readonly #payments: InvoicePayments;

  constructor(stored: StoredPayment, deps: { readonly payments: InvoicePayments }) {
    this.#stored = stored;
    this.#payments = deps.payments;
  }

  get stored(): StoredPayment {
    return this.#stored;
  }

  get payment(): PaymentRecord {
    return this.#stored.payment ?? EMPTY_PAYMENT;
  }

  /** The idempotency key of a step: the same for every try of this invoice's step, at most 100 characters. */
  keyOf(step: string): string {
    const { project, id } = this.#stored.invoice;
    return `inv:${project}:${id}:g${this.payment.generation}:${step}`;
  }

  /** Stores a change of the record; false when somebody else changed it first, and the push must start over. */
  save(change: Partial<PaymentRecord>): Promise<boolean> {
    return this.advance(this.#stored.invoice.status, { ...this.payment, ...change }, []);
  }

  async advance(status: InvoiceStatus, payment: PaymentRecord, events: readonly ProductEvent[]): Promise<boolean> {
    const stored = this.#stored;
    if ((await this.#payments.save({ stored, status, payment, events })) === 'refused') return false;
    this.#stored = { invoice: { ...stored.invoice, status }, payment, version: stored.version + 1 };
    return true;
  }

  /** New keys for all steps, after a read proved that the old ones made nothing. Throws `cause` when that went on too often. */
  nextGeneration(cause: unknown): Promise<boolean> {
    if (this.payment.generation >= MAX_GENERATIONS) throw cause;
    return this.save({ generation: this.payment.generation + 1 });
  }
}
