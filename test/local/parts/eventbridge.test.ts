import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { busArn, roleArn } from '../../../local/gateway/arns.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from '../../../local/gateway/gateway.ts';
import { openEventBridge } from '../../../local/parts/eventbridge.ts';
import type { DeliveredEvent, LoggedEvent } from '../../../local/parts/put-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'events-'));
const file = join(folder, 'events.ndjson');
const clock = { now: () => Date.parse('2026-12-01T01:02:03.900Z') };
const bridge = openEventBridge({ clock, file });
bridge.createBus('company');
let gateway: Gateway;
const clientAs = (accessKeyId: string) =>
  new EventBridgeClient({
    endpoint: gateway.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: 'local' },
  });
const entry = (type: string, detail: object = { id: 'e1' }) => ({
  EventBusName: 'company',
  Source: 'countinghouse',
  DetailType: type,
  Detail: JSON.stringify(detail),
});

beforeAll(async () => {
  const policy = (condition?: object) => ({
    Statement: { Effect: 'Allow', Action: 'events:PutEvents', Resource: busArn('company'), ...condition },
  });
  const principal = (name: string, condition?: object) => ({
    name,
    arn: roleArn(name),
    identityPolicies: [policy(condition)],
  });
  gateway = await startGateway({
    principals: new Map([
      ['PUBLISHER', principal('publisher')],
      [
        'NARROW',
        principal('narrow', { Condition: { 'ForAllValues:StringEquals': { 'events:source': 'countinghouse' } } }),
      ],
    ]),
    backends: { events: bridge.handle },
  });
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

test('an accepted event reaches the targets whose pattern it matches, and the log, once', async () => {
  const taken: DeliveredEvent[] = [];
  bridge.putRule({
    name: 'issued',
    bus: 'company',
    pattern: {
      source: ['countinghouse'],
      'detail-type': ['InvoiceIssued'],
      detail: { total: [{ numeric: ['>', 10] }] },
    },
    targets: [{ name: 'ledger', deliver: async (event) => void taken.push(event) }],
  });
  const seen: LoggedEvent[] = [];
  const leave = bridge.onEvent((logged) => seen.push(logged));
  const answer = await clientAs('PUBLISHER').send(
    new PutEventsCommand({
      Entries: [
        entry('InvoiceIssued', { total: 11 }),
        entry('InvoiceIssued', { total: 10 }),
        entry('InvoicePaid', { total: 11 }),
      ],
    }),
  );
  await bridge.settled();
  leave();
  expect(answer.FailedEntryCount).toBe(0);
  expect(taken).toEqual([
    {
      version: '0',
      id: answer.Entries?.[0]?.EventId,
      'detail-type': 'InvoiceIssued',
      source: 'countinghouse',
      account: '000000000000',
      time: '2026-12-01T01:02:03Z',
      region: 'us-east-1',
      resources: [],
      detail: { total: 11 },
    },
  ]);
  expect(seen).toHaveLength(3);
  expect(bridge.log.map(({ bus, event }) => [bus, event['detail-type']])).toEqual([
    ['company', 'InvoiceIssued'],
    ['company', 'InvoiceIssued'],
    ['company', 'InvoicePaid'],
  ]);
});

test('a target that fails is asked again; one that always fails is named and harms no other', async () => {
  let attempts = 0;
  const taken: string[] = [];
  bridge.putRule({
    name: 'shaky',
    bus: 'company',
    pattern: { 'detail-type': ['PaymentFailed'] },
    targets: [
      {
        name: 'second-time',
        deliver: async (event) => {
          attempts += 1;
          if (attempts === 1) throw new Error('not yet');
          taken.push(event.id);
        },
      },
      { name: 'never', deliver: () => Promise.reject(new Error('closed')) },
    ],
  });
  const answer = await clientAs('PUBLISHER').send(new PutEventsCommand({ Entries: [entry('PaymentFailed')] }));
  await bridge.settled();
  expect(taken).toEqual([answer.Entries?.[0]?.EventId]);
  expect(bridge.failures).toEqual([{ rule: 'shaky', target: 'never', eventId: taken[0], reason: 'Error: closed' }]);
});

test('a bad entry is named at its place and the good ones beside it are taken', async () => {
  const answer = await clientAs('PUBLISHER').send(
    new PutEventsCommand({
      Entries: [
        { ...entry('UsageRecorded'), Detail: 'not json' },
        entry('UsageRecorded'),
        { ...entry('UsageRecorded'), DetailType: undefined },
      ],
    }),
  );
  expect(answer.FailedEntryCount).toBe(2);
  expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual(['MalformedDetail', undefined, 'InvalidArgument']);
});

test('eleven entries, or more than 1 MiB of them, are refused as a whole', async () => {
  const client = clientAs('PUBLISHER');
  const before = bridge.log.length;
  await expect(
    client.send(new PutEventsCommand({ Entries: Array.from({ length: 11 }, () => entry('UsageRecorded')) })),
  ).rejects.toMatchObject({ name: 'ValidationException' });
  const half = entry('UsageRecorded', { text: 'x'.repeat(530_000) });
  await expect(client.send(new PutEventsCommand({ Entries: [half, half] }))).rejects.toMatchObject({
    name: 'ValidationException',
  });
  expect(bridge.log).toHaveLength(before);
});

test('a grant with a condition on the source holds for that source only, and for its bus only', async () => {
  const narrow = clientAs('NARROW');
  await narrow.send(new PutEventsCommand({ Entries: [entry('UsageRecorded')] }));
  await expect(
    narrow.send(new PutEventsCommand({ Entries: [{ ...entry('UsageRecorded'), Source: 'somebody' }] })),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await expect(
    narrow.send(new PutEventsCommand({ Entries: [{ ...entry('UsageRecorded'), EventBusName: 'default' }] })),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('an event for a bus that does not exist fails instead of disappearing', async () => {
  const answer = await clientAs(ADMIN_ACCESS_KEY_ID).send(
    new PutEventsCommand({ Entries: [{ ...entry('UsageRecorded'), EventBusName: 'misspelt' }] }),
  );
  expect(answer.Entries?.[0]?.ErrorCode).toBe('ResourceNotFoundException');
});

test('the log is there again after a restart, also when a kill cut its last line off', () => {
  const before = bridge.log.length;
  appendFileSync(file, '{"bus":"comp');
  expect(openEventBridge({ clock, file }).log).toHaveLength(before);
  const again = openEventBridge({ clock, file });
  expect(again.log).toEqual(bridge.log);
});

test('a rule on an unknown bus, or with an unknown operator, is refused when it is loaded', () => {
  const targets: never[] = [];
  expect(() => bridge.putRule({ name: 'r', bus: 'nowhere', pattern: { source: ['a'] }, targets })).toThrow('nowhere');
  expect(() =>
    bridge.putRule({ name: 'r', bus: 'company', pattern: { source: [{ cidr: '10.0.0.0/8' }] }, targets }),
  ).toThrow('uses cidr, which the local EventBridge does not know');
});
