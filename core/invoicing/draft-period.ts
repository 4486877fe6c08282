import { gzipSync } from 'node:zlib';
import { adjacentService, afterOpening, afterService } from '../accounts/next-close.ts';
import { idleSpansIn } from '../accounts/segments.ts';
import type { StoredSubscription } from '../accounts/subscription.ts';
import { rateEvidence } from '../rating/rate-evidence.ts';
import type { Instant } from '../time/instant.ts';
import {
  type BilledEntry,
  type BilledService,
  creditLeft,
  type LedgerHead,
  ledgerEntries,
  movedHead,
  overtaken,
} from './account-ledger.ts';
import { nextLook } from './account-look.ts';
import { billedParts } from './billed-parts.ts';
import type { BasisSubscription, DraftBasis } from './draft-basis.ts';
import { draftInvoice, type InvoiceSubject } from './draft-invoice.ts';
import { earlierPeriods, settledAdvance } from './earlier-periods.ts';
import { type Evidence, freezeEvidence } from './evidence.ts';
import { type GatherDeps, gatherEvidence, type ServiceToRate } from './gather-evidence.ts';
import type { Invoice } from './invoice.ts';
import { lateUsage, MAX_ADJUSTED, periodsToAdjust } from './periods-to-adjust.ts';
import type { EvidenceStore, LedgerReads } from './ports.ts';
import { readPrices } from './read-prices.ts';

/**
 * A subscription's part of the period to be billed: all of it, or what one of its phases has of it. An empty one (start = end)
 * only gives back what was paid in advance.
 */
export interface DueService extends BilledService {
  readonly stored: StoredSubscription;
  /** Where the subscription is billed through once all its parts of the period are. */
  readonly billedThrough: Instant;
}

export interface DraftPeriodInput {
  readonly subject: InvoiceSubject;
  /** What the period bills; for an opening, the services whose fees in advance are due; none for a closing. */
  readonly services: readonly DueService[];
  /** The account's ledger, with the drafts before this one as if they were issued. */
  readonly head: LedgerHead;
  readonly pending: readonly BilledEntry[];
  /** Once this is issued: the latest next close of the account's open subscriptions, null when all have ended. */
  readonly closesAt: Instant | null;
  readonly draftedAt: Instant;
}

export interface DraftPeriodDeps extends GatherDeps {
  readonly ledger: Pick<LedgerReads, 'entries'>;
  readonly evidence: EvidenceStore;
}

export interface DraftedPeriod {
  readonly invoice: Invoice;
  readonly basis: DraftBasis;
}

/**
 * Rates one period of one account: gathers the evidence, stores it under its hash, and makes the draft and all that issuing
 * it will change. Writes nothing but the evidence. A preview is the same call with an evidence store that keeps nothing.
 *
 * Lines: the period's charges in arrears, the fees in advance of the period that follows, then differences by line key: of the
 * period's own fees in advance (a plan that changed or ended after they were billed) and of earlier periods.
 */
