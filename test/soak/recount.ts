import { eventAt, PER_REQUEST, type TrafficPlan } from './traffic.ts';

/** What the usage must come to, counted from what was sent and by no code of the product: thousandths in bigint. */
export interface Totals {
  calls: bigint;
  /** In thousandths. */
  tokens: bigint;
  peak: bigint;
}

/** Totals by `customer/region` over the events of the requests that were sent. */
export function recount(plan: TrafficPlan, requestsSent: number): Map<string, Totals> {
  const totals = new Map<string, Totals>();
  const events = Math.min(plan.events, requestsSent * PER_REQUEST);
  for (let index = 0; index < events; index++) {
    const { customer, properties } = eventAt(plan, index);
    const name = `${customer}/${properties.region}`;
    const total = totals.get(name) ?? { calls: 0n, tokens: 0n, peak: 0n };
    const tokens = thousandths(String(properties.tokens));
    total.calls += 1n;
    total.tokens += tokens;
    if (tokens > total.peak) total.peak = tokens;
    totals.set(name, total);
  }
  return totals;
}

/** `12.5` is 12500. Throws on what is no decimal of at most three places. */
export function thousandths(text: string): bigint {
  const found = /^(\d+)(?:\.(\d{1,3}))?$/.exec(text);
  if (found === null) throw new Error(`Got ${text}; expected a decimal of at most three places.`);
  return BigInt(found[1] ?? '') * 1000n + BigInt((found[2] ?? '').padEnd(3, '0'));
}
