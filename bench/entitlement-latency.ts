import type { ApiClient } from '../cli/api-client.ts';
import { withBenchStack } from './bench-stack.ts';
import { medianOf } from './median.ts';
import { customerName } from './workload.ts';

/**
 * How long `POST /v1/entitlements/check` takes on the whole local stack, at a steady pace that waits for no answer: the time of
 * a check runs from when it was due, so that a pause counts for every check that it held up.
 */
export interface EntitlementLatency {
  /** The median of the rounds' 99th percentiles, in milliseconds. */
  readonly p99Millis: number;
  readonly p50Millis: number;
  readonly perSecond: number;
  readonly rounds: readonly { readonly p50Millis: number; readonly p99Millis: number }[];
}

const PER_SECOND = 200;
const WARM_UP_SECONDS = 10;
const ROUND_SECONDS = 10;
const ROUNDS = 3;
const CUSTOMERS = 20;

export async function entitlementLatency(onStep: (step: string) => void): Promise<EntitlementLatency> {
  return withBenchStack(
    (step) => onStep(`entitlement: ${step}`),
    async ({ stack, client, apiKey }) => {
      await setUp(client);
      const check = checkOf(stack.apiUrl, apiKey);
      onStep('entitlement: warming up');
      await paced(WARM_UP_SECONDS, check);
      const rounds: { p50Millis: number; p99Millis: number }[] = [];
      for (let round = 1; round <= ROUNDS; round++) {
        onStep(`entitlement: ${PER_SECOND} checks a second, ${round} of ${ROUNDS}`);
        const millis = await paced(ROUND_SECONDS, check);
        rounds.push({ p50Millis: percentileOf(millis, 0.5), p99Millis: percentileOf(millis, 0.99) });
      }
      return {
        p99Millis: medianOf(rounds.map(({ p99Millis }) => p99Millis)),
        p50Millis: medianOf(rounds.map(({ p50Millis }) => p50Millis)),
        perSecond: PER_SECOND,
        rounds,
      };
    },
  );
}

/** The value below which the share of all values lies (nearest rank). Throws on an empty list. */
export function percentileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('There is no percentile of nothing.');
  return value;
}

async function setUp(client: ApiClient): Promise<void> {
  await client.post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: [] });
  await client.post('/v1/plans', {
    plan: 'pro',
    name: 'Pro',
    currency: 'USD',
    interval: 'month',
    charges: [{ kind: 'fixed', key: 'fee', name: 'Fee', amount: '1' }],
    entitlements: [{ kind: 'metered', feature: 'calls', meter: 'calls', limit: '1000000' }],
  });
  const month = `${new Date().toISOString().slice(0, 7)}-01T00:00:00Z`;
  for (let i = 0; i < CUSTOMERS; i++) {
    await client.post('/v1/customers', { id: customerName(i), name: customerName(i) });
    await client.post('/v1/subscriptions', { customer: customerName(i), plan: 'pro', start: month });
  }
}

function checkOf(apiUrl: string, apiKey: string) {
  return async (number: number): Promise<void> => {
    const response = await fetch(`${apiUrl}/v1/entitlements/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ customer: customerName(number % CUSTOMERS), feature: 'calls' }),
    });
    const { allowed } = (await response.json()) as { allowed?: unknown };
    if (allowed !== true) throw new Error(`A check of the bench was answered ${response.status}.`);
  };
}

/** Starts a check whenever one is due; answers with how long each took from then on, in milliseconds. */
async function paced(seconds: number, check: (number: number) => Promise<void>): Promise<number[]> {
  const started = performance.now();
  const running: Promise<number>[] = [];
  for (let number = 0; number < seconds * PER_SECOND; number++) {
    const due = started + (number * 1000) / PER_SECOND;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    running.push(check(number).then(() => performance.now() - due));
  }
  return Promise.all(running);
}
