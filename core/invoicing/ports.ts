import type { Customer } from '../accounts/customer.ts';
import type { StoredSubscription, Subscription } from '../accounts/subscription.ts';
import type { ContractVersion } from '../catalog/contract.ts';
import type { Meter } from '../catalog/meter.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import type { PriceListVersion } from '../catalog/price-list.ts';
import type { ProductEvent } from '../events/product-event.ts';
import type { BillingRunId, CustomerId, InvoiceId, ProjectId, SubscriptionId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import type { Instant } from '../time/instant.ts';
import type { CustomerDay } from '../usage/day-groups.ts';
import type { UsageTerms } from '../usage/read-usage.ts';
import type { UsageSnapshot } from '../usage/usage-snapshot.ts';
import type { BilledEntry, LedgerHead } from './account-ledger.ts';
import type {
  BillingRun,
  ManifestRow,
  PlannedWork,
  ReconciledViews,
  RunOutcome,
  RunReport,
  SettledUsage,
} from './billing-run.ts';
import type { BillingSettings } from './billing-settings.ts';
import type { DraftBasis } from './draft-basis.ts';
import type { Invoice } from './invoice.ts';

/** What a billing run needs from the outside. Reads are strongly consistent unless they say otherwise. */

/** Who and what is billed. */
export interface BillingReads {
  settings(project: ProjectId): Promise<BillingSettings>;
  /**
   * Subscriptions whose next period closes at `closesAt` or before, earliest first. From an index that may lag by moments:
   * what it misses is found by the next run, what it still shows is read again before it is rated.
   */
  dueSubscriptions(project: ProjectId, closesAt: Instant): AsyncIterable<readonly Subscription[]>;
  /** Every subscription of a customer, in any currency and state. */
  subscriptionsOf(project: ProjectId, customer: CustomerId): Promise<readonly StoredSubscription[]>;
  subscriptions(project: ProjectId, ids: readonly SubscriptionId[]): Promise<readonly StoredSubscription[]>;
  customer(project: ProjectId, customer: CustomerId): Promise<Customer | null>;
  planVersion(project: ProjectId, plan: string, version: number): Promise<PlanVersion | null>;
  /** Every version of every contract of a customer. */
  contractsOf(project: ProjectId, customer: CustomerId): Promise<readonly ContractVersion[]>;
  newestPriceList(project: ProjectId, currency: Currency): Promise<PriceListVersion | null>;
  priceList(project: ProjectId, currency: Currency, version: number): Promise<PriceListVersion | null>;
  /** The newest meters of the project. */
  meters(project: ProjectId): Promise<readonly Meter[]>;
}

/** How projects bill. */
export interface BillingSettingsStore extends Pick<BillingReads, 'settings'> {
  /** Replaces the settings; the last one to write wins. */
  putSettings(project: ProjectId, settings: BillingSettings): Promise<void>;
}

/** Usage as the views hold it, settled before a run rates. */
export interface UsageReads {
  /** `from` and `to` on quarter hours. */
  read(
    input: { project: ProjectId; customer: CustomerId; from: Instant; to: Instant } & UsageTerms,
  ): Promise<UsageSnapshot>;
  /** UTC days (`20261121`) that received usage long after they had ended. */
  lateDays(project: ProjectId, customer: CustomerId): Promise<readonly string[]>;
  /** UTC days whose views did not agree with the log when they were compared, and have not been rebuilt since. */
  disputedDays(project: ProjectId, customer: CustomerId): Promise<readonly string[]>;
}

/** Folds what was appended since `since`, up to `stopAt`; goes on from `cursor`. */
export type SettleUsage = (input: {
  readonly project: ProjectId;
  readonly since: Instant;
  readonly cursor: string | null;
  readonly stopAt: Instant;
}) => Promise<{
  readonly done: boolean;
  readonly cursor: string | null;
  readonly partitions: number;
  readonly foldedEvents: number;
}>;

/** Holds views of customers' days, in order, against the log up to `stopAt`; goes on from `cursor`, null at the end. */
export type ReconcileUsage = (input: {
  readonly project: ProjectId;
  readonly days: Iterable<CustomerDay>;
  readonly cursor: string | null;
  readonly stopAt: Instant;
}) => Promise<{
  readonly views: number;
  readonly disputedDays: number;
  readonly unprovableDays: number;
  readonly cursor: string | null;
}>;

/** Messages of a project that are parked because they could not be counted. */
export type ParkedCount = (project: ProjectId) => Promise<number>;

/** About how many usage messages of all projects wait before the log, and in its dead-letter queue. */
export type QueuedUsage = () => Promise<{ readonly queued: number; readonly deadLettered: number }>;

export interface LedgerReads {
  head(project: ProjectId, account: string): Promise<LedgerHead>;
  entries(project: ProjectId, account: string, period: string): Promise<readonly BilledEntry[]>;
}

/** Looks at accounts for which nothing else makes a run look (account-look.ts). */
export interface AccountLooks {
  /** The accounts whose look is due at `until` or before. From an index that may lag by moments. */
  due(project: ProjectId, until: Instant): Promise<readonly string[]>;
  /** Keeps what a look found, unless an invoice was issued meanwhile: `head.sequence` is the one that was read. */
  looked(project: ProjectId, account: string, head: LedgerHead): Promise<void>;
}

export interface StoredInvoice {
  readonly invoice: Invoice;
  /** Rises with every write of the item. */
  readonly version: number;
  readonly basis: DraftBasis;
}

export interface Drafts {
  find(project: ProjectId, invoice: InvoiceId): Promise<StoredInvoice | null>;
  /** Writes a draft over version `expected` of itself (0: none there yet); `refused` when it changed or was issued. */
  put(invoice: Invoice, basis: DraftBasis, expected: number): Promise<'stored' | 'refused'>;
}

/** Frozen evidence, stored once under its own hash. */
export interface EvidenceStore {
  /** Stores `body` (gzip) unless the object is already there. */
  putOnce(key: string, body: Uint8Array): Promise<void>;
}

export interface EvidenceReads {
  /** The object as stored (gzip); null when the archive does not hand it out. */
  read(key: string): Promise<Uint8Array | null>;
}

/** Everything that one issue changes, in one transaction or not at all. */
export interface IssueTransaction {
  readonly draft: StoredInvoice;
  readonly issued: Invoice;
  /** The counter's value before and after: the number given is `count`. */
  readonly count: number;
  readonly subscriptions: readonly { readonly stored: StoredSubscription; readonly timeZone: string }[];
  readonly events: readonly ProductEvent[];
  readonly run: BillingRunId;
  readonly outcome: RunOutcome;
  /** Whether the provider is to collect it. */
  readonly isToBePushed: boolean;
}

export type IssueAnswer =
  | { readonly result: 'issued' }
  /** Another invoice took the number; `count` is the counter's value now. */
  | { readonly result: 'number_taken'; readonly count: number }
  /** The draft, its ledger or a subscription is not what it was when it was rated. */
  | { readonly result: 'stale'; readonly what: string }
  /** Another transaction was at the same items; nothing was written. */
  | { readonly result: 'busy' };

export interface IssuingDesk {
  /** Invoices numbered so far in the project. */
  count(project: ProjectId): Promise<number>;
  issue(transaction: IssueTransaction): Promise<IssueAnswer>;
}

export interface BillingRuns {
  /** Writes the run unless it is there; answers the run as stored. */
  create(run: BillingRun): Promise<BillingRun>;
  find(project: ProjectId, run: BillingRunId): Promise<BillingRun | null>;
  settled(project: ProjectId, run: BillingRunId, usage: SettledUsage): Promise<void>;
  reconciled(project: ProjectId, run: BillingRunId, views: ReconciledViews): Promise<void>;
  planned(project: ProjectId, run: BillingRunId, plan: PlannedWork): Promise<void>;
  recordOutcome(project: ProjectId, run: BillingRunId, outcome: RunOutcome): Promise<void>;
  /** Every outcome of a run. */
  outcomes(project: ProjectId, run: BillingRunId): AsyncIterable<readonly RunOutcome[]>;
  /** Ends a run and lays its event into the outbox, unless it has ended; answers the run as it then is. */
  finish(run: BillingRun, report: RunReport, event: ProductEvent): Promise<BillingRun>;
}

/** An issued invoice whose money is still out. */
export interface UncollectedInvoice {
  readonly invoice: InvoiceId;
  readonly account: string;
  readonly customer: string;
  readonly currency: string;
  /** The provider has it, and has tried to collect it. */
  readonly isPushed: boolean;
}

export interface UncollectedInvoices {
  list(project: ProjectId): Promise<readonly UncollectedInvoice[]>;
  /** The provider has it; its money is still out. */
  pushed(project: ProjectId, invoice: InvoiceId): Promise<void>;
  /** Nothing more is to come: paid, void or given up. Doing either for one that is gone is no error. */
  settled(project: ProjectId, invoice: InvoiceId, at: Instant): Promise<void>;
}

/** Where the manifest of a run lies. */
export interface ManifestPlace {
  readonly bucket: string;
  readonly key: string;
}

export interface ManifestStore {
  place(project: ProjectId, run: BillingRunId): ManifestPlace;
  /** Stores the manifest of a run unless there is one (`kept`): the first one written stays. */
  writeOnce(project: ProjectId, run: BillingRunId, rows: readonly ManifestRow[]): Promise<'stored' | 'kept'>;
  /** The manifest, which must have been written. */
  read(project: ProjectId, run: BillingRunId): Promise<readonly ManifestRow[]>;
}

/** Starts the workflow. */
export interface RunStarter {
  /** Starting a run that was started is no error. */
  start(run: BillingRun): Promise<void>;
}

/** Waits a short, random while before the next try, longer with every attempt (1, 2, ...). */
export interface Backoff {
  wait(attempt: number): Promise<void>;
}
