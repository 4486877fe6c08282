import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { billedLedger } from '../../adapters/dynamodb/billed-ledger.ts';
import { billingReads } from '../../adapters/dynamodb/billing-reads.ts';
import { billingRuns } from '../../adapters/dynamodb/billing-runs.ts';
import { contractStore } from '../../adapters/dynamodb/contracts.ts';
import { customerStore } from '../../adapters/dynamodb/customers.ts';
import { dynamoDrafts } from '../../adapters/dynamodb/invoices.ts';
import { issuingDesk } from '../../adapters/dynamodb/issuing-desk.ts';
import { meterStore } from '../../adapters/dynamodb/meters.ts';
import { dynamoOutbox } from '../../adapters/dynamodb/outbox.ts';
import { planStore } from '../../adapters/dynamodb/plans.ts';
import { subscriptionStore } from '../../adapters/dynamodb/subscriptions.ts';
import { uncollectedInvoices } from '../../adapters/dynamodb/uncollected-invoices.ts';
import { evidenceStore } from '../../adapters/s3/evidence-store.ts';
import { manifestStore } from '../../adapters/s3/manifest-store.ts';
import type { CreateSubscriptionDeps } from '../../core/accounts/create-subscription.ts';
import type { RewriteDeps } from '../../core/accounts/rewrite-subscription.ts';
import type { Subscription } from '../../core/accounts/subscription.ts';
import type { Charge } from '../../core/catalog/charge.ts';
import type { Meter } from '../../core/catalog/meter.ts';
import type { WriteContractDeps } from '../../core/catalog/write-contract.ts';
import type { ProductEvent } from '../../core/events/product-event.ts';
import type { BillingRunId, CustomerId, ProjectId, SubscriptionId } from '../../core/ids.ts';
import type { BillingRun } from '../../core/invoicing/billing-run.ts';
import type { Invoice } from '../../core/invoicing/invoice.ts';
import type { UsageReads } from '../../core/invoicing/ports.ts';
import { startBillingRun } from '../../core/invoicing/start-billing-run.ts';
import { type Instant, parseInstant } from '../../core/time/instant.ts';
import type { Interval } from '../../core/time/interval.ts';
import type { UsageSlice, UsageSnapshot } from '../../core/usage/usage-snapshot.ts';
import { handle as finishRun } from '../../lambdas/billing/finish-run.ts';
import { handle as issueInvoices } from '../../lambdas/billing/issue-invoices.ts';
import { handle as rateAccounts } from '../../lambdas/billing/rate-accounts.ts';
import { handle as writeManifest } from '../../lambdas/billing/write-manifest.ts';
import { toBillingError } from '../../lambdas/shared/error-map.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from '../../local/gateway/gateway.ts';
import { openS3, type S3Part } from '../../local/parts/s3.ts';
import { type LocalTables, startLocalTables } from './local-tables.ts';
import { onePhase } from './subscription-fixtures.ts';

/** The parts that the worlds of one test file share: DynamoDB Local and the local S3. */
export interface BillingParts {
  readonly tables: LocalTables;
  readonly s3: S3Client;
  readonly objects: S3Part['objects'];
  stop(): Promise<void>;
}

const BUCKET = 'archive';
process.env.POWERTOOLS_METRICS_DISABLED = 'true';

