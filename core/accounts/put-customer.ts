import { BillingError, conflict } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore, StoredCustomer } from './ports.ts';

const TRIES = 5;

/**
 * Creates a customer, or replaces all fields of the one with its id (an upsert on the operator's own id).
 * Throws `customer_time_zone_fixed` when the zone would change under a subscription: its periods begin at that zone's midnight.
 */
export async function putCustomer(
  input: { project: ProjectId; customer: Customer },
  deps: { customers: CustomerStore },
): Promise<{ readonly customer: Customer; readonly isNew: boolean }> {
  const { project, customer } = input;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stored = await deps.customers.find(project, customer.id);
    if (stored) refuseMovedPeriods(stored, customer);
    if ((await deps.customers.put(project, customer, stored?.version ?? 0)) === 'stored') {
      return { customer, isNew: stored === undefined };
    }
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: 'Other writes to this customer were under way. Send the same request again.',
  });
}

function refuseMovedPeriods(stored: StoredCustomer, given: Customer): void {
  if (stored.customer.timeZone === given.timeZone || stored.subscriptions.length === 0) return;
  throw conflict(
    'customer_time_zone_fixed',
    `The customer has time zone ${stored.customer.timeZone} and subscriptions (${stored.subscriptions.length}) whose periods begin at its midnight; the zone cannot change to ${given.timeZone}.`,
    { time_zone: stored.customer.timeZone },
  );
}
