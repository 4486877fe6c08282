import type { BilledEntry, BilledPeriod, BilledService } from './account-ledger.ts';
import type { DraftPeriodInput } from './draft-period.ts';
import type { GatherInput, ServiceToRate } from './gather-evidence.ts';
import type { LedgerReads } from './ports.ts';
import type { Prices } from './read-prices.ts';

type EarlierToRate = GatherInput['earlier'][number];

/** The periods `again` with all that was billed for them: charges in arrears and fees in advance, as their own invoices settled them. */
export async function earlierPeriods(
  input: DraftPeriodInput,
  { again, prices }: { readonly again: readonly BilledPeriod[]; readonly prices: Pick<Prices, 'again'> },
  ledger: Pick<LedgerReads, 'entries'>,
): Promise<readonly EarlierToRate[]> {
  const earlier: EarlierToRate[] = [];
  for (const { key, start, end, timeZone } of again) {
    const entries = await entriesOf(input, key, ledger);
    const services = await prices.again(entries.flatMap((entry) => entry.services));
    const period = { key, start, end, timeZone };
    earlier.push({
      period,
      services: services.flatMap((service) => [
        ...toRate(service, period, 'arrears'),
        ...toRate(service, period, 'advance'),
      ]),
      billed: linesOf(entries, services),
    });
  }
  return earlier;
}

/**
 * The fees in advance of the invoice's own period as its services now stand, against what was billed for them before the period
 * began: where a subscription ended or changed since, the difference is a line.
 */
export async function settledAdvance(
  input: DraftPeriodInput,
  ledger: Pick<LedgerReads, 'entries'>,
): Promise<EarlierToRate> {
  const { subject, services } = input;
  const { period } = subject;
  const isPaid = services.some(({ stored }) => stored.subscription.advanceThrough !== undefined);
  const entries = isPaid ? await entriesOf(input, period.key, ledger) : [];
  return {
    period,
    services: services.flatMap(({ stored: _, billedThrough: __, ...service }) => toRate(service, period, 'advance')),
    billed: linesOf(entries, services),
  };
}

async function entriesOf({ subject, pending }: DraftPeriodInput, period: string, ledger: Pick<LedgerReads, 'entries'>) {
  const stored = await ledger.entries(subject.project, subject.account, period);
  return [...stored, ...pending.filter((entry) => entry.period === period)];
}

function toRate(
  service: BilledService,
  period: ServiceToRate['period'],
  bills: ServiceToRate['bills'],
): ServiceToRate[] {
  return service.start < service.end ? [{ ...service, period, bills }] : [];
}

/** The lines billed for the subscriptions of some services; what others paid in advance is for their own invoice to settle. */
function linesOf(entries: readonly BilledEntry[], services: readonly BilledService[]) {
  const ids = new Set(services.map(({ subscription }) => subscription));
  return entries.flatMap(({ lines }) => lines.filter(({ subscription }) => ids.has(subscription)));
}
