import { createHash } from 'node:crypto';
import type { Customer } from '../accounts/customer.ts';
import { BillingError, notFound } from '../errors.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { instantFromMillis, millisOf } from '../time/instant.ts';
import type {
  CustomerPayment,
  CustomerPayments,
  PaymentProvider,
  ProviderCustomer,
  StoredCustomerPayment,
} from './ports.ts';
import { isRememberedFailure } from './provider-failure.ts';

/** A customer's metadata entry that names an existing customer of the provider, which is then used as it is. */
export const LINK_METADATA = 'stripe_customer_id';
/** The provider's clock may be behind ours by this much when its records are searched by time of creation. */
const CLOCK_MARGIN_MS = 3_600_000;
const MAX_ROUNDS = 6;

export interface SyncCustomerDeps {
  readonly provider: PaymentProvider;
  readonly customers: CustomerPayments;
  readonly clock: Clock;
}

/**
 * The provider's customer of ours: the linked one, the one made before, or a new one. Safe to repeat and to run twice at once:
 * the intent is stored first, one key serves all tries, and after a lost answer the provider is searched before anything is made.
 * Throws `not-found` (`customer_not_found`) and `provider` errors (`provider_customer_missing` when it was deleted there).
 */
export async function syncCustomer(
  input: { readonly project: ProjectId; readonly customer: CustomerId },
  deps: SyncCustomerDeps,
): Promise<ProviderCustomer> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const stored = await deps.customers.find(input.project, input.customer);
    if (stored === null) throw notFound('customer_not_found', `There is no customer ${input.customer}.`);
    const found = await syncOnce(input.project, stored, deps);
    if (found !== 'again') return found;
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'customer_contended',
    message: `The customer ${input.customer} was changed by others again and again; try later.`,
  });
}

async function syncOnce(
  project: ProjectId,
  stored: StoredCustomerPayment,
  deps: SyncCustomerDeps,
): Promise<ProviderCustomer | 'again'> {
  const linked = stored.customer.metadata?.[LINK_METADATA];
  const known = linked ?? stored.payment?.providerCustomer ?? null;
  if (known !== null) return useKnown(project, { stored, known, isLinked: linked !== undefined }, deps);
  const { payment } = stored;
  if (payment === null) {
    const intent = { providerCustomer: null, createBegunAt: deps.clock.now(), generation: 1, synced: null };
    if ((await deps.customers.save(project, stored, intent)) === 'refused') return 'again';
    return create(project, { customer: stored.customer, payment: intent }, deps);
  }
  const found = await find(project, stored, deps);
  return found === null ? create(project, stored, deps) : keep(project, { stored, found }, deps);
}

async function useKnown(
  project: ProjectId,
  use: { stored: StoredCustomerPayment; known: string; isLinked: boolean },
  deps: SyncCustomerDeps,
): Promise<ProviderCustomer | 'again'> {
  const { stored, known } = use;
  const found = await deps.provider.readCustomer(known);
  if (found === null) {
    throw new BillingError({
      kind: 'provider',
      code: 'provider_customer_missing',
      message: `The provider has no customer ${known}; link the customer ${stored.customer.id} to another by its metadata entry ${LINK_METADATA}.`,
      retryable: false,
    });
  }
  if (use.isLinked || stored.payment === null || stored.payment.synced === fingerprintOf(stored.customer)) return found;
  await deps.provider.updateCustomer(known, stored.customer);
  return keep(project, { stored, found }, deps);
}

async function create(
  project: ProjectId,
  stored: StoredCustomerPayment,
  deps: SyncCustomerDeps,
): Promise<ProviderCustomer | 'again'> {
  const { customer } = stored;
  const generation = stored.payment?.generation ?? 1;
  try {
    const found = await deps.provider.createCustomer(project, customer, keyOf(project, customer.id, generation));
    return await keep(project, { stored, found }, deps);
  } catch (error) {
    if (!isRememberedFailure(error) || stored.payment === null) throw error;
    const found = await find(project, stored, deps);
    if (found !== null) return keep(project, { stored, found }, deps);
    const saved = await deps.customers.save(project, stored, { ...stored.payment, generation: generation + 1 });
    if (saved === 'stored' && generation >= MAX_ROUNDS) throw error;
    return 'again';
  }
}

async function keep(
  project: ProjectId,
  made: { stored: StoredCustomerPayment; found: ProviderCustomer },
  deps: SyncCustomerDeps,
): Promise<ProviderCustomer | 'again'> {
  const { stored, found } = made;
  const after: CustomerPayment = {
    providerCustomer: found.id,
    createBegunAt: stored.payment?.createBegunAt ?? null,
    generation: stored.payment?.generation ?? 1,
    synced: fingerprintOf(stored.customer),
  };
  return (await deps.customers.save(project, stored, after)) === 'stored' ? found : 'again';
}

function find(project: ProjectId, stored: StoredCustomerPayment, deps: SyncCustomerDeps) {
  const begun = stored.payment?.createBegunAt ?? deps.clock.now();
  const since = instantFromMillis(Math.max(0, millisOf(begun) - CLOCK_MARGIN_MS));
  return deps.provider.findCustomer(project, stored.customer, since);
}

/** Customer ids may be as long as a key may be, so the key carries their hash. */
function keyOf(project: ProjectId, customer: string, generation: number): string {
  return `cus:${project}:${createHash('sha256').update(customer).digest('hex').slice(0, 32)}:g${generation}:create`;
}

function fingerprintOf(customer: Customer): string {
  const text = JSON.stringify([customer.name, customer.email ?? null]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
