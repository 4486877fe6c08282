import { gunzipSync } from 'node:zlib';
import type { CustomerStore } from '../accounts/ports.ts';
import { segmentsIn } from '../accounts/segments.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { dayKey } from '../usage/log-partition.ts';
import { type Evidence, readEvidence } from './evidence.ts';
import type { Invoice, InvoiceLine } from './invoice.ts';
import type { BillingReads, EvidenceReads } from './ports.ts';
import type { InvoiceList } from './shown-invoice.ts';

/** Where an event's usage was billed: the lines of its meter and time, and whether their evidence had seen the event. */
export interface BilledEventDeps {
  readonly invoices: Pick<InvoiceList, 'list'>;
  readonly customers: Pick<CustomerStore, 'find'>;
  readonly evidence: EvidenceReads;
  readonly reads: Pick<BillingReads, 'subscriptionsOf' | 'planVersion' | 'newestPriceList'>;
}

export interface EventToBill {
  readonly project: ProjectId;
  readonly customer: string;
  readonly occurredAt: Instant;
  readonly partition: string;
  /** Of the event's chunk, and of the chunk that voided it. */
  readonly sequence: number;
  readonly voidedAt: number | null;
}

export interface EventLine {
  readonly invoice: Invoice['id'];
  readonly number: string | null;
  readonly status: Invoice['status'];
  readonly line: string;
  readonly kind: InvoiceLine['kind'];
  readonly meter: string;
  /**
   * By the cursors of the invoice's evidence: the event is in the quantity; it is not, so that a later invoice adjusts;
   * it was, and the void that took it out again is too; or the evidence cannot be read.
   */
  readonly event: 'in_quantity' | 'not_in_quantity' | 'voided_in_quantity' | 'unknown';
}

export interface EventBilling {
  readonly lines: readonly EventLine[];
  /** Why a meter of the event has no line; by meter. */
  readonly missing: ReadonlyMap<string, 'customer_unassigned' | 'no_subscription' | 'no_charge' | 'not_billed_yet'>;
  /** Whether all invoices of the customer were looked at. */
  readonly isWhole: boolean;
}

const INVOICE_PAGES = 5;
/** Invoices whose evidence is read; the lines of others say `unknown`. */
const MAX_EVIDENCE = 6;
const MAX_EVIDENCE_BYTES = 256 * 1024 * 1024;

/** Finds the invoice lines of some meters that cover the event, newest invoice first, or says why there is none. */
export async function billedEvent(
  event: EventToBill,
  meters: readonly string[],
  deps: BilledEventDeps,
): Promise<EventBilling> {
  const { project, customer } = event;
  const stored = await deps.customers.find(project, customer as CustomerId);
  if (stored === undefined)
    return { lines: [], missing: new Map(meters.map((meter) => [meter, 'customer_unassigned'])), isWhole: true };
  const lines: EventLine[] = [];
  let [cursor, readings]: [string | undefined, number] = [undefined, 0];
  let isWhole = false;
  for (let pages = 0; pages < INVOICE_PAGES && !isWhole; pages++) {
    const page = await deps.invoices.list(project, { limit: 100, cursor }, customer as CustomerId);
    for (const { invoice } of page.items) {
      const covering = invoice.lines.filter((line) => covers(line, meters, event.occurredAt));
      if (covering.length === 0) continue;
      readings += 1;
      const evidence = readings > MAX_EVIDENCE ? null : await evidenceOf(invoice, deps.evidence);
      for (const line of covering) lines.push(eventLine(invoice, line, evidence, event));
    }
    isWhole = page.cursor === null;
    cursor = page.cursor ?? undefined;
  }
  const open = meters.filter((meter) => !lines.some((line) => line.meter === meter));
  return { lines, missing: await reasonsOf(event, open, deps), isWhole };
}

function covers({ meter, servicePeriod }: InvoiceLine, meters: readonly string[], at: Instant): boolean {
  return meter !== null && meters.includes(meter) && servicePeriod.start <= at && at < servicePeriod.end;
}

function eventLine(invoice: Invoice, line: InvoiceLine, evidence: Evidence | null, event: EventToBill): EventLine {
  const { id, number, status } = invoice;
  const meter = line.meter ?? '';
  const shown = { invoice: id, number, status, line: line.key, kind: line.kind, meter };
  if (evidence === null) return { ...shown, event: 'unknown' };
  const services =
    line.kind === 'adjustment' ? evidence.earlier.flatMap((earlier) => earlier.services) : evidence.services;
  const day = dayKey(millisOf(event.occurredAt) * 1000);
  const cursors = services
    .flatMap(({ views }) => views)
    .filter(({ key }) => key === `${day}/` || key === `${day}/${meter}` || key.startsWith(`${day}/${meter}~`))
    .map((view) => view.cursors[event.partition] ?? 0);
  const upTo = Math.max(0, ...cursors);
  if (upTo < event.sequence) return { ...shown, event: 'not_in_quantity' };
  const isTakenOut = event.voidedAt !== null && upTo >= event.voidedAt;
  return { ...shown, event: isTakenOut ? 'voided_in_quantity' : 'in_quantity' };
}

async function evidenceOf(invoice: Invoice, evidence: EvidenceReads): Promise<Evidence | null> {
  try {
    const body = await evidence.read(invoice.evidence.key);
    if (body === null) return null;
    const text = gunzipSync(body, { maxOutputLength: MAX_EVIDENCE_BYTES }).toString('utf8');
    return readEvidence(text, invoice.evidence);
  } catch {
    // Verifying the invoice says what is wrong with its evidence; here it only means that nothing can be said.
    return null;
  }
}

/** Whether a subscription billed the customer when it happened, and whether its plan, or the price list behind it, charges for the meter. */
async function reasonsOf(event: EventToBill, meters: readonly string[], deps: BilledEventDeps) {
  const reasons = new Map<string, 'no_subscription' | 'no_charge' | 'not_billed_yet'>();
  if (meters.length === 0) return reasons;
  const { project, occurredAt } = event;
  const span = { start: occurredAt, end: instantFromMillis(millisOf(occurredAt) + 1) };
  const charged = new Set<string>();
  let subscriptions = 0;
  for (const { subscription } of await deps.reads.subscriptionsOf(project, event.customer as CustomerId)) {
    for (const { plan, planVersion } of segmentsIn(subscription, span)) {
      subscriptions += 1;
      const version = await deps.reads.planVersion(project, plan, planVersion);
      if (version === null) continue;
      const list = await deps.reads.newestPriceList(project, version.currency);
      for (const charge of [...version.charges, ...(list?.charges ?? [])])
        if (charge.kind === 'usage') charged.add(charge.meter);
    }
  }
  for (const meter of meters)
    reasons.set(meter, subscriptions === 0 ? 'no_subscription' : charged.has(meter) ? 'not_billed_yet' : 'no_charge');
  return reasons;
}
