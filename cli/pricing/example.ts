import type { EstimateRequest } from '../estimate-api.ts';

/** One worked example of docs/pricing.md. Its total is worked out by hand; a test holds the estimate to it. */
export interface PricingExample {
  readonly title: string;
  /** What the rule is; Markdown. */
  readonly rule: string;
  /** What was used, in a sentence for a person. */
  readonly used: string;
  readonly parts: readonly ExamplePart[];
}

export interface ExamplePart {
  /** What this estimate is of, where there are several. */
  readonly of?: string;
  readonly request: EstimateRequest;
  /** By hand. */
  readonly total: string;
  /** By hand, with `billed` in the request: what a later invoice adds. */
  readonly added?: string;
  /** The arithmetic. */
  readonly sum: string;
}

export interface PricingSection {
  readonly title: string;
  readonly text: string;
  readonly examples: readonly PricingExample[];
}

type Part = Readonly<Record<string, unknown>>;

/** A request in dollars over November 2026, with a charge of one meter. */
export function oneCharge(meter: Part, charge: Part, usage: Part): EstimateRequest {
  return {
    currency: 'USD',
    meters: [meter],
    charges: [{ kind: 'usage', ...charge, meter: meter.key }],
    period: '2026-11',
    ...usage,
  };
}

export const used = (meter: string, quantity: string, dimensions?: Part): Part => ({
  meter,
  quantity,
  ...(dimensions && { dimensions }),
});

export const fixedFee = (key: string, name: string, amount: string, more: Part = {}): Part => ({
  ...{ kind: 'fixed', key, name, amount, timing: 'in_arrears' },
  ...more,
});

export const CALLS = { key: 'api_calls', aggregation: 'count', unit: 'calls' };
export const TOKENS = { key: 'tokens', aggregation: 'sum', unit: 'tokens' };
export const PAYMENTS = { key: 'payments', aggregation: 'transactions', unit: 'USD' };
