import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ProductEvent } from '../../core/events/product-event.ts';
import { startBillingRun } from '../../core/invoicing/start-billing-run.ts';
import { handle as finishRun } from '../../lambdas/billing/finish-run.ts';
import { handle as issueInvoices } from '../../lambdas/billing/issue-invoices.ts';
import { handle as publishOutbox } from '../../lambdas/billing/publish-outbox.ts';
import { handle as rateAccounts } from '../../lambdas/billing/rate-accounts.ts';
import { handle as reconcileUsage } from '../../lambdas/billing/reconcile-usage.ts';
import { handle as settleUsage } from '../../lambdas/billing/settle-usage.ts';
import { handle as writeManifest } from '../../lambdas/billing/write-manifest.ts';
import type { Outcome } from '../../local/lambda/environment.ts';
import { LocalClock } from '../../local/parts/clock.ts';
import { StateMachines } from '../../local/stepfunctions/state-machines.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { at, type BillingParts, BillingWorld, startBillingParts } from '../support/billing-world.ts';

/**
 * The workflow's own definition, executed, with the real functions over DynamoDB Local and the local S3. Only Stripe is
 * absent: PushInvoices stands for a provider that takes everything.
 */
const FUNCTIONS = [
  'SettleUsage',
  'ReconcileUsage',
  'WriteManifest',
  'RateAccounts',
  'IssueInvoices',
  'PushInvoices',
  'PublishOutbox',
  'FinishRun',
] as const;
type FunctionName = (typeof FUNCTIONS)[number];

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:monthly-billing';
const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:';
const DEFINITION = JSON.parse(
  readFileSync(new URL('../../statemachines/monthly-billing.asl.json', import.meta.url), 'utf8').replace(
    /\$\{(\w+)\}/g,
    (_all, name: string) => (name === 'Partition' ? 'aws' : ARN + name.replace(/Arn$/, '')),
  ),
) as JsonObject;

let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

const opened: Workflow[] = [];
afterEach(async () => {
  for (const workflow of opened.splice(0)) await workflow.close();
});

/** Asked before and after each call of a function; what it throws is thrown instead of the function's answer. */
type Fault = (name: FunctionName, call: number, when: 'before' | 'after', event: JsonObject) => void;

class Workflow {
  readonly billing: BillingWorld;
  readonly published: ProductEvent[] = [];
  readonly calls: FunctionName[] = [];
  readonly folder: string;
  readonly clock = new LocalClock();
  fault: Fault = () => undefined;
  machines: StateMachines;
  #pace: NodeJS.Timeout;

  constructor(billing: BillingWorld) {
    this.billing = billing;
    this.folder = mkdtempSync(join(tmpdir(), 'workflow-'));
    this.machines = this.#load();
    // Retries pause on the clock: it runs a thousand times faster, and stays far from the execution's own day.
    this.#pace = setInterval(() => this.clock.advance(20_000), 20);
    opened.push(this);
  }

  async close(): Promise<void> {
    clearInterval(this.#pace);
    await this.machines.stop();
    this.clock.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #load(): StateMachines {
    return new StateMachines({
      machines: [
        { name: 'monthly-billing', arn: MACHINE, roleArn: 'arn:aws:iam::000000000000:role/m', definition: DEFINITION },
      ],
      clock: this.clock,
      folder: this.folder,
      portsOf: () => ({
        clock: this.clock,
        invoke: (arn, payload) => this.#invoke(arn.slice(ARN.length) as FunctionName, payload),
        refusal: async () => undefined,
        readObject: async (bucket, key) => parts.objects.read(bucket, key).toString(),
      }),
    });
  }

  async #invoke(name: FunctionName, payload: string): Promise<Outcome> {
    const event = JSON.parse(payload) as JsonObject;
    this.calls.push(name);
    const call = this.calls.filter((other) => other === name).length;
    try {
      this.fault(name, call, 'before', event);
      const answer = await this.#function(name)(event);
      this.fault(name, call, 'after', event);
      return { kind: 'ok', payload: JSON.stringify(answer ?? null), cpuMicros: 0 };
    } catch (error) {
      const { name: errorType, message: errorMessage } = error as Error;
      return { kind: 'error', error: { errorType, errorMessage, trace: [] }, cpuMicros: 0 };
    }
  }

