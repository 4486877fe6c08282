/** What each role may do is what it does: all of it is used, and nothing can be left out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProjectId } from '../../core/ids.ts';
import { encodeUsageBatches } from '../../core/usage/usage-batch.ts';
import { accessKeyOf, principalsOf } from '../../local/template/principals.ts';
import { PROJECT, Scenario } from '../support/scenario.ts';
import { eventually, NotYet, uuid7 } from '../support/scenario-api.ts';
import { stripeOf, subscribe } from '../support/scenario-customers.ts';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ now: '2027-02-10T12:00:00Z' });
});
afterAll(() => scenario?.stop());

let ids = 0;
const call = (more: object = {}) => {
  const now = new Date(scenario.stack.clock.now()).toISOString();
  return { id: uuid7(now, ++ids), type: 'call', customer: 'acme', time: now, properties: { region: 'eu' }, ...more };
};
const MONTHS = { from: '2027-02-01T00:00:00Z', to: '2027-05-01T00:00:00Z' };
const ok = async (method: string, path: string, body?: unknown) => {
  const answer = await scenario.call(method, path, body);
  if (answer.status >= 300)
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};

const PRO = {
  name: 'Pro',
  currency: 'USD',
  interval: 'month',
  charges: [
    { kind: 'fixed', key: 'fee', name: 'Fee', amount: '10' },
    { kind: 'usage', key: 'calls', name: 'Calls', meter: 'calls', price: { model: 'per_unit', unit_price: '2' } },
  ],
  entitlements: [{ kind: 'metered', feature: 'calls', meter: 'calls', limit: '1000' }],
};
const CHECK = { customer: 'acme', feature: 'calls' };

/** Everything the product does, once. */
async function tour(): Promise<void> {
  const { client, stack } = scenario;
  await client.post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: ['region'] });
  await client.post('/v1/plans', { plan: 'pro', ...PRO });
  await subscribe(scenario, { id: 'acme', plan: 'pro', start: '2027-02-01T00:00:00Z' });
  await client.post('/v1/plans', { plan: 'pro', ...PRO, name: 'Pro, renamed' });
  await subscribe(scenario, { id: 'late', plan: 'pro', start: '2027-02-01T00:00:00Z', card: 'pm_card_chargeDeclined' });
  await client.post('/v1/customers', { id: 'plain', name: 'Plain', time_zone: 'UTC', currency: 'USD' });
  await client.post('/v1/subscriptions', { customer: 'plain', plan: 'pro', start: '2027-02-01T00:00:00Z' });
  await ok('POST', '/v1/entitlements/check', CHECK);
  await client.post('/v1/backfills', { name: 'old', from: '2026-01-01T00:00:00Z' });
  await scenario.send([
    call(),
    call({ id: 'foreign' }),
    call({ customer: 'plain' }),
    call({ source: 'backfill:old', id: 'o', time: '2026-03-01T00:00:00Z' }),
  ]);
  await client.post('/v1/backfills/old/close', {});
  // A new partition is folded as soon as the stream tells; the clock stands still, so that no sweep comes first.
  await scenario.appended();
  await eventually('two calls', async () => {
    const [row] = await scenario.usage({ customer: 'acme', ...MONTHS });
    return row?.quantity === '2' || new NotYet(row);
  });
  // A later chunk is not due by itself, unless the clock is moved before its stream record was read: then the hint folds it
  // and the sweep finds nothing. So chunks are sent until the sweep was once the one that folded.
  for (let tries = 1; unusedOf('UsageFoldSweepUsageRole').length > 0; tries++) {
    if (tries > 20) throw new Error(`The sweep never folded: ${unusedOf('UsageFoldSweepUsageRole')}`);
    await scenario.send([call()]);
    await scenario.appended();
    await new Promise((resolve) => setTimeout(resolve, tries * 500));
    await scenario.usageBecomes({ customer: 'acme', ...MONTHS }, { calls: String(2 + tries) });
  }
  const dead = stack.app.queues.find(({ name }) => /Usage.*DeadLetters/i.test(name) && !/Fold|Publish/i.test(name));
  await stack.parts.sqs.send(new SendMessageCommand({ QueueUrl: dead?.url, MessageBody: 'a dead letter' }));
  await replayDeadLetter(dead?.url ?? '');
  await voidSome();
  const rebuild = { from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };
  await finished((await ok('POST', '/v1/meters/calls/rebuild', rebuild)).id);
  await ok('GET', '/v1/audit/usage?hour=2027-02-10T12');
  const { key, id } = await ok('POST', '/v1/keys', { name: 'k', scopes: ['read'] });
  expect(key).toBeDefined();
  await ok('POST', `/v1/keys/${id}/rotate`, { overlap_hours: 0 });
  await ok('POST', `/v1/keys/${id}/revoke`);
  // An answer that is an error is not kept under its Idempotency-Key.
  expect((await client.send('POST', '/v1/subscriptions', { id: 'sub_2', customer: 'acme', plan: 'pro' })).status).toBe(
    409,
  );
  await ok('POST', '/v1/invoices/preview', { customer: 'acme', period: '2027-02' });
  await ok('POST', '/v1/subscriptions/sub_late/end', { at: '2027-03-15T00:00:00Z' });
  for (const list of [
    'keys',
    'meters',
    'plans',
    'customers',
    'subscriptions',
    'backfills',
    'billing-runs',
    'invoices',
    'customers?unassigned=true',
  ])
    await scenario.call('GET', `/v1/${list}`);
  for (const one of ['meters/calls', 'plans/pro', 'customers/acme', 'subscriptions/sub_acme'])
    await ok('GET', `/v1/${one}`);
  // The sample is of the day before yesterday.
  scenario.at('2027-02-12T00:30:01Z');
  await eventually('the sample', async () => {
    const unused = unusedOf('UsageReconciliationReconc-4be029447a');
    return unused.length === 0 || new NotYet(unused);
  });
  // A month by its daily trigger, then late usage and the next month by request.
  scenario.at('2027-03-01T01:00:01Z');
  await eventually('paid invoices', async () => {
    const invoices = await scenario.invoices();
    const paid = invoices.filter(({ status }) => status === 'paid').map(({ customer }) => customer);
    return paid.includes('acme') && invoices.some(({ payment }) => payment?.failed_attempts === 1)
      ? true
      : new NotYet(invoices.map(({ customer, status }) => [customer, status]));
  });
  // Paid without us: the webhook alone tells.
  const late = (await scenario.invoices()).find(({ customer }) => customer === 'late');
  const open = scenario.stripe.invoices().find(({ id }) => id === late?.payment?.provider_invoice);
  const stripe = stripeOf(scenario);
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: String(open?.customer) });
  await stripe.invoices.pay(open?.id ?? '', { payment_method: method.id });
  await eventually(
    'the paid invoice',
    async () =>
      (await scenario.invoices()).some(({ customer, status }) => customer === 'late' && status === 'paid') ||
      new NotYet('not paid'),
  );
  const verified = await ok('POST', `/v1/invoices/${(await scenario.invoices())[0]?.id}/verify`);
  expect(verified).toMatchObject({ agrees: true });
  // Settling folds these, and the quota that is asked for follows.
  await ok('POST', '/v1/entitlements/check', CHECK);
  await ok('POST', '/v1/entitlements/consume', { ...CHECK, quantity: '1', id: 'consumed-1' });
  await scenario.send([call({ time: '2027-02-20T00:00:00Z' }), call()]);
  await scenario.appended();
  scenario.at('2027-04-01T06:00:00Z');
  await scenario.bill();
  await client.post('/v1/billing-runs', {});
}

