import type { BillingRunId, CustomerId, InvoiceId, JobId, ProjectId, SubscriptionId } from '../../core/ids.ts';

/**
 * Every DynamoDB key of the product, one builder per entity, in the order of docs/data-model.md. This is the only file that
 * knows the separator. Every partition key starts with the project; the two directory partitions, which must be readable
 * before a project is known, start with the reserved word `system`, which no project id can be.
 */
const SEPARATOR = '#';
/** Digits of the day in an hour such as `2026112103`. */
const DAY_DIGITS = 8;

/** Text from outside inside a key: the separator and the escape sign are percent-escaped, everything else stays readable. */
function escaped(text: string): string {
  return text.replace(/[%#]/g, (sign) => (sign === '#' ? '%23' : '%25'));
}

function joined(...parts: readonly string[]): string {
  return parts.map(escaped).join(SEPARATOR);
}

/** `sk` prefixes end with the separator, so that `a` never matches `ab`. */
function prefix(...parts: readonly string[]): string {
  return joined(...parts) + SEPARATOR;
}

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/* Usage log: pk = log partition, sk = sequence number (a number, 1, 2, 3 ...). */
export const usageLogKeys = {
  /** `partition` is the log partition's name within the project: shard and time bucket of the born hour, `0.2026112103`. */
  chunk: (project: ProjectId, partition: string, sequence: number) => ({
    pk: joined(project, partition),
    sk: sequence,
  }),
  /** The inverse of `chunk`'s partition key; project ids and partition names hold nothing that is escaped. */
  placeOf: (pk: string): { project: ProjectId; partition: string } => {
    const [project = '', partition = ''] = pk.split(SEPARATOR);
    return { project: project as ProjectId, partition };
  },
};

/* Usage claims: pk only. */
export const usageClaimsKeys = {
  /** First sight of an id that does not carry its own time; `identity` is the fingerprint in hex. */
  claim: (project: ProjectId, identity: string) => ({ pk: joined(project, 'claim', identity) }),
  /** The placement pinned for one born hour: shard count, bucket width, spread. */
  header: (project: ProjectId, hour: string) => ({ pk: joined(project, 'header', hour) }),
  /** The tokens left of a rate limit: of a kind of call, of one API key or (empty) the whole project. */
  rateBucket: (project: ProjectId, kind: string, key: string) => ({ pk: joined(project, 'rate', kind, key) }),
};

/* Usage views: pk + sk strings. */
export const usageViewsKeys = {
  /** All usage of one customer on one UTC day; `part` is empty, a meter, or a meter and a slice. */
  view: (project: ProjectId, customer: string, day: string, part = ''): Key => ({
    pk: joined(project, 'usage', customer),
    sk: joined('day', day, part),
  }),
  viewsOf: (project: ProjectId, customer: string) => joined(project, 'usage', customer),
  viewDayFrom: (day: string) => prefix('day', day),
  /** Sorts after every part of `day`. */
  viewDayTo: (day: string) => `${joined('day', day)}$`,
  viewDayPrefix: prefix('day'),
  /** A day that received usage long after it ended: what a billing run must look at again. */
  late: (project: ProjectId, customer: string, day: string): Key => ({
    pk: joined(project, 'usage', customer),
    sk: joined('late', day),
  }),
  latePrefix: prefix('late'),
  /** A day whose views and log did not agree when they were compared: nothing is rated for the customer until it is settled. */
  dispute: (project: ProjectId, customer: string, day: string): Key => ({
    pk: joined(project, 'usage', customer),
    sk: joined('dispute', day),
  }),
  disputePrefix: prefix('dispute'),
  /** How far a log partition has been folded. */
  foldCursor: (project: ProjectId, partition: string): Key => ({
    pk: joined(project, 'cursor', partition),
    sk: 'fold',
  }),
  /** Which partitions were appended to in which hour: a partition per append day, in the order of the hours. */
  registry: (project: ProjectId, appendHour: string, partition: string): Key => ({
    pk: joined(project, 'registry', appendHour.slice(0, DAY_DIGITS)),
    sk: joined(appendHour, partition),
  }),
  registryOf: (project: ProjectId, appendDay: string) => joined(project, 'registry', appendDay),
  /** Sorts before every entry of this hour; a day sorts before all of its hours. */
  registryFrom: (appendHourOrDay: string) => appendHourOrDay,
  /** How far the log of a project is archived. */
  archived: (project: ProjectId): Key => ({ pk: joined(project, 'archive'), sk: 'position' }),
  /** What is known of one quota of a customer in one window; `digest` names what it counts. */
  quota: (project: ProjectId, customer: string, of: { feature: string; start: string; digest: string }): Key => ({
    pk: joined(project, 'quota', customer),
    sk: joined(of.feature, of.start, of.digest),
  }),
  quotasOf: (project: ProjectId, customer: string) => joined(project, 'quota', customer),
  /** That quotas of the project are asked for. */
  quotasUsed: (project: ProjectId): Key => ({ pk: joined(project, 'quotas-used'), sk: 'used' }),
  /** What was consumed under the identity (hex) of an event, and its message while nobody has reported it as sent. */
  reservation: (project: ProjectId, identity: string): Key => ({
    pk: joined(project, 'reservation', identity),
    sk: 'reservation',
  }),
  unsent: (project: ProjectId, identity: string): Key => ({ pk: joined(project, 'unsent'), sk: identity }),
  unsentOf: (project: ProjectId) => joined(project, 'unsent'),
  /** Customers seen in usage. */
  seen: (project: ProjectId, customer: string): Key => ({ pk: joined(project, 'seen'), sk: customer }),
  seenOf: (project: ProjectId) => joined(project, 'seen'),
  /** Messages and events that could not be appended or folded, kept until somebody replays or discards them. */
  parked: (project: ProjectId | 'system', name: string): Key => ({ pk: joined(project, 'parked'), sk: name }),
  parkedOf: (project: ProjectId | 'system') => joined(project, 'parked'),
  /** What somebody decided about a parked message. */
  decided: (project: ProjectId | 'system', name: string): Key => ({ pk: joined(project, 'decided'), sk: name }),
  decidedOf: (project: ProjectId | 'system') => joined(project, 'decided'),
};

/* Billing: pk + sk strings; index `by_project` (p1, s1), index `by_customer` (p2, s2). */
export const billingKeys = {
  directory: (project: ProjectId): Key => ({ pk: joined('system', 'projects'), sk: project }),
  directoryOf: () => joined('system', 'projects'),
  project: (project: ProjectId): Key => ({ pk: joined(project, 'project'), sk: 'project' }),
  /** How the project bills: numbers, grace, payment term. */
  billingSettings: (project: ProjectId): Key => ({ pk: joined(project, 'project'), sk: 'billing-settings' }),
  /** How much the project and its keys may send. */
  rateLimits: (project: ProjectId): Key => ({ pk: joined(project, 'project'), sk: 'rate-limits' }),
  apiKey: (project: ProjectId, keyId: string): Key => ({ pk: joined(project, 'keys'), sk: keyId }),
  apiKeysOf: (project: ProjectId) => joined(project, 'keys'),
  /** The meters of a project as one immutable item per revision, and the pointer to the newest. */
  meterRevision: (project: ProjectId, revision: number): Key => ({
    pk: joined(project, 'meters'),
    sk: joined('revision', String(revision).padStart(8, '0')),
  }),
  meterRevisionPrefix: prefix('revision'),
  meterPointer: (project: ProjectId): Key => ({ pk: joined(project, 'meters'), sk: 'newest' }),
  planVersion: (project: ProjectId, plan: string, version: number): Key => ({
    pk: joined(project, 'plans'),
    sk: joined(plan, String(version).padStart(6, '0')),
  }),
  plansOf: (project: ProjectId) => joined(project, 'plans'),
  planPrefix: (plan: string) => prefix(plan),
  priceList: (project: ProjectId, currency: string, version: number): Key => ({
    pk: joined(project, 'price-lists'),
    sk: joined(currency, String(version).padStart(6, '0')),
  }),
  priceListsOf: (project: ProjectId) => joined(project, 'price-lists'),
  priceListPrefix: (currency: string) => prefix(currency),
  /** The newest version of a contract, by its id. */
  contract: (project: ProjectId, contract: string): Key => ({ pk: joined(project, 'contracts'), sk: contract }),
  contractsOf: (project: ProjectId) => joined(project, 'contracts'),
  /** Every version of every contract of one customer, which a billing run reads together. */
  contractVersion: (project: ProjectId, customer: CustomerId, contract: string, version: number): Key => ({
    pk: joined(project, 'contracts', customer),
    sk: joined('version', contract, String(version).padStart(6, '0')),
  }),
  contractsOfCustomer: (project: ProjectId, customer: CustomerId) => joined(project, 'contracts', customer),
  /** The number that every write to the customer's contracts moves by one. Sorts before all versions. */
  contractHead: (project: ProjectId, customer: CustomerId): Key => ({
    pk: joined(project, 'contracts', customer),
    sk: 'head',
  }),
  /** Extra allowances of one customer, by their ids. */
  entitlementGrant: (project: ProjectId, customer: CustomerId, grant: string): Key => ({
    pk: joined(project, 'entitlement-grants', customer),
    sk: escaped(grant),
  }),
  entitlementGrantsOf: (project: ProjectId, customer: CustomerId) => joined(project, 'entitlement-grants', customer),
  customer: (project: ProjectId, customer: CustomerId): Key => ({
    pk: joined(project, 'customers'),
    sk: escaped(customer),
  }),
  customersOf: (project: ProjectId) => joined(project, 'customers'),
  subscription: (project: ProjectId, subscription: SubscriptionId): Key => ({
    pk: joined(project, 'subscriptions'),
    sk: subscription,
  }),
  subscriptionsOf: (project: ProjectId) => joined(project, 'subscriptions'),
  /** `by_project`: open subscriptions by the instant their next service period closes. */
  due: (project: ProjectId, closesAt: string, subscription: SubscriptionId) => ({
    p1: joined(project, 'due'),
    s1: joined(closesAt, subscription),
  }),
  /** Sorts after everything that is due at this instant and before what is due later. */
  dueUntil: (instant: string) => `${escaped(instant)}$`,
  dueOf: (project: ProjectId) => joined(project, 'due'),
  /** `by_customer`: what belongs to a customer, by kind. */
  ofCustomer: (project: ProjectId, customer: string, kind: string, order: string) => ({
    p2: joined(project, 'customer', customer),
    s2: joined(kind, order),
  }),
  customerOf: (project: ProjectId, customer: string) => joined(project, 'customer', customer),
  customerKind: (kind: string) => prefix(kind),
  invoice: (project: ProjectId, invoice: InvoiceId): Key => ({
    pk: joined(project, 'invoice', invoice),
    sk: 'invoice',
  }),
  /** `by_project`: invoices in the order in which they were drafted. */
  invoiceList: (project: ProjectId, draftedAt: string, invoice: InvoiceId) => ({
    p1: joined(project, 'invoices'),
    s1: joined(draftedAt, invoice),
  }),
  invoicesOf: (project: ProjectId) => joined(project, 'invoices'),
  /** What each invoice billed for one service period of one billing account, by line key: what adjustments are measured against. */
  billed: (project: ProjectId, account: string, period: string, invoice: InvoiceId): Key => ({
    pk: joined(project, 'billed', account),
    sk: joined(period, invoice),
  }),
  billedOf: (project: ProjectId, account: string) => joined(project, 'billed', account),
  billedPeriod: (period: string) => prefix(period),
  /** The account's sequence and its billed periods: every invoice of the account moves it by one. Sorts after all periods. */
  ledgerHead: (project: ProjectId, account: string): Key => ({ pk: joined(project, 'billed', account), sk: 'head' }),
  /** `by_project`: accounts by the instant at which a run looks at them again. */
  look: (project: ProjectId, lookAt: string, account: string) => ({
    p1: joined(project, 'looks'),
    s1: joined(lookAt, account),
  }),
  looksOf: (project: ProjectId) => joined(project, 'looks'),
  /** Issued invoices whose money is still out. */
  uncollected: (project: ProjectId, invoice: InvoiceId): Key => ({ pk: joined(project, 'uncollected'), sk: invoice }),
  uncollectedOf: (project: ProjectId) => joined(project, 'uncollected'),
  invoiceCounter: (project: ProjectId): Key => ({ pk: joined(project, 'counter'), sk: 'invoice-number' }),
  run: (project: ProjectId, run: BillingRunId): Key => ({ pk: joined(project, 'runs'), sk: run }),
  /** `by_project`: runs by start. */
  runList: (project: ProjectId, startedAt: string, run: BillingRunId) => ({
    p1: joined(project, 'run-list'),
    s1: joined(startedAt, run),
  }),
  runListOf: (project: ProjectId) => joined(project, 'run-list'),
  /** The outcome of one invoice in one run. */
  runOutcome: (project: ProjectId, run: BillingRunId, invoice: InvoiceId): Key => ({
    pk: joined(project, 'run', run),
    sk: invoice,
  }),
  runOutcomesOf: (project: ProjectId, run: BillingRunId) => joined(project, 'run', run),
  /** Events written in the transaction that made them true, waiting to be published. */
  outbox: (project: ProjectId, at: string, event: string): Key => ({
    pk: joined(project, 'outbox'),
    sk: joined(at, event),
  }),
  outboxOf: (project: ProjectId) => joined(project, 'outbox'),
  webhookEvent: (project: ProjectId, provider: string, event: string): Key => ({
    pk: joined(project, 'webhook', provider),
    sk: escaped(event),
  }),
  backfill: (project: ProjectId, name: string): Key => ({ pk: joined(project, 'backfills'), sk: escaped(name) }),
  backfillsOf: (project: ProjectId) => joined(project, 'backfills'),
  /** Work on usage that takes longer than a request. */
  job: (project: ProjectId, job: JobId): Key => ({ pk: joined(project, 'jobs'), sk: job }),
  jobsOf: (project: ProjectId) => joined(project, 'jobs'),
  idempotencyOf: (project: ProjectId) => joined(project, 'idempotency'),
  /** The provider's calls taken in one second, shared by all workers. */
  throttle: (project: ProjectId, provider: string): Key => ({ pk: joined(project, 'throttle'), sk: provider }),
};
