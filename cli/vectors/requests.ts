import type { EstimateRequest } from '../estimate-api.ts';
import { list, textOrNull } from './vector.ts';

/** Small complete requests; a mapper states only what its vector is about. */
export type Part = Readonly<Record<string, unknown>>;

const METER = 'usage';

export const perUnit = (unitPrice: string): Part => ({ model: 'per_unit', unit_price: unitPrice });

/** A usage charge on the one meter. */
export function usageCharge(price: Part, more: Part = {}): Part {
  return { kind: 'usage', key: 'usage', name: 'Usage', meter: METER, price, ...more };
}

export function fee(amount: string, more: Part = {}): Part {
  return { kind: 'fixed', key: 'fee', name: 'Fee', amount, ...more };
}

/** One charge over one quantity of a sum. */
export function quantityRequest(
  price: Part,
  quantity: string,
  more: { charge?: Part; meter?: Part; request?: Part } = {},
): EstimateRequest {
  return {
    currency: 'USD',
    meters: [{ key: METER, aggregation: 'sum', ...more.meter }],
    charges: [usageCharge(price, more.charge)],
    usage: [{ meter: METER, quantity }],
    ...more.request,
  };
}

/** One charge over single transactions, in their order. */
export function transactionsRequest(price: Part, values: readonly string[], more: Part = {}): EstimateRequest {
  return {
    currency: 'USD',
    meters: [{ key: METER, aggregation: 'transactions' }],
    charges: [usageCharge(price)],
    transactions: singles(values),
    ...more,
  };
}

export const quantities = (quantity: string) => [{ meter: METER, quantity }];
export const singles = (values: readonly string[]) => values.map((value) => ({ meter: METER, value }));

/** A fee of a whole period, in it. */
export function feeRequest(amount: string, more: { fee?: Part; request?: Part } = {}): EstimateRequest {
  return { currency: 'USD', charges: [fee(amount, more.fee)], ...more.request };
}

/** Tiers of vectors: their upper bound under either name, price, rate and flat amount where they have them. */
export function tiersOf(properties: unknown): readonly Part[] {
  return list(properties, 'tiers').map((tier) => {
    const rate = textOrNull(tier, 'rate');
    const flat = textOrNull(tier, 'flatAmount') ?? textOrNull(tier, 'flat_amount');
    const unit = textOrNull(tier, 'unitAmount') ?? textOrNull(tier, 'unit_amount') ?? '0';
    return {
      up_to: textOrNull(tier, 'to') ?? textOrNull(tier, 'up_to'),
      ...(rate === null ? { unit_price: unit } : { rate }),
      ...(flat !== null && { flat_amount: flat }),
    };
  });
}

/** Only the members that are not null. */
export function given(part: Readonly<Record<string, unknown>>): Part {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null && value !== undefined));
}
