import type { Customer } from '../../../core/accounts/customer.ts';
import { BillingError } from '../../../core/errors.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import type { PaymentProvider, PayResult, ProviderInvoice } from '../../../core/payments/ports.ts';
import { instantFromMillis, millisOf } from '../../../core/time/instant.ts';
import type { Faults } from './faults.ts';
import type { HandClock } from './payment-fixtures.ts';

const DAY_MS = 86_400_000;

/** A provider in memory, with keys that are forgotten after a day, and a fault before or after each call. */
export class FakeProvider implements PaymentProvider {
  readonly customers: { id: string; project: string; customer: string; name: string }[] = [];
  readonly invoices = new Map<string, ProviderInvoice>();
  /** Money taken, by invoice, in minor units. */
  readonly charges: { invoice: string; minor: bigint }[] = [];
  card: 'pays' | 'declines' | 'processes' | 'none' = 'pays';
  minimumMinor = 50n;
  /** Keys whose next call is executed, fails and is remembered as failed. */
  readonly poisoned = new Set<string>();
  readonly #answers = new Map<string, { at: number; answer: unknown; error: unknown }>();
  readonly #faults: Faults;
  readonly #clock: HandClock;

  constructor(faults: Faults, clock: HandClock) {
    this.#faults = faults;
    this.#clock = clock;
  }

  readCustomer(id: string) {
    return this.#faults.around('read customer', () => {
      const found = this.customers.find((one) => one.id === id);
      return found ? { id, hasPaymentMethod: this.card !== 'none' } : null;
    });
  }

  findCustomer(project: string, customer: Customer) {
    return this.#faults.around('find customer', () => {
      const found = this.customers.find((one) => one.project === project && one.customer === customer.id);
      return found ? { id: found.id, hasPaymentMethod: this.card !== 'none' } : null;
    });
  }

  createCustomer(project: string, customer: Customer, key: string) {
    return this.#once('create customer', key, () => {
      const id = `cus_${this.customers.length + 1}`;
      this.customers.push({ id, project, customer: customer.id, name: customer.name });
      return { id, hasPaymentMethod: this.card !== 'none' };
    });
  }

  updateCustomer(id: string, customer: Customer) {
    return this.#faults.around('update customer', () => {
      const found = this.customers.find((one) => one.id === id);
      if (found) found.name = customer.name;
    });
  }

  findInvoice(providerCustomer: string, invoice: Invoice) {
    return this.#faults.around('find invoice', () => {
      const all = [...this.invoices.values()];
      return all.find((one) => one.providerCustomer === providerCustomer && one.invoice === invoice.id) ?? null;
    });
  }

  readInvoice(id: string) {
    return this.#faults.around('read invoice', () => this.invoices.get(id) ?? null);
  }

  createInvoice({ invoice, providerCustomer }: Parameters<PaymentProvider['createInvoice']>[0], key: string) {
    return this.#once('create invoice', key, () => {
      const id = `in_${this.invoices.size + 1}`;
      const blank = { providerCustomer, project: invoice.project, invoice: invoice.id, status: 'draft' } as const;
      return this.#put({ ...NOTHING, id, ...blank });
    });
  }

  addLines(id: string, invoice: Invoice, key: string) {
    return this.#once('add lines', key, () => {
      const now = this.#get(id);
      if (now.status !== 'draft') throw refused('not a draft');
      return this.#put({ ...now, hasLines: true, totalMinor: now.totalMinor + invoice.totalMinor });
    });
  }

  finalizeInvoice(id: string, key: string) {
    return this.#once('finalize', key, () => {
      const now = this.#get(id);
      if (now.status !== 'draft') throw refused('not a draft');
      const isDue = now.totalMinor >= this.minimumMinor;
      return this.#put({ ...now, status: isDue ? 'open' : 'paid', dueMinor: isDue ? now.totalMinor : 0n });
    });
  }

  payInvoice(id: string, key: string): Promise<PayResult> {
    return this.#once('pay', key, (): PayResult => {
      const now = this.#get(id);
      if (now.status !== 'open' || now.isProcessing) throw refused('not open');
      const attemptCount = now.attemptCount + 1;
      if (this.card === 'declines') {
        this.#put({ ...now, attemptCount, failureCode: 'insufficient_funds' });
        return { result: 'declined', code: 'insufficient_funds' };
      }
      this.charges.push({ invoice: id, minor: now.dueMinor });
      if (this.card === 'processes') {
        // not counted before it has ended
        return { result: 'accepted', seen: this.#put({ ...now, isProcessing: true }) };
      }
      const seen = this.#put({ ...now, attemptCount, status: 'paid', receivedMinor: now.dueMinor });
      return { result: 'accepted', seen };
    });
  }

  /** What happens at the provider without us. */
  set(id: string, change: Partial<ProviderInvoice>): void {
    this.#put({ ...this.#get(id), ...change });
  }

  #once<T>(name: string, key: string, effect: () => T): Promise<T> {
    return this.#faults.around(name, () => {
      const now = millisOf(this.#clock.now());
      const known = this.#answers.get(key);
      if (known && now - known.at < DAY_MS) {
        if (known.error === undefined) return known.answer as T;
        throw replayed(known.error);
      }
      if (this.poisoned.delete(name)) {
        const error = new BillingError({ kind: 'provider', code: 'provider_error', message: 'stored 500' });
        this.#answers.set(key, { at: now, answer: undefined, error });
        throw error;
      }
      try {
        const answer = effect();
        this.#answers.set(key, { at: now, answer, error: undefined });
        return answer;
      } catch (error) {
        this.#answers.set(key, { at: now, answer: undefined, error });
        throw error;
      }
    });
  }

  #get(id: string): ProviderInvoice {
    const found = this.invoices.get(id);
    if (!found) throw refused(`no invoice ${id}`);
    return found;
  }

  #put(invoice: ProviderInvoice): ProviderInvoice {
    const paidAt = invoice.status === 'paid' ? instantFromMillis(millisOf(this.#clock.now())) : null;
    this.invoices.set(invoice.id, { ...invoice, paidAt });
    return { ...invoice, paidAt };
  }
}

const NOTHING = {
  hasLines: false,
  totalMinor: 0n,
  dueMinor: 0n,
  receivedMinor: 0n,
  outOfBandMinor: 0n,
  attemptCount: 0,
  isProcessing: false,
  failureCode: null,
  hostedUrl: null,
  paidAt: null,
};

function refused(message: string): BillingError {
  return new BillingError({ kind: 'provider', code: 'provider_refused', message, retryable: false });
}

function replayed(error: unknown): BillingError {
  if (!(error instanceof BillingError)) throw error;
  const { kind, code, message, retryable } = error;
  return new BillingError({ kind, code, message, retryable, context: { isReplayed: true } });
}
