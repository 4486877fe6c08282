import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiKeyStore } from '../../../adapters/dynamodb/api-keys.ts';
import { backfillStore } from '../../../adapters/dynamodb/backfills.ts';
import { customerStore } from '../../../adapters/dynamodb/customers.ts';
import { projectStore } from '../../../adapters/dynamodb/projects.ts';
import { subscriptionStore } from '../../../adapters/dynamodb/subscriptions.ts';
import type { ApiKeyRecord } from '../../../core/accounts/api-key.ts';
import { createProject } from '../../../core/accounts/create-project.ts';
import type { Customer } from '../../../core/accounts/customer.ts';
import type { Subscription } from '../../../core/accounts/subscription.ts';
import type { CustomerId, ProjectId, SubscriptionId } from '../../../core/ids.ts';
import type { Instant } from '../../../core/time/instant.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';
import { onePhase } from '../../support/subscription-fixtures.ts';

let tables: LocalTables;
const NOON = '2026-11-21T12:00:00.000Z' as Instant;
const LATER = '2026-11-22T12:00:00.000Z' as Instant;
const project = (name: string) => `prj_${name}` as ProjectId;

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(async () => {
  await tables.stop();
});

describe('projects', () => {
  it('are created once, with their entry in the directory, and a start can be repeated', async () => {
    const projects = projectStore(tables.client, tables.billing);
    const deps = { projects, clock: { now: () => NOON } };
    const created = await createProject({ id: 'prj_p1', name: 'One', mode: 'live' }, deps);
    expect(created).toEqual({ id: 'prj_p1', name: 'One', mode: 'live', createdAt: NOON });
    expect(await createProject({ id: 'prj_p1', name: 'One', mode: 'live' }, deps)).toEqual(created);
    await expect(createProject({ id: 'prj_p1', name: 'Two', mode: 'live' }, deps)).rejects.toMatchObject({
      code: 'project_exists',
    });
    await expect(createProject({ id: 'Nope', name: 'X', mode: 'live' }, deps)).rejects.toMatchObject({
      code: 'project_id_invalid',
    });
    expect(await projects.list()).toContainEqual(created);
    expect(await projects.find(project('none'))).toBeUndefined();
  });
});

describe('API keys', () => {
  const record = (id: string): ApiKeyRecord => ({
    project: project('k1'),
    mode: 'test',
    id,
    name: 'k',
    scopes: ['ingest'],
    hash: 'ab',
    createdAt: NOON,
    expiresAt: null,
    revokedAt: null,
    rotatedTo: null,
  });

  it('come back as they were stored, and an id is never taken twice', async () => {
    const keys = apiKeyStore(tables.client, tables.billing);
    await keys.create(record('a'));
    expect(await keys.find(project('k1'), 'a', 'fresh')).toEqual(record('a'));
    expect(await keys.find(project('k2'), 'a', 'fresh')).toBeUndefined();
    await expect(keys.create(record('a'))).rejects.toMatchObject({ code: 'api_key_exists' });
  });

  it('keep the instant of their first revocation', async () => {
    const keys = apiKeyStore(tables.client, tables.billing);
    await keys.create(record('b'));
    expect(await keys.revoke(project('k1'), 'b', NOON)).toEqual({ ...record('b'), revokedAt: NOON });
    expect((await keys.revoke(project('k1'), 'b', LATER))?.revokedAt).toBe(NOON);
    expect(await keys.revoke(project('k1'), 'none', NOON)).toBeUndefined();
  });

  it('are rotated once: both records in one transaction, or neither', async () => {
    const keys = apiKeyStore(tables.client, tables.billing);
    await keys.create(record('c'));
    await keys.rotate(record('c'), LATER, record('d'));
    expect(await keys.find(project('k1'), 'c', 'fresh')).toEqual({ ...record('c'), expiresAt: LATER, rotatedTo: 'd' });
    await expect(keys.rotate(record('c'), LATER, record('e'))).rejects.toMatchObject({ code: 'api_key_not_active' });
    expect(await keys.find(project('k1'), 'e', 'fresh')).toBeUndefined();
  });
});

