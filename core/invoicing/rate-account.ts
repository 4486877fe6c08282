import { conflict } from '../errors.ts';
import type { BillingRunId, CustomerId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import type { Instant } from '../time/instant.ts';
import type { LedgerHead } from './account-ledger.ts';
import { nextLook } from './account-look.ts';
import { type AccountState, asIfIssued, closesAfter, dueServices, openAccount } from './account-state.ts';
import { basisToJson } from './basis-json.ts';
import type { ManifestPeriod, ManifestRow, RunOutcome } from './billing-run.ts';
import type { DraftBasis } from './draft-basis.ts';
import { type DraftedPeriod, type DraftPeriodDeps, draftPeriod } from './draft-period.ts';
import type { Invoice } from './invoice.ts';
import type { AccountLooks, BillingRuns, Drafts, LedgerReads, StoredInvoice, UsageReads } from './ports.ts';
import { type NameFailure, outcomeOf } from './run-outcome.ts';

export interface RateAccountInput {
  readonly project: ProjectId;
  readonly run: BillingRunId;
  readonly row: ManifestRow;
  /** The instant the run looks from. */
  readonly asOf: Instant;
}

export interface RateAccountDeps extends DraftPeriodDeps {
  readonly drafts: Drafts;
  readonly ledger: LedgerReads & Pick<AccountLooks, 'looked'>;
  readonly runs: BillingRuns;
  readonly clock: Clock;
  readonly nameFailure: NameFailure;
}

/**
 * Rates every due period of one account, in order, and stores a draft for each. Each draft is measured against the ledger as
 * the drafts before it will leave it. Never throws for the account's own trouble: it becomes an outcome, and so do the
 * periods after it, because they may only be issued in order.
 *
 * Done again, it finds the drafts there: equal ones stay, others are replaced by version, issued ones are left alone.
 */
export async function rateAccount(input: RateAccountInput, deps: RateAccountDeps): Promise<readonly RunOutcome[]> {
  const { project, run, row } = input;
  const outcomes: RunOutcome[] = [];
  let failure: unknown = null;
  let account: AccountState | null = null;
  for (const period of row.periods) {
    let outcome: RunOutcome;
    try {
      if (failure !== null) {
        throw conflict(
          'earlier_period_failed',
          'An earlier period of this account could not be rated; it comes first.',
        );
      }
      if (account === null) await refuseDisputed(project, row, deps.usage);
      account ??= await openAccount(project, row, deps);
      outcome = await ratePeriod(input, account, period, deps);
    } catch (error) {
      failure ??= error;
      outcome = outcomeOf(row, period, { at: 'rate', failure: deps.nameFailure(error) });
    }
    await deps.runs.recordOutcome(project, run, outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** Nothing is billed by views that are known to be wrong, neither a period nor the adjustment of an earlier one. */
async function refuseDisputed(project: ProjectId, { customer }: ManifestRow, usage: UsageReads): Promise<void> {
  const days = await usage.disputedDays(project, customer as CustomerId);
  if (days.length === 0) return;
  throw conflict(
    'usage_disputed',
    `The views of customer ${customer} do not agree with the log on ${days.slice(0, 10).join(', ')}${days.length > 10 ? ' and other days' : ''}. Rebuild them (POST /v1/meters/{key}/rebuild); the next run bills the account.`,
  );
}

async function ratePeriod(
  input: RateAccountInput,
  account: AccountState,
  period: ManifestPeriod,
  deps: RateAccountDeps,
): Promise<RunOutcome> {
  const { project, row, asOf } = input;
  const stored = await deps.drafts.find(project, period.invoiceId);
  if (stored !== null && stored.invoice.status !== 'draft') {
    return outcomeOf(row, period, { step: 'issued', invoice: stored.invoice });
  }
  const { purpose, ordinal } = period;
  const services = dueServices(account, period, asOf);
  const isClosing = purpose === 'closing';
  const closesAt = closesAfter(account, purpose, services);
  if (isClosing && closesAt !== null) {
    // It has an open subscription again, whose next invoice takes care of everything.
    const { head } = account;
    return lookedAt(
      input,
      period,
      { head: { ...head, lookAt: nextLook({ head, closesAt, now: deps.clock.now() }) } },
      deps,
    );
  }
  if (services.length === 0 && !isClosing) return outcomeOf(row, period, { step: 'nothing_to_bill' });
  const { timeZone } = account.customer;
  const drafted = await draftPeriod(
    {
      subject: {
        project,
        customer: account.customer.id,
        account: row.account,
        currency: account.currency,
        period: { key: period.key, start: period.start, end: period.end, timeZone },
        purpose,
        ordinal,
      },
      services,
      head: account.head,
      pending: account.pending,
      closesAt,
      draftedAt: stored?.invoice.draftedAt ?? deps.clock.now(),
    },
    deps,
  );
  if (isClosing && drafted.invoice.lines.every(({ amountMinor }) => amountMinor === 0n)) {
    return lookedAt(input, period, unissued(drafted.basis, account.head), deps);
  }
  const issued = await keepDraft(drafted, stored, deps.drafts);
  if (issued !== null) return outcomeOf(row, period, { step: 'issued', invoice: issued });
  asIfIssued(account, drafted);
  return outcomeOf(row, period, {
    step: 'rated',
    invoice: drafted.invoice,
    unbilledSlices: drafted.basis.unbilledSlices,
    creditLeftMinor: drafted.basis.creditLeftMinor,
  });
}

interface Looked {
  readonly head: LedgerHead;
  readonly creditLeftMinor?: string | undefined;
}

/** A look at an account that finds nothing to bill: what is left, and when to look again, goes to the ledger's head. */
async function lookedAt(
  { project, row }: RateAccountInput,
  period: ManifestPeriod,
  { head, creditLeftMinor }: Looked,
  deps: RateAccountDeps,
): Promise<RunOutcome> {
  await deps.ledger.looked(project, row.account, head);
  return outcomeOf(row, period, { step: 'nothing_to_bill', creditLeftMinor });
}

/** What rating found out about credits, and which periods had their turn, without the invoice that is not made. */
function unissued({ head, creditLeftMinor }: DraftBasis, before: LedgerHead): Looked {
  const periods = before.periods.map((billed) => {
    const { closings: _, ...seen } = head.periods.find(({ key }) => key === billed.key) ?? billed;
    return { ...seen, ...(billed.closings !== undefined && { closings: billed.closings }) };
  });
  return { head: { ...before, periods, lookAt: head.lookAt }, creditLeftMinor };
}

/** Other runs at the same draft are few: each of them writes it once. */
const KEEP_TRIES = 4;

/**
 * Writes the draft unless the very same one is there. Another run may be at it too: the last one's draft stays, and both may
 * issue it. Answers the invoice where another run has issued it meanwhile, else null.
 */
async function keepDraft(
  { invoice, basis }: DraftedPeriod,
  stored: StoredInvoice | null,
  drafts: Drafts,
): Promise<Invoice | null> {
  let found = stored;
  for (let attempt = 1; attempt <= KEEP_TRIES; attempt += 1) {
    if (found !== null && found.invoice.status !== 'draft') return found.invoice;
    const isSame =
      found !== null &&
      found.invoice.evidence.sha256 === invoice.evidence.sha256 &&
      basisToJson(found.basis) === basisToJson(basis);
    if (isSame || (await drafts.put(invoice, basis, found?.version ?? 0)) === 'stored') return null;
    found = await drafts.find(invoice.project, invoice.id);
  }
  throw conflict('draft_changed', 'Other runs were at the same draft. The next run finds it as they left it.');
}