  #function(name: FunctionName): (event: JsonObject) => Promise<unknown> {
    const { deps, project, now } = this.billing;
    const bus = {
      publish: async (events: readonly ProductEvent[]) => {
        this.published.push(...events);
        return events.map(() => true);
      },
    };
    const settle = async () => ({ done: true, cursor: null, partitions: 2, foldedEvents: 7 });
    const functions: Record<FunctionName, (event: JsonObject) => Promise<unknown>> = {
      SettleUsage: settleUsage({
        ...deps,
        settle,
        parked: async () => 0,
        queues: async () => ({ queued: 0, deadLettered: 0 }),
      }),
      ReconcileUsage: reconcileUsage({
        ...deps,
        reconcile: async () => ({ views: 9, findings: [], unprovable: 0, cursor: null }),
        metrics: { addMetric: () => {}, publishStoredMetrics: () => {} } as never,
        logger: {} as never,
      }),
      WriteManifest: writeManifest(deps),
      RateAccounts: rateAccounts(deps),
      IssueInvoices: issueInvoices(deps),
      PushInvoices: async (event) => {
        for (const { invoice_ids } of event.items as unknown as { invoice_ids: never[] }[]) {
          for (const invoice of invoice_ids) await deps.uncollected.settled(project, invoice, now);
        }
        return {};
      },
      PublishOutbox: publishOutbox({ ...deps, bus, projects: { list: async () => [] } }) as never,
      FinishRun: finishRun(deps),
    };
    return functions[name];
  }

  /** Starts a run as of `asOf` and the execution under its id. */
  async start(asOf: string): Promise<{ arn: string; run: Awaited<ReturnType<typeof startBillingRun>> }> {
    const { billing } = this;
    billing.now = at(asOf);
    const run = await startBillingRun({ project: billing.project, reason: 'request' }, billing.deps);
    const input = {
      project_id: run.project,
      run_id: run.id,
      as_of: run.asOf,
      through: run.through,
      reason: run.reason,
    };
    return { arn: this.machines.start(MACHINE, run.id, JSON.stringify(input)).executionArn, run };
  }

  async run(asOf: string) {
    const { arn, run } = await this.start(asOf);
    const execution = await this.machines.untilEnded(arn);
    return { execution, run: await this.billing.report(run.id) };
  }

  /** The stack dies and comes back. */
  async restart(): Promise<void> {
    await this.machines.stop();
    this.fault = () => undefined;
    this.machines = this.#load();
    this.machines.resume();
  }
}

let projects = 0;
async function workflow(customers = 3): Promise<Workflow> {
  projects += 1;
  const billing = new BillingWorld(parts, `prj_machine${projects}`);
  await billing.catalog();
  for (let n = 0; n < customers; n += 1) {
    await billing.customer(`c${n}`, '2026-11-01T00:00:00Z');
    billing.calls(`c${n}`, '2026-11', '1100');
  }
  return new Workflow(billing);
}

const fatal = (name = 'Fatal.Invalid') => {
  throw Object.assign(new Error('asked for by the test'), { name });
};

/** What three customers with 100 calls at a cent each come to. */
const BILLED = [{ currency: 'USD', totalMinor: '300', invoices: 3 }];

describe('the monthly workflow', () => {
  test('goes from settled usage to published events and a finished report', async () => {
    const flow = await workflow();
    const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
    expect(execution.status).toBe('SUCCEEDED');
    expect(run).toMatchObject({
      status: 'finished',
      settled: { partitions: 2 },
      reconciled: { views: 9 },
      report: { totals: BILLED },
    });
    expect(flow.calls).toEqual([
      'SettleUsage',
      'ReconcileUsage',
      'WriteManifest',
      'RateAccounts',
      'IssueInvoices',
      'PushInvoices',
      'PublishOutbox',
      'FinishRun',
      'PublishOutbox',
    ]);
    expect(flow.published.map(({ type }) => type)).toEqual([
      'InvoiceIssued',
      'InvoiceIssued',
      'InvoiceIssued',
      'BillingRunFinished',
    ]);
    expect(await flow.billing.events()).toEqual([]);
  });

  test('cuts 60 accounts into batches of 25, 25 and 10, and bills each once', async () => {
    const flow = await workflow(60);
    const { run } = await flow.run('2026-12-01T01:00:00Z');
    expect(flow.calls.filter((name) => name === 'RateAccounts').length).toBe(3);
    // 60 x 1.00
    expect(run.report?.totals).toEqual([{ currency: 'USD', totalMinor: '6000', invoices: 60 }]);
    expect(await flow.billing.deps.desk.count(flow.billing.project)).toBe(60);
  });

  test('with nothing due goes straight to the report', async () => {
    const flow = await workflow();
    const { execution, run } = await flow.run('2026-11-20T01:00:00Z');
    expect(execution.status).toBe('SUCCEEDED');
    expect(run.report).toMatchObject({ accounts: 0, totals: [] });
    expect(flow.calls).not.toContain('RateAccounts');
  });

  test('outlives the passing troubles of Lambda', async () => {
    const flow = await workflow();
    flow.fault = (_name, call, when) => {
      if (call === 1 && when === 'before') fatal('Lambda.ServiceException');
      if (call === 2 && when === 'after') fatal('Lambda.Unknown');
    };
    const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
    expect(execution.status).toBe('SUCCEEDED');
    expect(run.report).toMatchObject({ totals: BILLED, steps: { failed: 0 } });
    expect(await flow.billing.deps.desk.count(flow.billing.project)).toBe(3);
  });

  test.each(['Runtime.ExitError', 'Runtime.OutOfMemory'])(
    'outlives a function whose process ends in the middle of each state (%s)',
    async (error) => {
      const flow = await workflow();
      flow.fault = (_name, call, when) => {
        if ((call === 1 && when === 'after') || (call === 2 && when === 'before')) fatal(error);
      };
      const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
      expect(execution.status).toBe('SUCCEEDED');
      expect(run).toMatchObject({ status: 'finished', report: { totals: BILLED, steps: { failed: 0 } } });
      expect(await flow.billing.deps.desk.count(flow.billing.project)).toBe(3);
    },
  );
});

