import type { UsageCharge } from '../catalog/charge.ts';
import type { PriceListVersion } from '../catalog/price-list.ts';
import type { SubscriptionId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import type { Instant } from '../time/instant.ts';

/** A part of a subscription's life on one plan, as far as price lists look at it. */
export interface ListedSegment {
  readonly subscription: SubscriptionId;
  /** What it is billed in. */
  readonly currency: Currency;
  /** When the subscription began. */
  readonly subscribedAt: Instant;
  readonly start: Instant;
  /** Null while no end is known. */
  readonly end: Instant | null;
  /** Trials and pauses bill nothing, but what they are a trial or pause of is no usage for the price list. */
  readonly isActive: boolean;
  /** Meters that the plan prices. */
  readonly meters: ReadonlySet<string>;
}

/** What the price list bills beside one service: its charges over a part of the service. */
export interface ListSpan {
  readonly start: Instant;
  readonly end: Instant;
  readonly charges: readonly UsageCharge[];
}

/**
 * What of the price lists a service takes: charges on meters that no plan of the customer prices at that time, in whatever
 * currency. At every instant one subscription takes the usage of a meter: of those that are active and billed in a currency
 * whose list prices it, the first by start and id. So nothing is billed twice, and nothing for want of a list, however many
 * subscriptions, currencies and cycles a customer has. `segments` are those of all the customer's subscriptions, the service's
 * own among them; `lists` those of their currencies. Pure.
 */
export function listSpans(
  service: { readonly subscription: SubscriptionId; readonly start: Instant; readonly end: Instant },
  segments: readonly ListedSegment[],
  lists: readonly PriceListVersion[],
): readonly ListSpan[] {
  const pricedIn = new Map(
    lists.map(({ currency, charges }) => [currency, new Set(charges.map(({ meter }) => meter))]),
  );
  const own = segments.find(({ subscription }) => subscription === service.subscription)?.currency;
  const charges = lists.find(({ currency }) => currency === own)?.charges ?? [];
  const spans: ListSpan[] = [];
  for (const { start, end } of cutAtChanges(service, segments)) {
    const present = segments.filter(
      (segment) => segment.start <= start && (segment.end === null || start < segment.end),
    );
    const active = present.filter(({ isActive }) => isActive).toSorted(byStartAndId);
    const taken = charges.filter(({ meter }) => {
      if (present.some(({ meters }) => meters.has(meter))) return false;
      const taker = active.find(({ currency }) => pricedIn.get(currency)?.has(meter));
      return taker?.subscription === service.subscription;
    });
    if (taken.length === 0) continue;
    const last = spans.at(-1);
    if (last?.end === start && isSame(last.charges, taken)) spans.splice(-1, 1, { ...last, end });
    else spans.push({ start, end, charges: taken });
  }
  return spans;
}

/** The service cut wherever a segment begins or ends. */
function cutAtChanges(
  { start, end }: { readonly start: Instant; readonly end: Instant },
  segments: readonly ListedSegment[],
): readonly { readonly start: Instant; readonly end: Instant }[] {
  const inside = segments
    .flatMap((segment) => (segment.end === null ? [segment.start] : [segment.start, segment.end]))
    .filter((at) => start < at && at < end);
  const cuts = [...new Set([start, ...inside, end])].sort();
  return cuts.flatMap((from, index) => {
    const to = cuts[index + 1];
    return to === undefined ? [] : [{ start: from, end: to }];
  });
}

function byStartAndId(a: ListedSegment, b: ListedSegment): number {
  if (a.subscribedAt !== b.subscribedAt) return a.subscribedAt < b.subscribedAt ? -1 : 1;
  return a.subscription < b.subscription ? -1 : a.subscription > b.subscription ? 1 : 0;
}

function isSame(a: readonly UsageCharge[], b: readonly UsageCharge[]): boolean {
  return a.length === b.length && a.every((charge, index) => charge.key === b[index]?.key);
}