/** A readable dead letter is parked in its project; its event is of a customer whom no bill of this story knows. */
async function replayDeadLetter(QueueUrl: string): Promise<void> {
  const { properties: _, time, ...event } = call({ customer: 'parked' });
  const at = Date.parse(time);
  const placed = {
    ...event,
    index: 0,
    source: '',
    occurredAtMicros: at * 1000,
    properties: {},
    partition: `0.${time.slice(0, 13).replaceAll(/[-T]/g, '')}`,
  };
  const batch = {
    project: PROJECT as ProjectId,
    batchId: 'b-dead',
    rejected: 0,
    meterRevision: 1,
    receivedAtMillis: at,
  };
  const [MessageBody] = encodeUsageBatches({ ...batch, events: [placed] });
  await scenario.stack.parts.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const path = '/v1/parked/undeliverable:b-dead';
  await eventually('the parked message', async () => {
    const { status } = await scenario.call('GET', path);
    return status === 200 || new NotYet(status);
  });
  await ok('GET', '/v1/parked');
  await ok('POST', `${path}/replay`);
  await scenario.appended();
}

/** Events of a customer whom no bill of this story knows, voided by id and by a filter. */
async function voidSome(): Promise<void> {
  const [one, other] = [call({ customer: 'void' }), call({ customer: 'void', id: 'foreign-void' })];
  await scenario.send([one, other]);
  await scenario.appended();
  await ok('POST', '/v1/events/void', { id: 'foreign-void', customer: 'void' });
  const filter = { customer: 'void', from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };
  const { id } = await ok('POST', '/v1/events/void', { filter, dry_run: false });
  await finished(id);
  await scenario.appended();
  await ok('GET', '/v1/jobs');
  await ok('GET', '/v1/events/conflicts?from=2027-02-01T00:00:00Z&to=2027-03-01T00:00:00Z');
}