describe('each Catch of the workflow', () => {
  test.each(['SettleUsage', 'WriteManifest'] as const)(
    '%s: the run is marked as failed, with the reason',
    async (name) => {
      const flow = await workflow();
      flow.fault = (called) => {
        if (called === name) fatal();
      };
      const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
      expect(execution).toMatchObject({ status: 'FAILED', error: 'BillingRunFailed' });
      expect(run).toMatchObject({ status: 'failed', report: { error: 'Fatal.Invalid: asked for by the test' } });
      expect(await flow.billing.deps.desk.count(flow.billing.project)).toBe(0);
      expect((await flow.billing.events()).map(({ type }) => type)).toEqual(['BillingRunFinished']);
    },
  );

  test('BillAccounts: a manifest that cannot be read marks the run as failed', async () => {
    const flow = await workflow();
    flow.fault = (called, _call, when) => {
      if (called !== 'WriteManifest' || when === 'before') return;
      for (const { key } of parts.objects.list('archive', `manifests/${flow.billing.project}/`)) {
        parts.objects.delete('archive', key);
      }
    };
    const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
    expect(execution).toMatchObject({ status: 'FAILED', error: 'BillingRunFailed' });
    expect(run).toMatchObject({ status: 'failed', report: { invoicesPlanned: 3, notProcessed: 3 } });
    expect(run.report?.error).toContain('States.ItemReaderFailed');
  });

  test('FinishRun: a report that cannot be written the usual way is marked as failed', async () => {
    const flow = await workflow();
    flow.fault = (called, _call, _when, event) => {
      if (called === 'FinishRun' && event.failed === false) fatal();
    };
    const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
    expect(execution).toMatchObject({ status: 'FAILED', error: 'BillingRunFailed' });
    // what was billed stays billed
    expect(run).toMatchObject({ status: 'failed', report: { totals: BILLED } });
  });

  test('MarkRunFailed: the execution fails all the same', async () => {
    const flow = await workflow();
    flow.fault = (called) => {
      if (called === 'SettleUsage' || called === 'FinishRun') fatal();
    };
    const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
    expect(execution).toMatchObject({ status: 'FAILED', error: 'BillingRunFailed' });
    expect(run.status).toBe('running');
  });

  test('PublishEvents and PublishReport: the run finishes and the events wait in the outbox', async () => {
    const flow = await workflow();
    flow.fault = (called) => {
      if (called === 'PublishOutbox') fatal();
    };
    const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
    expect(execution.status).toBe('SUCCEEDED');
    expect(run.report?.totals).toEqual(BILLED);
    expect((await flow.billing.events()).length).toBe(4);
  });

  test.each([
    ['RateAccounts', { notProcessed: 3, steps: { issued: 0 } }],
    ['IssueInvoices', { notProcessed: 0, steps: { rated: 3, issued: 0 } }],
    ['PushInvoices', { notProcessed: 0, steps: { issued: 3 } }],
  ] as const)('%s: a batch that fails as a whole is in the report, and the next run bills it', async (name, report) => {
    const flow = await workflow();
    flow.fault = (called) => {
      if (called === name) fatal();
    };
    const { execution, run } = await flow.run('2026-12-01T01:00:00Z');
    expect(execution.status).toBe('SUCCEEDED');
    expect(run).toMatchObject({ status: 'finished', report });
    expect(run.report?.warnings.length).toBeGreaterThan(0);
    flow.fault = () => undefined;
    await flow.run('2026-12-02T01:00:00Z');
    expect(await flow.billing.deps.desk.count(flow.billing.project)).toBe(3);
    expect(await flow.billing.deps.uncollected.list(flow.billing.project)).toEqual([]);
  });
});

describe('a stack that dies in any state', () => {
  const cases = FUNCTIONS.flatMap((name) => [[name, 'before'] as const, [name, 'after'] as const]);
  test.each(cases)('%s, %s its work: the execution runs again and bills everything once', async (name, moment) => {
    const flow = await workflow();
    const died = new Promise<void>((resolve) => {
      flow.fault = (called, _call, when) => {
        if (called !== name || when !== moment) return;
        resolve();
        fatal('Killed');
      };
    });
    const { arn, run } = await flow.start('2026-12-01T01:00:00Z');
    await died;
    await flow.restart();
    expect(await flow.machines.untilEnded(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await flow.billing.report(run.id)).toMatchObject({ status: 'finished', report: { totals: BILLED } });
    expect(await flow.billing.deps.desk.count(flow.billing.project)).toBe(3);
    const ids = flow.published.filter(({ type }) => type === 'InvoiceIssued').map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(await flow.billing.events()).toEqual([]);
  });
});
