/**
 * List prices of us-east-1 in US dollars, read in November 2026, without free tiers, discounts or savings plans. This is the
 * only place with a price in it. `per` says how many units the price buys. What could not be seen in a source of its own is
 * marked: confirm it before quoting a total to anybody.
 */
export interface Price {
  readonly usd: number;
  readonly per: number;
  readonly unit: string;
  readonly source: string;
  readonly isConfirmed: boolean;
}

export const PRICES_READ_ON = '2026-11';

export const PRICES = {
  http_api: {
    usd: 1,
    per: 1_000_000,
    unit: 'requests of up to 512 KB through an HTTP API',
    source: 'AWS API Gateway white paper',
    isConfirmed: true,
  },
  lambda_requests: {
    usd: 0.2,
    per: 1_000_000,
    unit: 'invocations',
    source: 'cloudchipr.com, AWS compute blog',
    isConfirmed: true,
  },
  lambda_gb_seconds: {
    usd: 0.0000133334,
    per: 1,
    unit: 'GB-seconds on arm64',
    source: 'cloudchipr.com, AWS compute blog',
    isConfirmed: true,
  },
  sqs: {
    usd: 0.4,
    per: 1_000_000,
    unit: 'requests of up to 64 KB to a standard queue; empty receives count',
    source: 'cloudburn.io 2026-03, factualminds.com 2026-06',
    isConfirmed: true,
  },
  dynamodb_writes: {
    usd: 0.625,
    per: 1_000_000,
    unit: 'write units of 1 KB, on demand; refused writes count, transactions count twice',
    source: 'airbyte.com 2025-07, nops.io 2026',
    isConfirmed: true,
  },
  dynamodb_reads: {
    usd: 0.125,
    per: 1_000_000,
    unit: 'read units of 4 KB, strongly consistent, on demand',
    source: 'airbyte.com 2025-07, nops.io 2026',
    isConfirmed: true,
  },
  dynamodb_gb_months: {
    usd: 0.25,
    per: 1,
    unit: 'GB-months stored, 100 bytes beside each item included',
    source: 'usage.ai',
    isConfirmed: true,
  },
  pitr_gb_months: {
    usd: 0.2,
    per: 1,
    unit: 'GB-months of point-in-time recovery',
    source: 'reference note',
    isConfirmed: false,
  },
  eventbridge: {
    usd: 1,
    per: 1_000_000,
    unit: 'custom events of up to 64 KB',
    source: 'aws.amazon.com/eventbridge/pricing (the 64 KB); the price from a reference note',
    isConfirmed: false,
  },
  scheduler: {
    usd: 1,
    per: 1_000_000,
    unit: 'scheduled invocations',
    source: 'aws.amazon.com/eventbridge/pricing',
    isConfirmed: true,
  },
  log_gb: {
    usd: 0.5,
    per: 1,
    unit: 'GB of logs taken in',
    source: 'c3x.dev 2026-06',
    isConfirmed: true,
  },
} as const satisfies Record<string, Price>;

export type Priced = keyof typeof PRICES;
