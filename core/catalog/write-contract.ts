import { versionsOfPlan } from '../accounts/phase.ts';
import type { CustomerStore, SubscriptionStore } from '../accounts/ports.ts';
import { canonicalJson } from '../canonical-json.ts';
import { BillingError, conflict, invalid, notFound } from '../errors.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import type { ContractVersion } from './contract.ts';
import { firstCommonInstant, spansInForce } from './contract-in-force.ts';
import type { PlanVersion } from './plan.ts';
import type { ContractStore, CustomerContracts, MeterStore, PlanStore } from './ports.ts';
import { type ContractInput, readContract } from './read-contract.ts';

export interface WriteContractDeps {
  readonly contracts: ContractStore;
  readonly customers: Pick<CustomerStore, 'find'>;
  readonly meters: MeterStore;
  readonly plans: PlanStore;
  readonly subscriptions: Pick<SubscriptionStore, 'findAll'>;
}

const TRIES = 5;
/** A version is one item of the database, which holds 400 KB; characters of JSON. */
const MAX_DOCUMENT_LENGTH = 100_000;
/** A billing run reads all versions of all contracts of a customer. */
const MAX_VERSIONS = 200;

/**
 * Writes a contract, or the next version of the one with its id; a contract that equals its newest version is that version.
 * `input.contract` has camelCase keys. Invoices that are issued keep the version they were rated with, unless the new one has
 * `correctsFrom`. Throws `contract_invalid` with every fault, `customer_not_found`, `contract_exists` (of another customer or
 * plan), `contract_overlaps` (two contracts on one plan at one time) or `too_many_contracts`.
 */
export async function writeContract(
  input: { project: ProjectId; contract: unknown },
  deps: WriteContractDeps,
): Promise<{ readonly version: ContractVersion; readonly isNew: boolean }> {
  const { project } = input;
  const { meters } = await deps.meters.newest(project, 'fresh');
  const named = namedIn(input.contract);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const contract = readContract(input.contract, await plansOf(project, named, deps), meters);
    refuseTooLarge(contract);
    const { customer } = contract;
    if (!(await deps.customers.find(project, customer))) {
      throw notFound('customer_not_found', `No customer ${customer.slice(0, 64)} in this project.`);
    }
    const known = await deps.contracts.ofCustomer(project, customer);
    const newest = known.versions.findLast(({ id }) => id === contract.id);
    if (newest !== undefined && isSame(newest, contract)) return { version: newest, isNew: false };
    const version: ContractVersion = { ...contract, version: (newest?.version ?? 0) + 1 };
    refuseConflicts(version, newest, known);
    const answer = await deps.contracts.append(project, version, known.sequence);
    if (answer === 'stored') return { version, isNew: true };
    if (answer === 'taken') throw exists(contract.id, 'of another customer');
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: 'Other contracts of this customer were being written. Send the same request again.',
  });
}

/** What must be looked up before the contract can be read. */
function namedIn(contract: unknown): { readonly plan: string; readonly customer: string } {
  const given = typeof contract === 'object' && contract !== null ? (contract as Record<string, unknown>) : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return { plan: text(given.plan), customer: text(given.customer) };
}

/** The newest version of the plan, then every other one that the customer is on, was on or will be. */
async function plansOf(
  project: ProjectId,
  named: { readonly plan: string; readonly customer: string },
  deps: WriteContractDeps,
): Promise<readonly PlanVersion[]> {
  const newest = named.plan === '' ? undefined : await deps.plans.newest(project, named.plan);
  if (newest === undefined) return [];
  const customer = named.customer === '' ? undefined : await deps.customers.find(project, named.customer as CustomerId);
  const stored = await deps.subscriptions.findAll(project, customer?.subscriptions ?? []);
  const versions = stored.flatMap(({ subscription }) => versionsOfPlan(subscription, named.plan));
  const others = [...new Set(versions)].filter((version) => version !== newest.version);
  const found = await Promise.all(others.map((version) => deps.plans.find(project, named.plan, version)));
  return [newest, ...found.filter((plan) => plan !== undefined)];
}

function isSame(newest: ContractVersion, contract: ContractInput): boolean {
  // the interval is the plan's and not the caller's: another one is no other contract
  return canonicalJson({ ...contract, version: newest.version, interval: newest.interval }) === canonicalJson(newest);
}

function refuseTooLarge(contract: ContractInput): void {
  if (JSON.stringify(contract).length <= MAX_DOCUMENT_LENGTH) return;
  throw invalid('contract_too_large', `The contract is larger than ${MAX_DOCUMENT_LENGTH} characters; override less.`);
}

function refuseConflicts(
  version: ContractVersion,
  newest: ContractVersion | undefined,
  { versions }: CustomerContracts,
): void {
  if (versions.length >= MAX_VERSIONS) {
    throw conflict(
      'too_many_contracts',
      `The customer has ${MAX_VERSIONS} versions of contracts, the most there can be.`,
    );
  }
  if (newest !== undefined && newest.plan !== version.plan) throw exists(version.id, `on the plan ${newest.plan}`);
  const own = [...versions.filter(({ id }) => id === version.id), version];
  const rivals = new Set(
    versions.filter(({ id, plan }) => id !== version.id && plan === version.plan).map(({ id }) => id),
  );
  for (const rival of rivals) {
    const from = firstCommonInstant(spansInForce(own), spansInForce(versions.filter(({ id }) => id === rival)));
    if (from === null) continue;
    throw conflict(
      'contract_overlaps',
      `The contract ${rival} on the plan ${version.plan} is in force at ${from} too. Give it an end first, or begin when it ends.`,
      { contract: rival, from },
    );
  }
}

function exists(id: string, what: string) {
  return conflict('contract_exists', `A contract ${id} ${what} exists; use another id.`);
}
