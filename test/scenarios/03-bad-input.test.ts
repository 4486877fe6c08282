/** What is refused at the door: each mistake its own status, code and sentence, and never at the cost of what is right. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newApiKey } from '../../core/accounts/api-key.ts';
import type { ProjectId } from '../../core/ids.ts';
import { PROJECT, Scenario } from '../support/scenario.ts';
import { rawCall, uuid7 } from '../support/scenario-api.ts';
import { newKey } from '../support/scenario-cli.ts';
import { subscribe } from '../support/scenario-customers.ts';

const NOW = '2027-02-10T12:00:00Z';
let scenario: Scenario;
let other: string;
beforeAll(async () => {
  scenario = await Scenario.start({ now: NOW });
  await scenario.client.post('/v1/meters', {
    key: 'tokens',
    event_type: 'completion',
    aggregation: 'sum',
    value: 'tokens',
    dimensions: [],
  });
  await scenario.client.post('/v1/plans', {
    plan: 'pro',
    name: 'Pro',
    currency: 'USD',
    interval: 'month',
    charges: [{ kind: 'fixed', key: 'fee', name: 'Fee', amount: '10' }],
  });
  await subscribe(scenario, { id: 'acme', plan: 'pro', start: '2027-01-01T00:00:00Z' });
  other = await newKey(scenario.outputs, 'prj_other');
});
afterAll(() => scenario?.stop());

let ids = 0;
const good = (more: object = {}) => ({
  id: uuid7(NOW, ++ids),
  type: 'completion',
  customer: 'acme',
  time: NOW,
  properties: { tokens: '1' },
  ...more,
});
const post = (body: unknown, headers: Record<string, string> = {}, key: string | null = scenario.key) =>
  rawCall(`${scenario.stack.apiUrl}/v1/events`, { method: 'POST', body, key, headers });

/** What is wrong, the event, and the answer's status, code and sentence. */
const EVENTS: readonly [string, () => unknown, number, string, RegExp][] = [
  [
    'an unknown type',
    () => good({ type: 'nothing' }),
    422,
    'event_type_unknown',
    /^Event 0: type is "nothing"; expected an event type that at least one meter .* Create a meter/,
  ],
  [
    'no id',
    () => good({ id: undefined }),
    422,
    'id_missing',
    /^Event 0: id is nothing; expected a text of 1 to 255 characters\. Give every event an id/,
  ],
  [
    'no customer',
    () => good({ customer: '' }),
    422,
    'customer_missing',
    /^Event 0: customer is ""; expected a text .* Name the customer/,
  ],
  ['no type', () => good({ type: null }), 422, 'type_missing', /^Event 0: type is null; expected a text/],
  [
    'a time that is none',
    () => good({ time: '10.02.2027' }),
    422,
    'time_invalid',
    /^Event 0: time is "10\.02\.2027"; expected/,
  ],
  [
    'no value',
    () => good({ properties: {} }),
    422,
    'value_missing',
    /^Event 0: properties\.tokens is nothing; expected a number for meter tokens/,
  ],
  [
    'a value that is no number',
    () => good({ properties: { tokens: 'many' } }),
    422,
    'value_not_a_number',
    /^Event 0: properties\.tokens is "many"; expected a number/,
  ],
  [
    'a time ahead of now',
    () => good({ time: '2027-02-10T12:06:00Z' }),
    422,
    'time_in_future',
    /^Event 0: time is "2027-02-10T12:06:00Z"; expected/,
  ],
  [
    'an event too old',
    () => good({ time: '2027-01-05T00:00:00Z' }),
    422,
    'event_too_old',
    /^Event 0: time is "2027-01-05T00:00:00Z"; expected .* backfill/,
  ],
  [
    'an id too old',
    () => good({ id: uuid7('2027-01-05T00:00:00Z', 1) }),
    422,
    'id_too_old',
    /^Event 0: id is "[0-9a-f-]{36}"; expected an id born within the last 35 days\. .*backfill/,
  ],
  [
    'an id ahead of now',
    () => good({ id: uuid7('2027-02-10T13:00:00Z', 1) }),
    422,
    'id_in_future',
    /^Event 0: id is .*; expected an id whose time is at most 5 minutes ahead/,
  ],
  ['an id of another type', () => good({ id: 7 }), 422, 'id_invalid', /^Event 0: id is 7; expected a text/],
  [
    'a customer of another type',
    () => good({ customer: ['acme'] }),
    422,
    'customer_invalid',
    /^Event 0: customer is \["acme"\]; expected a text/,
  ],
  [
    'properties of another type',
    () => good({ properties: 'tokens' }),
    400,
    'properties_invalid',
    /^Event 0: properties is "tokens"; expected an object/,
  ],
  [
    'a nested property',
    () => good({ properties: { tokens: { n: 1 } } }),
    422,
    'property_invalid',
    /^Event 0: properties\.tokens is \{"n":1\}; expected/,
  ],
  [
    'a field that does not exist',
    () => good({ amount: 3 }),
    400,
    'field_unknown',
    /^Event 0: amount is 3; expected only id, type, customer, source, time and properties/,
  ],
  ['no object', () => [7], 400, 'event_not_an_object', /^Event 0: event is 7; expected a JSON object/],
  [
    'a backfill that is not open',
    () => good({ source: 'backfill:none' }),
    422,
    'backfill_not_open',
    /^Event 0: source is "backfill:none"; expected the source of a backfill that is open/,
  ],
  ['an empty list', () => [], 400, 'events_missing', /^Got an empty list; expected 1 to 1,000 events\.$/],
  [
    '1,001 events',
    () => Array.from({ length: 1001 }, () => good()),
    400,
    'too_many_events',
    /^Got 1001 events; expected at most 1000 in one request/,
  ],
  ['bad JSON', () => '{"id": ', 400, 'invalid_json', /JSON/],
  [
    'a body over 1 MiB',
    () => `"${'x'.repeat(1_048_576)}"`,
    413,
    'body_too_large',
    /^The body is larger than 1048576 bytes/,
  ],
];