describe('customers and subscriptions', () => {
  const acme: Customer = { id: 'a#b%23' as CustomerId, name: 'Acme', timeZone: 'Asia/Kathmandu' };
  const subscription: Subscription = {
    id: 'sub_1' as SubscriptionId,
    customer: acme.id,
    phases: onePhase('2026-11-01T00:00:00Z', 'pro'),
    start: '2026-11-01T00:00:00.000Z' as Instant,
    end: null,
    interval: 'month',
    billing: 'calendar',
    billedThrough: '2026-11-01T00:00:00.000Z' as Instant,
  };

  it('are written over the version that was read, and only then', async () => {
    const customers = customerStore(tables.client, tables.billing);
    expect(await customers.put(project('c1'), acme, 0)).toBe('stored');
    expect(await customers.put(project('c1'), acme, 0)).toBe('refused');
    expect(await customers.put(project('c1'), { ...acme, name: 'B' }, 1)).toBe('stored');
    expect(await customers.put(project('c1'), acme, 1)).toBe('refused');
    expect(await customers.find(project('c1'), acme.id)).toEqual({
      customer: { ...acme, name: 'B' },
      version: 2,
      subscriptions: [],
    });
    expect(await customers.known(project('c1'), [acme.id, 'x' as CustomerId])).toEqual(new Set([acme.id]));
  });

  it('leave what the payment adapters wrote on the item alone', async () => {
    const customers = customerStore(tables.client, tables.billing);
    await customers.put(project('c2'), { ...acme, id: 'pays' as CustomerId }, 0);
    const Key = { pk: { S: 'prj_c2#customers' }, sk: { S: 'pays' } };
    await tables.client.send(
      new UpdateItemCommand({
        TableName: tables.billing,
        Key,
        UpdateExpression: 'SET payment = :p',
        ExpressionAttributeValues: { ':p': { S: '{"providerCustomer":"cus_1"}' } },
      }),
    );
    await customers.put(project('c2'), { ...acme, id: 'pays' as CustomerId, name: 'New' }, 1);
    const { Item } = await tables.client.send(new GetItemCommand({ TableName: tables.billing, Key }));
    expect(Item?.payment?.S).toBe('{"providerCustomer":"cus_1"}');
  });

  it('are bound together in one transaction over the customer that was read', async () => {
    const customers = customerStore(tables.client, tables.billing);
    const subscriptions = subscriptionStore(tables.client, tables.billing);
    await customers.put(project('c3'), acme, 0);
    const read = await customers.find(project('c3'), acme.id);
    if (!read) throw new Error('the customer was stored');
    expect(await subscriptions.create(project('c3'), subscription, read)).toBe('stored');
    expect(await subscriptions.create(project('c3'), subscription, read)).toBe('exists');
    const second = { ...subscription, id: 'sub_2' as SubscriptionId };
    expect(await subscriptions.create(project('c3'), second, read)).toBe('refused');
    expect(await subscriptions.find(project('c3'), second.id)).toBeUndefined();
    expect((await customers.find(project('c3'), acme.id))?.subscriptions).toEqual(['sub_1']);
    expect(await subscriptions.findAll(project('c3'), ['sub_1', 'sub_2'] as SubscriptionId[])).toEqual([
      { subscription, version: 1 },
    ]);
    const ended = { ...subscription, end: LATER };
    expect(await subscriptions.replace(project('c3'), ended, 1, read)).toBe('refused');
    const bound = await customers.find(project('c3'), acme.id);
    if (!bound) throw new Error('the customer was stored');
    expect(await subscriptions.replace(project('c3'), ended, 1, bound)).toBe('stored');
    expect(await subscriptions.replace(project('c3'), subscription, 1, { ...bound, version: 3 })).toBe('refused');
    expect(await customers.find(project('c3'), acme.id)).toEqual({ ...bound, version: 3 });
    expect(await subscriptions.find(project('c3'), subscription.id)).toEqual({ subscription: ended, version: 2 });
  });
});

describe('backfills', () => {
  it('are created once and change their status only', async () => {
    const backfills = backfillStore(tables.client, tables.billing);
    const backfill = { name: 'f', source: 'backfill:f', from: NOON, status: 'open', openedAt: NOON } as const;
    expect(await backfills.create(project('b1'), backfill)).toBe('stored');
    expect(await backfills.create(project('b1'), { ...backfill, from: LATER })).toBe('refused');
    expect(await backfills.setStatus(project('b1'), 'f', 'closed')).toEqual({ ...backfill, status: 'closed' });
    expect(await backfills.setStatus(project('b2'), 'f', 'closed')).toBeUndefined();
    expect(await backfills.find(project('b1'), 'f')).toEqual({ ...backfill, status: 'closed' });
  });
});