export async function startBillingParts(): Promise<BillingParts> {
  const folder = mkdtempSync(join(tmpdir(), 'billing-'));
  const local = openS3({ folder, clock: { now: () => Date.parse('2026-12-01T01:00:00Z') } });
  local.objects.createBucket(BUCKET);
  const [tables, gateway]: [LocalTables, Gateway] = await Promise.all([
    startLocalTables(),
    startGateway({ principals: new Map(), backends: { s3: local.handle } }),
  ]);
  const s3 = new S3Client({
    endpoint: gateway.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: ADMIN_ACCESS_KEY_ID, secretAccessKey: 'local' },
  });
  return {
    tables,
    s3,
    objects: local.objects,
    async stop() {
      await tables.stop();
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const at = (text: string): Instant => parseInstant(text);

/** A client that throws at its `nth` write, before the write reaches the table or after it took effect. */
export function crashingClient(client: DynamoDBClient, nth: number, when: 'before' | 'after'): DynamoDBClient {
  let writes = 0;
  return new Proxy(client, {
    get(target, name) {
      if (name !== 'send') return Reflect.get(target, name);
      return async (command: { constructor: { name: string } }) => {
        const isWrite = /Put|Update|Delete|Transact|BatchWrite/.test(command.constructor.name);
        const isHit = isWrite && ++writes === nth;
        if (isHit && when === 'before') throw new CrashError();
        const answer = await target.send(command as never);
        if (isHit) throw new CrashError();
        return answer;
      };
    },
  });
}

/** The process is gone: nothing catches this but the test. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
}

const METERS: readonly Meter[] = [
  { key: 'calls', eventType: 'call', aggregation: 'count', dimensions: [], unit: 'calls' },
  { key: 'credits', eventType: 'credit', aggregation: 'sum', value: 'n', dimensions: [] },
];

type Spent = Parameters<UsageReads['read']>[0];

export interface Subscribing {
  readonly plan?: string;
  readonly end?: string;
  readonly inAdvance?: boolean;
  /** Calendar months when absent. */
  readonly interval?: Interval;
  readonly billing?: 'calendar' | 'anniversary';
}

/** One project with its catalog, its customers and the usage they are said to have. */
export class BillingWorld {
  readonly project: ProjectId;
  readonly parts: BillingParts;
  readonly client: DynamoDBClient;
  now = at('2026-12-01T01:00:00Z');
  /** Usage by customer and UTC day, or month, of the span's start. */
  readonly usage = new Map<string, readonly UsageSlice[]>();
  readonly lateDays = new Map<string, readonly string[]>();
  readonly disputedDays = new Map<string, readonly string[]>();
  /** Reads usage instead of looking at `usage`, for tests that count events. */
  readUsage: UsageReads['read'] | undefined;
  readonly started: BillingRun[] = [];

  constructor(parts: BillingParts, project: string, client: DynamoDBClient = parts.tables.client) {
    this.parts = parts;
    this.project = project as ProjectId;
    this.client = client;
  }

  /** The same world after a restart, or with another client. */
  with(client: DynamoDBClient): BillingWorld {
    const world = new BillingWorld(this.parts, this.project, client);
    world.now = this.now;
    for (const [key, slices] of this.usage) world.usage.set(key, slices);
    for (const [key, days] of this.lateDays) world.lateDays.set(key, days);
    return world;
  }

  get deps() {
    const { client } = this;
    const table = this.parts.tables.billing;
    const clock = { now: () => this.now };
    return {
      clock,
      reads: billingReads(client, table),
      ledger: billedLedger(client, table),
      looks: billedLedger(client, table),
      drafts: dynamoDrafts(client, table),
      desk: issuingDesk(client, table),
      runs: billingRuns(client, table),
      outbox: dynamoOutbox(client, table),
      uncollected: uncollectedInvoices(client, table),
      evidence: evidenceStore(this.parts.s3, BUCKET),
      manifests: manifestStore(this.parts.s3, BUCKET),
      usage: {
        read: this.readUsage ?? ((span: Spent) => this.#usageOf(span)),
        disputedDays: async (_project: ProjectId, customer: CustomerId) => this.disputedDays.get(customer) ?? [],
        lateDays: async (_project: ProjectId, customer: CustomerId) => this.lateDays.get(customer) ?? [],
      },
      starter: { start: async (run: BillingRun) => void this.started.push(run) },
      backoff: { wait: () => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * 40)) },
      nameFailure: (error: unknown) => {
        if (error instanceof CrashError) throw error;
        return toBillingError(error);
      },
      logger: new Logger({ logLevel: 'SILENT' }),
      metrics: new Metrics({ namespace: 'test', serviceName: 'test' }),
    };
  }

  async #usageOf({ customer, from, to }: Spent): Promise<UsageSnapshot> {
    const slices =
      this.usage.get(`${customer}/${from.slice(0, 10)}`) ?? this.usage.get(`${customer}/${from.slice(0, 7)}`) ?? [];
    const views = [{ key: `${from.slice(0, 10)}/`, version: 1, cursors: { '0.2026110100': 1 } }];
    return { customer, from, to, slices, views };
  }

  async catalog(charges: readonly Charge[] = [CALLS], meters: readonly Meter[] = METERS): Promise<void> {
    const { client } = this.parts.tables;
    const table = this.parts.tables.billing;
    await meterStore(client, table).write(this.project, {
      revision: 1,
      meters,
    });
    await this.plan('growth', charges);
  }

  async plan(plan: string, charges: readonly Charge[]): Promise<void> {
    const { client, billing } = this.parts.tables;
    const version = { plan, version: 1, name: plan, currency: 'USD', interval: 'month', charges } as const;
    await planStore(client, billing).create(this.project, version);
  }

  /** A customer and its subscription; `inAdvance` where the plan has fees in advance, as creating one over HTTP finds out. */
  async customer(id: string, start: string, more: Subscribing & { timeZone?: string } = {}): Promise<void> {
    const { client, billing } = this.parts.tables;
    const customer = { id: id as CustomerId, name: `Customer ${id}`, timeZone: more.timeZone ?? 'UTC' };
    await customerStore(client, billing).put(this.project, customer, 0);
    await this.subscribe(id, `sub-${id}`, start, more);
  }

  async subscribe(customer: string, id: string, start: string, more: Subscribing = {}): Promise<void> {
    const { client, billing } = this.parts.tables;
    const stored = await customerStore(client, billing).find(this.project, customer as CustomerId);
    if (stored === undefined) throw new Error('customer not stored');
    await subscriptionStore(client, billing).create(
      this.project,
      {
        id: id as SubscriptionId,
        customer: customer as CustomerId,
        phases: onePhase(start, more.plan),
        start: at(start),
        end: more.end === undefined ? null : at(more.end),
        interval: more.interval ?? 'month',
        billing: more.billing ?? 'calendar',
        billedThrough: at(start),
        ...(more.inAdvance && { advanceThrough: at(start) }),
      },
      stored,
    );
  }

  /** Gives a subscription its end, as the API would. */
  end(customer: string, end: string): Promise<void> {
    return this.change(customer, { end: at(end) });
  }

  async change(id: string, change: Partial<Subscription>): Promise<void> {
    const [stored] = await this.deps.reads.subscriptions(this.project, [`sub-${id}` as SubscriptionId]);
    if (stored === undefined) throw new Error(`no subscription of ${id}`);
    const { client, billing } = this.parts.tables;
    const { subscription, version } = stored;
    const customer = await customerStore(client, billing).find(this.project, subscription.customer);
    if (customer === undefined) throw new Error('customer not stored');
    const changed = { ...subscription, ...change };
    await subscriptionStore(client, billing).replace(this.project, changed, version, customer);
  }

  /** What the API changes subscriptions with. */
  get accounts(): RewriteDeps & CreateSubscriptionDeps & WriteContractDeps {
    const { client, billing } = this.parts.tables;
    return {
      customers: customerStore(client, billing),
      plans: planStore(client, billing),
      subscriptions: subscriptionStore(client, billing),
      contracts: contractStore(client, billing),
      meters: meterStore(client, billing),
      clock: { now: () => this.now },
    };
  }

  /** The issued invoices of a run, by customer and then number. */
  async issued(run: BillingRunId): Promise<readonly Invoice[]> {
    const invoices: Invoice[] = [];
    for await (const page of this.deps.runs.outcomes(this.project, run)) {
      for (const { invoice, number } of page) {
        const stored = number === undefined ? null : await this.deps.drafts.find(this.project, invoice);
        if (stored !== null) invoices.push(stored.invoice);
      }
    }
    return invoices.sort((a, b) => (`${a.customer} ${a.number}` < `${b.customer} ${b.number}` ? -1 : 1));
  }

  calls(customer: string, month: string, quantity: string, meter = 'calls'): void {
    const before = this.usage.get(`${customer}/${month}`) ?? [];
    const others = before.filter((slice) => slice.meter !== meter);
    this.usage.set(`${customer}/${month}`, [...others, { meter, dimensions: {}, quantity }]);
  }

  /** The states of the workflow in their order, as one process would go through them. */
  async run(asOf: string, through: string | null = null): Promise<BillingRun> {
    const { deps, project } = this;
    this.now = at(asOf);
    const run = await startBillingRun({ project, reason: 'request', asOf: at(asOf), through }, deps);
    await deps.runs.settled(project, run.id, { partitions: 1, foldedEvents: 0, parked: 0, queued: 0, deadLettered: 0 });
    await deps.runs.reconciled(project, run.id, { views: 1, disputedDays: 0, unprovableDays: 0 });
    const ids = { project_id: project, run_id: run.id, as_of: at(asOf) };
    const place = await writeManifest(deps)({ ...ids, through, reason: 'request' });
    const { Body } = { Body: this.parts.objects.read(BUCKET, place.key) };
    const items = JSON.parse(Buffer.from(Body).toString()) as unknown[];
    for (let first = 0; first < items.length; first += 25) {
      const batch = { ...ids, items: items.slice(first, first + 25) };
      await rateAccounts(deps)(batch);
      await issueInvoices(deps)(batch);
    }
    await finishRun(deps)({ ...ids, failed: false });
    return this.report(run.id);
  }

  async report(run: BillingRunId): Promise<BillingRun> {
    const known = await this.deps.runs.find(this.project, run);
    if (known === null) throw new Error(`no run ${run}`);
    return known;
  }

  async events(): Promise<readonly ProductEvent[]> {
    const waiting = await this.deps.outbox.waiting(this.project, null, 1_000);
    return waiting.map(({ event }) => event);
  }
}

/** 1,000 calls free, then a cent each. */
export const CALLS: Charge = {
  kind: 'usage',
  key: 'calls',
  name: 'API calls',
  meter: 'calls',
  allowance: '1000',
  price: { model: 'per_unit', unitPrice: '0.01' },
};