describe('a request of one mistake', () => {
  test.each(EVENTS)(
    'with %s is refused with a code and a sentence of its own',
    async (...[, body, status, code, sentence]) => {
      const answer = await post(body());
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
      expect(answer.body.detail).toMatch(sentence);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    },
  );

  test('that is a gzip bomb costs no more than a full body', async () => {
    // 100 MiB of zeros in about 100 KB
    const bomb = gzipSync(Buffer.alloc(100 * 1_048_576, 0x20));
    const before = performance.now();
    const answer = await post(bomb, { 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  test('in a compressed body that is none, or of an unknown coding, says so', async () => {
    expect(await post('no gzip', { 'content-encoding': 'gzip' })).toMatchObject({
      status: 400,
      body: { code: 'body_unreadable' },
    });
    expect(await post('{}', { 'content-encoding': 'zip' })).toMatchObject({
      status: 415,
      body: { code: 'content_encoding_unknown' },
    });
  });
});

test('a batch with bad events keeps the good ones and names the bad by index', async () => {
  const before = await used();
  const answer = await post(
    gzipSync(JSON.stringify([good(), good({ type: 'nothing' }), good(), good({ id: '' }), good()])),
    {
      'content-encoding': 'gzip',
    },
  );
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({
    accepted: 3,
    rejected: [
      { index: 1, code: 'event_type_unknown' },
      { index: 3, code: 'id_missing' },
    ],
  });
  expect(before).toBe('0');
  await scenario.usageBecomes(DAY, { tokens: '3' });
});

test('an event without a time is accepted with the time of its id, and says so', async () => {
  const { status, body } = await post(good({ time: undefined, customer: 'timeless' }));
  expect({ status, body }).toMatchObject({
    status: 202,
    body: { accepted: 1, warnings: [{ index: 0, code: 'time_derived' }] },
  });
  await scenario.usageBecomes({ ...DAY, customer: 'timeless' }, { tokens: '1' });
});

const DAY = { customer: 'acme', from: '2027-02-10T00:00:00Z', to: '2027-02-11T00:00:00Z' };
const used = async () => (await scenario.usage(DAY))[0]?.quantity ?? '0';

describe('a credential', () => {
  const expectRefused = async (key: string | null, code: string, sentence: RegExp) => {
    for (const answer of [await post(good(), {}, key), await scenario.call('GET', '/v1/invoices', undefined, key)]) {
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 401, code });
      expect(answer.body.detail).toMatch(sentence);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
  };

  test('that is missing, mistyped or made up opens nothing', async () => {
    await expectRefused(null, 'api_key_missing', /^No API key\. Send "Authorization: Bearer <API key>"/);
    await expectRefused('hunter2', 'api_key_invalid', /form or checksum is wrong/);
    const last = scenario.key.endsWith('0') ? '1' : '0';
    await expectRefused(scenario.key.slice(0, -1) + last, 'api_key_invalid', /form or checksum is wrong/);
    const { key } = newApiKey({ project: PROJECT as ProjectId, mode: 'test' }, (length) => Buffer.alloc(length, 7));
    await expectRefused(key, 'api_key_invalid', /^No such API key\. Check the key and the deployment it is sent to\.$/);
  });

  test('that was revoked is refused at once by whoever has not seen it, and by all within 30 seconds', async () => {
    const created = await scenario.call('POST', '/v1/keys', { name: 'short', scopes: ['ingest', 'read'] });
    expect(created.status).toBe(201);
    const { key, id } = created.body;
    expect((await post(good({ customer: 'nobody' }), {}, key)).status).toBe(202);
    expect((await scenario.call('POST', `/v1/keys/${id}/revoke`)).status).toBe(200);
    scenario.stack.clock.advance(30_000);
    await expectRefused(key, 'api_key_revoked', /^This API key was revoked\. Use another key\.$/);
  });

  test('that expired is refused from that instant', async () => {
    const expiry = new Date(scenario.stack.clock.now() + 3_600_000).toISOString();
    const { body } = await scenario.call('POST', '/v1/keys', {
      name: 'an hour',
      scopes: ['ingest', 'read'],
      expires_at: expiry,
    });
    expect((await post(good({ customer: 'nobody' }), {}, body.key)).status).toBe(202);
    scenario.at(expiry);
    await expectRefused(body.key, 'api_key_expired', /^This API key expired at 20\S+Z\. Use another key\.$/);
  });

  test('of too small a scope is refused for what it may not do, and works for what it may', async () => {
    const scoped = async (scope: string) =>
      (await scenario.call('POST', '/v1/keys', { name: scope, scopes: [scope] })).body.key as string;
    const [reader, sender] = [await scoped('read'), await scoped('ingest')];
    const refused = [
      await post(good(), {}, reader),
      await scenario.call('GET', '/v1/invoices', undefined, sender),
      await scenario.call('POST', '/v1/plans', {}, reader),
      await scenario.call('POST', '/v1/billing-runs', {}, reader),
      await scenario.call('POST', '/v1/keys', { name: 'mine', scopes: ['admin'] }, reader),
    ];
    for (const answer of refused) expect(answer).toMatchObject({ status: 403, body: { code: 'scope_missing' } });
    expect(refused[0]?.body.detail).toMatch(/^This request needs the scope ingest; API key \w{12} has read\.$/);
    expect((await scenario.call('GET', '/v1/invoices', undefined, reader)).status).toBe(200);
  });
});

describe('the ids of another project', () => {
  test('do not exist, for reading or for writing', async () => {
    const run = await scenario.bill('2027-01');
    const [invoice] = await scenario.invoicesWhen('paid');
    const [key] = (await scenario.call('GET', '/v1/keys')).body.data;
    const asked: [string, string, string, unknown?][] = [
      ['GET', `/v1/invoices/${invoice?.id}`, 'invoice_not_found'],
      ['GET', `/v1/billing-runs/${run.id}`, 'billing_run_not_found'],
      ['GET', '/v1/customers/acme', 'customer_not_found'],
      ['GET', '/v1/subscriptions/sub_acme', 'subscription_not_found'],
      ['GET', '/v1/plans/pro', 'plan_not_found'],
      ['GET', '/v1/meters/tokens', 'meter_not_found'],
      ['POST', `/v1/keys/${key.id}/revoke`, 'api_key_not_found'],
      ['POST', '/v1/invoices/preview', 'customer_not_found', { customer: 'acme', period: '2027-01' }],
    ];
    for (const [method, path, code, body] of asked) {
      const answer = await scenario.call(method, path, body, other);
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, code]);
    }
    for (const list of ['invoices', 'customers', 'subscriptions', 'billing-runs', 'plans', 'meters'])
      expect((await scenario.call('GET', `/v1/${list}`, undefined, other)).body.data).toEqual([]);
    expect((await scenario.call('GET', `/v1/usage?${new URLSearchParams(DAY)}`, undefined, other)).body.data).toEqual(
      [],
    );
  });

  test('cannot be named in an event: the key alone decides whose usage it is', async () => {
    const answer = await post(good({ project: 'prj_story' }), {}, other);
    expect(answer).toMatchObject({ status: 400, body: { code: 'field_unknown' } });
    expect(await used()).toBe('3');
    expect(scenario.problems).toEqual([]);
  });
});
