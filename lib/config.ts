import type { Node } from 'constructs';

/**
 * Everything that differs between two deployments. This file is the only one that reads CDK context: the stage by
 * `-c stage=NAME` (default `dev`), and the few values that belong to one AWS account rather than to the code
 * (`-c account=`, `-c region=`, `-c alarmEmail=`, `-c domainName=` with `-c certificateArn=`).
 */
export interface StageConfig {
  readonly stage: StageName;
  /** Both or neither. Without them the stacks are environment-agnostic and synth needs no AWS account. */
  readonly account?: string;
  readonly region?: string;
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN';
  readonly logRetentionDays: 7 | 30 | 90;
  readonly tables: {
    /** Units per second each busy table accepts from its first minute; a new on-demand table starts at 4,000 and 12,000. */
    readonly warmWritesPerSecond: number;
    readonly warmReadsPerSecond: number;
  };
  readonly archive: {
    readonly manifestDays: number;
    readonly noncurrentVersionDays: number;
    /** Evidence is kept for ever; after this many days in the infrequent-access class (AWS's minimum is 30). */
    readonly evidenceToInfrequentAccessDays: number;
    /** The archived usage log is kept for ever too, and read only to restore. */
    readonly usageLogToInfrequentAccessDays: number;
  };
  readonly api: {
    /** Requests per second and bucket size of the whole stage; API Gateway's account default is 10,000 and 5,000. */
    readonly ratePerSecond: number;
    readonly burst: number;
    /** Origins whose pages may call the API. Empty: no CORS headers at all. */
    readonly corsOrigins: readonly string[];
    readonly customDomain?: { readonly name: string; readonly certificateArn: string };
  };
  /** Calls a second and at once, for all of a project and for one API key; a project may set others. */
  readonly rateLimits: {
    readonly project: { readonly events: RateLimit; readonly requests: RateLimit };
    readonly key: { readonly events: RateLimit; readonly requests: RateLimit };
  };
  readonly usage: {
    /**
     * How long append-usage gathers messages: longer windows make larger, cheaper chunks (0 to 300 s). 5 suits 1,000 events
     * a second, 20 suits 40 and 60 suits 1 (bench/README.md).
     */
    readonly appendWindowSeconds: number;
    /** Writers of the log at a time: more writers lose more races for the same partition (2 to 1,000). */
    readonly appendConcurrency: number;
    /** How long fold-usage gathers stream records (0 to 300 s). A hint only: the sweep folds what it misses. */
    readonly foldWindowSeconds: number;
    /**
     * How old a view may become before the next chunk, or the sweep of each minute, folds what is new: `GET /v1/usage` is behind
     * by this and a minute. Shorter is dearer, above all at few events a second. Invoices never wait for it.
     */
    readonly maxViewAgeSeconds: number;
    /**
     * Every day the views of one customer in so many, on the day before yesterday, are held against the log; those of all
     * accounts about to be billed always are (docs/rebuilding.md has the cost). 1 or more.
     */
    readonly reconcileOneIn: number;
    /** The same for projects that ask for quotas: how far a quota may be behind, with the sweep's minute. */
    readonly maxQuotaAgeSeconds: number;
  };
  readonly webhooks: { readonly applyConcurrency: number };
  /** Where alarms are mailed; without it the topic has no subscriber yet. */
  readonly alarmEmail?: string;
}

export interface RateLimit {
  readonly perSecond: number;
  /** At least 1,000 events: a request may hold so many. */
  readonly burst: number;
}

export type StageName = 'dev' | 'prod';

const RATE_LIMITS: StageConfig['rateLimits'] = {
  project: { events: { perSecond: 20_000, burst: 100_000 }, requests: { perSecond: 1_000, burst: 5_000 } },
  key: { events: { perSecond: 10_000, burst: 50_000 }, requests: { perSecond: 500, burst: 2_500 } },
};

type AccountValues = 'account' | 'region' | 'alarmEmail';
const STAGES: Readonly<Record<StageName, Omit<StageConfig, AccountValues>>> = {
  dev: {
    stage: 'dev',
    logLevel: 'INFO',
    logRetentionDays: 7,
    tables: { warmWritesPerSecond: 4_000, warmReadsPerSecond: 12_000 },
    archive: {
      manifestDays: 30,
      noncurrentVersionDays: 30,
      evidenceToInfrequentAccessDays: 90,
      usageLogToInfrequentAccessDays: 30,
    },
    api: { ratePerSecond: 1_000, burst: 2_000, corsOrigins: ['http://127.0.0.1:5173'] },
    usage: {
      appendWindowSeconds: 1,
      appendConcurrency: 2,
      foldWindowSeconds: 1,
      maxViewAgeSeconds: 15,
      reconcileOneIn: 1,
      maxQuotaAgeSeconds: 15,
    },
    rateLimits: RATE_LIMITS,
    webhooks: { applyConcurrency: 2 },
  },
  prod: {
    stage: 'prod',
    logLevel: 'WARN',
    logRetentionDays: 90,
    tables: { warmWritesPerSecond: 12_000, warmReadsPerSecond: 24_000 },
    archive: {
      manifestDays: 400,
      noncurrentVersionDays: 400,
      evidenceToInfrequentAccessDays: 90,
      usageLogToInfrequentAccessDays: 30,
    },
    api: { ratePerSecond: 10_000, burst: 5_000, corsOrigins: [] },
    usage: {
      appendWindowSeconds: 5,
      appendConcurrency: 4,
      foldWindowSeconds: 60,
      maxViewAgeSeconds: 900,
      reconcileOneIn: 7,
      maxQuotaAgeSeconds: 60,
    },
    rateLimits: RATE_LIMITS,
    webhooks: { applyConcurrency: 5 },
  },
};

/**
 * The stage named in the context, with the account's own values.
 * @throws Error when the stage is unknown, or when one of two values that belong together is missing.
 */
export function stageConfigFrom(node: Node): StageConfig {
  const stage = contextText(node, 'stage') ?? 'dev';
  if (stage !== 'dev' && stage !== 'prod') {
    throw new Error(`Got stage ${JSON.stringify(stage)}; expected one of ${Object.keys(STAGES).join(', ')}.`);
  }
  const base = STAGES[stage];
  const environment = bothOrNeither(node, 'account', 'region');
  const domain = bothOrNeither(node, 'domainName', 'certificateArn');
  const alarmEmail = contextText(node, 'alarmEmail');
  return {
    ...base,
    api:
      domain === undefined ? base.api : { ...base.api, customDomain: { name: domain[0], certificateArn: domain[1] } },
    ...(environment === undefined ? {} : { account: environment[0], region: environment[1] }),
    ...(alarmEmail === undefined ? {} : { alarmEmail }),
  };
}

function bothOrNeither(node: Node, first: string, second: string): readonly [string, string] | undefined {
  const values = [contextText(node, first), contextText(node, second)] as const;
  if (values[0] !== undefined && values[1] !== undefined) return [values[0], values[1]];
  if (values[0] === undefined && values[1] === undefined) return undefined;
  throw new Error(`Context ${first} and ${second} belong together: give both or neither.`);
}

function contextText(node: Node, key: string): string | undefined {
  const value: unknown = node.tryGetContext(key);
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new Error(`Context ${key} must be a string; got ${typeof value}.`);
  return value;
}