async function finished(job: string): Promise<void> {
  await eventually(`the job ${job}`, async () => {
    const seen = await ok('GET', `/v1/jobs/${job}`);
    return seen.status === 'finished' || new NotYet(seen);
  });
}

/** Grants that nothing used yet, each as `Role: action resources`, sorted. */
function unusedGrants(): string[] {
  return (
    scenario.stack.gateway
      .unusedGrants()
      // Lambda writes a function's lines in its name; the local stack writes them to files itself.
      .filter(({ action }) => !action.startsWith('logs:'))
      .map(
        ({ principal, action, resources }) => `${roleOf(principal)}: ${action} ${resources.map(shortened).join(' ')}`,
      )
      .toSorted()
  );
}

function unusedOf(role: string): string[] {
  const isListed = (grant: string) => UNUSED.some(([listed]) => listed === grant);
  return unusedGrants().filter((grant) => grant.startsWith(`${role}: `) && !isListed(grant));
}

test('every granted action is used, or listed here with its reason', { timeout: 240_000 }, async () => {
  await tour();
  await eventually(
    'the grants that nothing used',
    async () => {
      const unused = unusedGrants();
      return JSON.stringify(unused) === JSON.stringify(UNUSED.map(([grant]) => grant).toSorted()) || new NotYet(unused);
    },
    30_000,
  );
});

/** Granted for what this tour does not bring about, and why it is granted all the same. */
const FAILURES = 'where the platform puts what it could not deliver; nothing failed here';
const MANAGED = 'AWS asks for it where a machine starts its own Distributed Map, to watch and to stop the children';
const ARCHIVED = 'nothing is old enough to be archived in this tour; 16-archive does it';
const RIGHT =
  'what is done about a view that is wrong; here all are right, 13-voids and test/core/usage/rebuild-day make wrong ones';
const CRASHED = 'what was consumed by a caller that died before it sent the event; nobody dies here';
const UNUSED: readonly [grant: string, reason: string][] = [
  ['BillingScheduleDailyRole: sqs:SendMessage service-BillingScheduleDeadLettersQueue', FAILURES],
  ['OutboxLeftoversRole: sqs:SendMessage service-OutboxPublishOutboxDeadLettersQueue', FAILURES],
  ['OutboxPublishOutboxRole: sqs:SendMessage service-OutboxPublishOutboxDeadLettersQueue', FAILURES],
  ['UsageFoldDailySweepRole: sqs:SendMessage service-UsageFoldFoldUsageDeadLettersQueue', FAILURES],
  ['UsageFoldFoldUsageRole: sqs:SendMessage service-UsageFoldFoldUsageDeadLettersQueue', FAILURES],
  ['UsageFoldRecentSweepRole: sqs:SendMessage service-UsageFoldFoldUsageDeadLettersQueue', FAILURES],
  ['UsageFoldSweepUsageRole: dynamodb:DeleteItem table/data-UsageViews', CRASHED],
  ['UsageFoldSweepUsageRole: sqs:SendMessage service-UsageIngestUsageQueue', CRASHED],
  ['UsagePublishPublishUsageRole: sqs:SendMessage service-UsagePublishPublishUsageDeadLettersQueue', FAILURES],
  ['BillingWorkflowRole: states:DescribeExecution execution:service-BillingWorkflowMachine:*', MANAGED],
  ['BillingWorkflowRole: states:StopExecution execution:service-BillingWorkflowMachine:*', MANAGED],
  ['UsageReconciliationDailyRole: sqs:SendMessage service-UsageReconciliationDeadLettersQueue', FAILURES],
  ['BillingStepsReconcileUsageRole: dynamodb:PutItem table/data-UsageViews', RIGHT],
  ['UsageReconciliationReconc-4be029447a: dynamodb:PutItem table/data-UsageViews', RIGHT],
  ['UsageJobsRunUsageJobRole: dynamodb:PutItem table/data-UsageViews', RIGHT],
  [
    'UsageJobsRunUsageJobRole: dynamodb:Query table/data-Billing',
    'whether a meter that counts its past is billed; its job waits half an hour in all, test/core/usage/backfill-meter does it',
  ],
  ['UsageArchiveDailyRole: sqs:SendMessage service-UsageArchiveDeadLettersQueue', FAILURES],
  ['UsageArchiveArchiveUsageRole: dynamodb:Query table/data-UsageViews', ARCHIVED],
  ['UsageArchiveArchiveUsageRole: dynamodb:UpdateItem table/data-UsageViews', ARCHIVED],
  ['UsageArchiveArchiveUsageRole: s3:PutObject data-archiveda4cb258/usage-log/*', ARCHIVED],
  [
    'UsageArchiveArchiveUsageRole: s3:GetObject data-archiveda4cb258/usage-log/*',
    'only where an object is there already, to compare its checksum; test/core/usage/archive-usage does it',
  ],
  [
    'BillingStepsWriteManifestRole: s3:GetObject data-archiveda4cb258/manifests/*',
    'a run that is repeated reads the manifest it wrote first; 06-kills does it',
  ],
];

