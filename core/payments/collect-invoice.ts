import { BillingError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import { advancePayment } from './payment-state.ts';
import type { PaymentProvider, PayResult, ProviderInvoice } from './ports.ts';
import { isRefusal, isRememberedFailure } from './provider-failure.ts';
import type { PushWork } from './push-work.ts';

interface CollectDeps {
  readonly provider: PaymentProvider;
  readonly clock: Clock;
}

/**
 * Charges a finalized invoice once, or only records it where nothing is to be charged. The attempt is stored before the call;
 * an attempt begun earlier whose end is not known is looked up, and repeated only under its own key and only when the provider
 * has counted no charge for it. A failed charge is not tried again here. `changed`: start over from what is stored.
 */
export async function collectInvoice(
  work: PushWork,
  seen: ProviderInvoice,
  deps: CollectDeps,
): Promise<'done' | 'changed'> {
  const { payment } = work;
  if (seen.status !== 'open' || payment.collection !== 'charge_automatically') return settled(work, seen, deps);
  if (payment.isPayPending && (seen.isProcessing || seen.attemptCount >= payment.payAttempt)) {
    return settled(work, seen, deps);
  }
  if (seen.isProcessing) {
    throw new BillingError({
      kind: 'not-ready',
      code: 'payment_in_progress',
      message: `Another payment of ${seen.id} is under way at the provider; try again when it has ended.`,
    });
  }
  const attempt = payment.isPayPending ? payment.payAttempt : payment.payAttempt + 1;
  if (!payment.isPayPending) {
    const next = advancePayment(work.stored, seen, deps.clock.now());
    if (next === null) return 'changed';
    const begun = { ...next.payment, payAttempt: attempt, isPayPending: true };
    if (!(await work.advance(next.status, begun, next.events))) return 'changed';
  }
  return charged(work, { seen, attempt, isSecondTry: false }, deps);
}

async function charged(
  work: PushWork,
  pay: { readonly seen: ProviderInvoice; readonly attempt: number; readonly isSecondTry: boolean },
  deps: CollectDeps,
): Promise<'done' | 'changed'> {
  let answer: PayResult | { readonly result: 'refused'; readonly error: BillingError };
  try {
    answer = await deps.provider.payInvoice(pay.seen.id, work.keyOf(`pay:${pay.attempt}`));
  } catch (error) {
    // Away, busy or locked out: the attempt stays pending and the next push looks first.
    if (!(error instanceof BillingError) || !(isRefusal(error) || isRememberedFailure(error))) throw error;
    answer = { result: 'refused', error };
  }
  if (answer.result === 'accepted') return settled(work, answer.seen, deps);
  const now = (await deps.provider.readInvoice(pay.seen.id)) ?? pay.seen;
  if (answer.result === 'declined') return settled(work, failedAt(now, pay.attempt, answer.code), deps);
  const isUncounted = now.status === 'open' && !now.isProcessing && now.attemptCount < pay.attempt;
  if (!isUncounted) return settled(work, now, deps);
  if (isRememberedFailure(answer.error)) {
    if (pay.isSecondTry) throw answer.error;
    if (!(await work.nextGeneration(answer.error))) return 'changed';
    return charged(work, { ...pay, isSecondTry: true }, deps);
  }
  const code = answer.error.context.providerCode;
  return settled(work, failedAt(now, pay.attempt, typeof code === 'string' ? code : answer.error.code), deps);
}

/** The provider's view of an open invoice with our failed attempt counted, should it count otherwise. */
function failedAt(seen: ProviderInvoice, attempt: number, code: string): ProviderInvoice {
  if (seen.status !== 'open') return seen;
  return { ...seen, attemptCount: Math.max(seen.attemptCount, attempt), failureCode: seen.failureCode ?? code };
}

async function settled(work: PushWork, seen: ProviderInvoice, deps: CollectDeps): Promise<'done' | 'changed'> {
  const next = advancePayment(work.stored, seen, deps.clock.now());
  if (next === null) return 'changed';
  const payment = { ...next.payment, isPayPending: false };
  return (await work.advance(next.status, payment, next.events)) ? 'done' : 'changed';
}
