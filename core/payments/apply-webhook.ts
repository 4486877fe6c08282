import { BillingError } from '../errors.ts';
import type { InvoiceId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { advancePayment, isMaterial } from './payment-state.ts';
import type { InvoicePayments, PaymentProvider, ProviderInvoice, WebhookEvents, WebhookNotice } from './ports.ts';

export interface ApplyWebhookDeps {
  readonly payments: InvoicePayments;
  readonly events: WebhookEvents;
  readonly clock: Clock;
  /** Asked only when the notice needs a read. */
  readonly provider: () => Promise<PaymentProvider>;
}

/** What became of a notice. `duplicate_at_provider`: a second invoice there claims to be one of ours; somebody must look. */
export type WebhookOutcome =
  | 'applied'
  | 'already_processed'
  | 'nothing_new'
  | 'not_an_invoice'
  | 'gone'
  | 'not_ours'
  | 'duplicate_at_provider';

const MAX_ROUNDS = 6;

/**
 * Acts on one webhook. The notice only says which object to read again, so order, age and repetition of webhooks do not matter.
 * The change of the invoice, its events and the mark "processed" are one transaction; until then the notice may come again.
 * Throws retryable `provider` or `not-ready` errors; the notice then stays waiting.
 */
export async function applyWebhook(notice: WebhookNotice, deps: ApplyWebhookDeps): Promise<WebhookOutcome> {
  if ((await deps.events.receive(notice, deps.clock.now())) === 'processed') return 'already_processed';
  if (notice.object.type !== 'invoice' || !notice.type.startsWith('invoice.'))
    return ended(notice, 'not_an_invoice', deps);
  const provider = await deps.provider();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const seen = await provider.readInvoice(notice.object.id);
    if (seen === null) return ended(notice, 'gone', deps);
    const outcome = await applied(notice, seen, deps);
    if (outcome !== 'again') return outcome;
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'payment_contended',
    message: `The payment of provider invoice ${notice.object.id} was changed by others again and again; try later.`,
  });
}

async function applied(
  notice: WebhookNotice,
  seen: ProviderInvoice,
  deps: ApplyWebhookDeps,
): Promise<WebhookOutcome | 'again'> {
  if (seen.project !== notice.project || seen.invoice === null) return ended(notice, 'not_ours', deps);
  const stored = await deps.payments.find(notice.project, seen.invoice as InvoiceId);
  if (stored === null || stored.invoice.status === 'draft') return ended(notice, 'not_ours', deps);
  const known = stored.payment?.providerInvoice ?? null;
  if (known !== null && known !== seen.id) return ended(notice, 'duplicate_at_provider', deps);
  const at = deps.clock.now();
  const next = advancePayment(stored, seen, at);
  if (next === null || !isMaterial(stored, next)) return ended(notice, 'nothing_new', deps);
  const saved = await deps.payments.save({ stored, ...next, processed: { notice, at } });
  return saved === 'stored' ? 'applied' : 'again';
}

async function ended(notice: WebhookNotice, outcome: WebhookOutcome, deps: ApplyWebhookDeps): Promise<WebhookOutcome> {
  await deps.events.markProcessed(notice, deps.clock.now(), outcome);
  return outcome;
}