/** `AppendUsage` of `countinghouse-dev-service-UsageAppendAppendUsageRole1A2B3C4D`. */
function roleOf(principal: string): string {
  return principal.replace(/^countinghouse-dev-service-/, '').replace(/[0-9A-F]{8}$/, '');
}

function shortened(arn: string): string {
  return arn
    .split(':')
    .slice(5)
    .join(':')
    .replaceAll('countinghouse-dev-', '')
    .replaceAll(/[0-9A-F]{8}/g, '');
}

describe('a role that lacks one action', () => {
  /** Takes an action away from a function's role for the length of `work`. */
  async function without(functionName: string, action: string, work: () => Promise<void>): Promise<void> {
    const { stack } = scenario;
    const { roleArn } = stack.lambda.find(functionName);
    const accessKey = accessKeyOf(roleArn);
    const whole = principalsOf(stack.app).get(accessKey);
    if (whole === undefined) throw new Error(`no principal of ${functionName}`);
    const reduced = JSON.parse(JSON.stringify(whole.identityPolicies), (_key, value) =>
      Array.isArray(value) ? value.filter((entry) => entry !== action) : value === action ? 'none:Nothing' : value,
    );
    expect(JSON.stringify(reduced)).not.toBe(JSON.stringify(whole.identityPolicies));
    stack.gateway.addPrincipal(accessKey, { ...whole, identityPolicies: reduced });
    try {
      await work();
      const refusal = new RegExp(`AccessDenied.*not authorized to perform: ${action}`, 'i');
      await eventually(
        `the refusal of ${action}`,
        async () => {
          const log = logOf(functionName);
          return refusal.test(log) || new NotYet(log.slice(-500));
        },
        5_000,
      );
    } finally {
      stack.gateway.addPrincipal(accessKey, whole);
    }
  }

  const logOf = (functionName: string) =>
    readFileSync(join(scenario.folder, 'logs', `${scenario.stack.lambda.find(functionName).name}.log`), 'utf8');

  test('post-events without sqs:SendMessage accepts nothing', () =>
    without('post-events', 'sqs:SendMessage', async () => {
      expect((await scenario.call('POST', '/v1/events', call())).status).toBeGreaterThanOrEqual(500);
    }));

  test('api without dynamodb:Query lists nothing', () =>
    without('api', 'dynamodb:Query', async () => {
      expect((await scenario.call('GET', '/v1/invoices')).status).toBe(500);
    }));

  test('issue-invoices without dynamodb:UpdateItem issues nothing, and the report says why', () =>
    without('issue-invoices', 'dynamodb:UpdateItem', async () => {
      const before = (await scenario.invoices()).filter(({ number }) => number !== null).length;
      scenario.at('2027-05-01T06:00:00Z');
      const { report } = await scenario.bill('2027-04');
      expect(report.steps.issued + report.steps.pushed).toBe(0);
      expect((await scenario.invoices()).filter(({ number }) => number !== null)).toHaveLength(before);
    }));

  test('and with the action back, the next run bills what was left', async () => {
    const { report } = await scenario.bill('2027-04');
    expect(report.failures).toEqual([]);
    expect(
      (await scenario.invoices()).filter(({ period, number }) => period.key === '2027-04' && number === null),
    ).toEqual([]);
  });
});