export async function draftPeriod(input: DraftPeriodInput, deps: DraftPeriodDeps): Promise<DraftedPeriod> {
  const { subject, draftedAt } = input;
  const { project, customer, period, purpose } = subject;
  const prices = await readPrices(subject, deps.reads);
  const services = await prices.named(input.services);
  const head = purpose === 'period' ? overtaken(input.head, period.key, services) : input.head;
  const lateDays = await deps.usage.lateDays(project, customer);
  const late = lateDays.length === 0 ? [] : lateUsage(lateDays, await deps.reads.meters(project));
  const again = periodsToAdjust(head, purpose === 'closing' ? null : period.key, late, prices.corrections);
  const earlier = await earlierPeriods(input, { again, prices }, deps.ledger);
  const settled = purpose === 'period' ? [await settledAdvance({ ...input, services }, deps.ledger)] : [];
  const now = await prices.named(billedNow({ ...input, services }));
  const evidence = await gatherEvidence(
    { subject, services: now, earlier: [...settled, ...earlier], idle: idleOf(input), prices },
    deps,
  );
  const { text, reference } = freezeEvidence(evidence);
  await deps.evidence.putOnce(reference.key, gzipSync(text));
  const { lines, unmatched } = rateEvidence(evidence);
  const invoice = draftInvoice({ subject, lines, evidence: reference, draftedAt });
  const moved = movedHead(
    head,
    invoice,
    again.map(({ key }) => key),
    prices.corrections.length,
  );
  const { closesAt } = input;
  const isCut = again.length >= MAX_ADJUSTED;
  return {
    invoice,
    basis: {
      ledgerSequence: head.sequence,
      head: { ...moved, lookAt: nextLook({ head: moved, closesAt, now: draftedAt, isCut }) },
      entries: ledgerEntries(invoice, purpose === 'period' ? services.map(billedService) : []),
      subscriptions: onePerSubscription(services).map((service) => progressOf(service, subject, evidence)),
      timeZone: period.timeZone,
      unbilledSlices: unmatched.length,
      ...(closesAt === null && creditLeft(lines) > 0n && { creditLeftMinor: creditLeft(lines).toString() }),
    },
  };
}

/** The services whose lines are the invoice's own: the period's in arrears, then the following one's in advance. */
function billedNow({ subject, services }: DraftPeriodInput): readonly ServiceToRate[] {
  const { period, purpose } = subject;
  if (purpose === 'opening') {
    return services.map((service) => ({ ...billedService(service), period, bills: 'advance' as const }));
  }
  const own = services
    .filter(({ start, end }) => start < end)
    .map((service) => ({ ...billedService(service), period, bills: 'arrears' as const }));
  const ahead = onePerSubscription(services).flatMap(({ stored, billedThrough }) => {
    const billed = afterService(stored.subscription, billedThrough, period.timeZone);
    const following = adjacentService(billed, period.timeZone);
    return billedParts(billed, following?.segments ?? []).map((part) => ({
      ...part,
      period: following?.period ?? period,
      bills: 'advance' as const,
    }));
  });
  return [...own, ...ahead];
}

/** The trials and pauses that the invoice moves its subscriptions across: those since what was billed before. */
function idleOf({ subject, services }: DraftPeriodInput) {
  if (subject.purpose !== 'period') return [];
  const spans = onePerSubscription(services).flatMap(({ stored: { subscription }, billedThrough }) =>
    idleSpansIn(subscription, { start: subscription.billedThrough, end: billedThrough }),
  );
  return [...new Map(spans.map((span) => [`${span.start}/${span.end}`, span])).values()];
}

/** How far a subscription is billed once the invoice is issued. */
function progressOf(service: DueService, subject: InvoiceSubject, evidence: Evidence): BasisSubscription {
  const { subscription, version } = service.stored;
  const { period } = subject;
  const { id } = subscription;
  if (subject.purpose === 'opening') {
    const { billedThrough, advanceThrough } = afterOpening(subscription, period.timeZone);
    return { id, version, billedThrough, advanceThrough };
  }
  const { billedThrough } = service;
  const ahead = evidence.services.find(({ input }) => input.subscription === id && input.bills === 'advance');
  if (ahead !== undefined) return { id, version, billedThrough, advanceThrough: ahead.input.period.end };
  // No fees follow at once: none at all, or none before the subscription goes on after a pause.
  const { advanceThrough } = afterService(subscription, billedThrough, period.timeZone);
  return { id, version, billedThrough, ...(advanceThrough === billedThrough && { advanceThrough }) };
}

/** Each subscription once, however many parts of the period it has. */
function onePerSubscription(services: readonly DueService[]): readonly DueService[] {
  return [...new Map(services.map((service) => [service.subscription, service])).values()];
}

function billedService({ stored: _, billedThrough: __, ...service }: DueService): BilledService {
  return service;
}
