import { billingAccountOf, partsOfAccount } from '../accounts/customer.ts';
import { firstPlanOf } from '../accounts/phase.ts';
import { billedCurrency, type Subscription } from '../accounts/subscription.ts';
import { type BillingRunId, type CustomerId, deriveInvoiceId, type ProjectId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { issuedFor, type LedgerHead } from './account-ledger.ts';
import { type ManifestPeriod, type ManifestRow, NO_CURRENCY, type PlannedWork } from './billing-run.ts';
import { type DueInvoice, dueInvoices, lastPeriodBy } from './due-invoices.ts';
import type {
  AccountLooks,
  BillingReads,
  BillingRuns,
  LedgerReads,
  ManifestPlace,
  ManifestStore,
  UncollectedInvoice,
  UncollectedInvoices,
} from './ports.ts';

export interface PlanBillingRunInput {
  readonly project: ProjectId;
  readonly run: BillingRunId;
  readonly asOf: Instant;
  readonly through: string | null;
}

export interface PlanDeps {
  readonly reads: BillingReads;
  readonly ledger: LedgerReads & Pick<AccountLooks, 'due'>;
  readonly uncollected: UncollectedInvoices;
  readonly manifests: ManifestStore;
  readonly runs: BillingRuns;
}

export interface PlannedRun extends ManifestPlace, PlannedWork {}

const ACCOUNTS_AT_ONCE = 16;

/**
 * Writes the manifest of a run: every billing account with a closed and unbilled period (its end and the grace lie at `asOf`
 * or before, and it ends no later than `through`) or with fees in advance that are due, all of these in order; accounts that have
 * ended and are to be looked at again; and issued invoices to bring to the provider or to read again there. A run that has its manifest keeps it, so that repeating the run bills the same list;
 * whatever changed meanwhile is found out when it is rated.
 */
export async function planBillingRun(input: PlanBillingRunInput, deps: PlanDeps): Promise<PlannedRun> {
  const { project, run } = input;
  const found = await rowsOf(input, deps);
  const isFirst = (await deps.manifests.writeOnce(project, run, found)) === 'stored';
  const rows = isFirst ? found : await deps.manifests.read(project, run);
  const planned = {
    accounts: rows.length,
    // A look at an ended account mostly finds nothing; what it does find is an outcome like all others.
    invoices: rows.flatMap((row) => row.periods).filter(({ purpose }) => purpose !== 'closing').length,
  };
  await deps.runs.planned(project, run, planned);
  return { ...deps.manifests.place(project, run), ...planned };
}

interface DueAccount {
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly subscriptions: Subscription[];
}

async function rowsOf(input: PlanBillingRunInput, deps: PlanDeps): Promise<readonly ManifestRow[]> {
  const { project, asOf } = input;
  const settings = await deps.reads.settings(project);
  const closedBy = instantFromMillis(millisOf(asOf) - settings.graceHours * 3_600_000);
  // Grace is for usage that arrives late: fees in advance are due without it.
  const due = [...(await dueAccounts(project, asOf, deps)).values()];
  const uncollected = toCollect(await deps.uncollected.list(project), asOf);
  const rows: ManifestRow[] = [];
  for (let start = 0; start < due.length; start += ACCOUNTS_AT_ONCE) {
    const some = due.slice(start, start + ACCOUNTS_AT_ONCE);
    rows.push(...(await Promise.all(some.map((account) => rowOf(account, { ...input, closedBy }, deps)))));
  }
  const planned = new Map(rows.filter((row) => row.periods.length > 0).map((row) => [row.account, row]));
  for (const account of await deps.ledger.due(project, asOf)) {
    const look = planned.has(account) ? null : await lookOf(account, input, deps);
    if (look !== null) planned.set(account, look);
  }
  for (const [account, notes] of uncollected) planned.set(account, withUncollected(planned.get(account), notes));
  return [...planned.values()].sort((a, b) => (a.account < b.account ? -1 : 1));
}

/** The accounts that the due index names, with the subscriptions that are due. */
async function dueAccounts(project: ProjectId, dueBy: Instant, deps: PlanDeps): Promise<Map<string, DueAccount>> {
  const accounts = new Map<string, DueAccount>();
  const currencies = new Map<string, Currency>();
  for await (const page of deps.reads.dueSubscriptions(project, dueBy)) {
    for (const subscription of page) {
      const { customer } = subscription;
      const { plan, planVersion } = firstPlanOf(subscription);
      const name = `${plan}@${planVersion}`;
      const priced =
        currencies.get(name) ??
        (await deps.reads.planVersion(project, plan, planVersion))?.currency ??
        (NO_CURRENCY as string as Currency);
      currencies.set(name, priced);
      const currency = billedCurrency(subscription, { currency: priced });
      const account = billingAccountOf(customer, currency);
      const due = accounts.get(account) ?? { customer, currency, subscriptions: [] };
      due.subscriptions.push(subscription);
      accounts.set(account, due);
    }
  }
  return accounts;
}

async function rowOf(
  due: DueAccount,
  input: PlanBillingRunInput & { readonly closedBy: Instant },
  deps: PlanDeps,
): Promise<ManifestRow> {
  const { project } = input;
  const { customer, currency } = due;
  const account = billingAccountOf(customer, currency);
  const [known, head] = await Promise.all([deps.reads.customer(project, customer), deps.ledger.head(project, account)]);
  const invoices = dueInvoices(due.subscriptions, known?.timeZone ?? 'UTC', input);
  const periods: ManifestPeriod[] = [];
  for (const invoice of invoices) {
    const issued = await issuedOf(invoice, head, { project, account, ledger: deps.ledger });
    periods.push(manifestPeriod(invoice, issued + 1, { project, account }));
  }
  return { account, customer, currency, periods, invoiceIds: periods.map((period) => period.invoiceId), openIds: [] };
}

/**
 * How many invoices of the purpose the period has. The ledger's head forgets old periods, and a subscription that starts far in
 * the past comes back to them: what is not the newest period is counted from its entries too, which are kept for ever.
 */
async function issuedOf(
  { purpose, period }: DueInvoice,
  head: LedgerHead,
  of: { readonly project: ProjectId; readonly account: string; readonly ledger: Pick<LedgerReads, 'entries'> },
): Promise<number> {
  const { project, account, ledger } = of;
  let issued = issuedFor(head, period.key, purpose);
  if (!head.periods.some(({ end }) => period.end <= end)) return issued;
  const entries = await ledger.entries(project, account, period.key);
  const known = new Set(entries.map(({ invoice }) => invoice));
  const isThere = (ordinal: number) =>
    known.has(deriveInvoiceId({ project, account, period: period.key, purpose, ordinal }));
  while (isThere(issued + 1)) issued += 1;
  return issued;
}

/** The row of an account that is looked at because nothing else is due: one closing invoice, if anything is found. */
async function lookOf(account: string, input: PlanBillingRunInput, deps: PlanDeps): Promise<ManifestRow | null> {
  const { project, through } = input;
  const { customer, currency } = partsOfAccount(account);
  const head = await deps.ledger.head(project, account);
  const period = head.periods.findLast(({ invoices }) => invoices > 0) ?? head.periods.at(-1);
  if (period === undefined || !lastPeriodBy(period, through)) return null;
  const ordinal = issuedFor(head, period.key, 'closing') + 1;
  const closing = manifestPeriod({ purpose: 'closing', period }, ordinal, { project, account });
  return { account, customer, currency, periods: [closing], invoiceIds: [closing.invoiceId], openIds: [] };
}

function manifestPeriod(
  { purpose, period }: DueInvoice,
  ordinal: number,
  of: { readonly project: ProjectId; readonly account: string },
): ManifestPeriod {
  const { key, start, end } = period;
  const invoiceId = deriveInvoiceId({ ...of, period: key, purpose, ordinal });
  return { purpose, key, start, end, ordinal, invoiceId };
}

/** A read at the provider takes a third of a second: this many fit beside the pushes of a run. */
const MAX_REREAD = 1_000;
const DAY_MILLIS = 86_400_000;

/**
 * By account: every invoice that is not at the provider, and of those that are, as many as a run reads again; where there are more, the
 * day decides whose turn it is.
 */
function toCollect(notes: readonly UncollectedInvoice[], asOf: Instant) {
  const open = notes.filter(({ isPushed }) => isPushed);
  const turn = Math.floor(millisOf(asOf) / DAY_MILLIS) % Math.max(1, Math.ceil(open.length / MAX_REREAD));
  const reread = open.slice(turn * MAX_REREAD, (turn + 1) * MAX_REREAD);
  const all = [...notes.filter(({ isPushed }) => !isPushed), ...reread];
  return new Map(Object.entries(Object.groupBy(all, ({ account }) => account)));
}

function withUncollected(row: ManifestRow | undefined, notes: readonly UncollectedInvoice[] = []): ManifestRow {
  const { account = '', customer = '', currency = '' } = notes[0] ?? {};
  const ids = (isPushed: boolean) => notes.filter((note) => note.isPushed === isPushed).map(({ invoice }) => invoice);
  const openIds = ids(true);
  if (row === undefined) return { account, customer, currency, periods: [], invoiceIds: ids(false), openIds };
  return { ...row, invoiceIds: [...new Set([...ids(false), ...row.invoiceIds])], openIds };
}
