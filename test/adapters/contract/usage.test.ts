import { randomBytes } from 'node:crypto';
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import type { StoredChunk } from '../../../core/usage/chunk.ts';
import { foldView } from '../../../core/usage/fold-view.ts';
import type { ParkedMessage, StoredView } from '../../../core/usage/ports.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import { addReadings, EMPTY_VIEW, type Reading } from '../../../core/usage/usage-view.ts';
import { NOW_MILLIS, PARTITION, PLACE, PROJECT, TABLES } from '../../support/usage-fixtures.ts';
import { type UsageTables, usageTablesInDynamoDbLocal, usageTablesInMemory } from '../../support/usage-tables.ts';

/** The end of the born hour is 04:00; 80 days later everything of the partition expires. */
const EXPIRY = String((NOW_MILLIS + 3_600_000 + 80 * 86_400_000) / 1000);
const OTHER = 'prj_demo2' as ProjectId;

function chunk(sequence: number, change: Partial<StoredChunk> = {}): StoredChunk {
  return {
    sequence,
    fingerprints: Buffer.alloc(16, sequence),
    digests: Buffer.alloc(8, sequence),
    voided: new Uint8Array(),
    settled: Buffer.alloc(16, 255 - sequence),
    body: Buffer.from([0, 255, 1]),
    events: 1,
    total: sequence,
    appendedAtMillis: NOW_MILLIS,
    range: { from: 1_795_230_000_000_000, to: 1_795_230_000_000_001 },
    customers: Buffer.alloc(4, 7),
    ...change,
  };
}

async function pagesOf(log: ReturnType<typeof usageLog>, above = 0): Promise<number[][]> {
  const pages: number[][] = [];
  for await (const page of log.readChunks(PLACE, above)) pages.push(page.map(({ sequence }) => sequence));
  return pages;
}

function reading(change: Partial<Reading> = {}): Reading {
  return {
    meter: 'calls',
    aggregation: 'count',
    names: ['region'],
    dimensionKey: '["eu"]',
    quarter: 12,
    value: '1',
    occurredAtMicros: 1,
    fingerprint: 'aa',
    ...change,
  };
}
const view = (part: string, version: number, content = EMPTY_VIEW, customer = 'ada'): StoredView => ({
  key: { project: PROJECT, customer, day: '20261121', part },
  version,
  view: content,
});

describe.each([
  ['the database in memory', usageTablesInMemory],
  ['DynamoDB Local', usageTablesInDynamoDbLocal],
])('usage in %s', (_name, start) => {
  let tables: UsageTables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.stop());
  beforeEach(() => tables.reset());

  describe('the log', () => {
    const logOf = () => usageLog(tables.client(), TABLES.log);

    test('takes a sequence number once: the second writer is refused and changes nothing', async () => {
      const log = logOf();
      expect(await log.putChunk(PLACE, chunk(1))).toBe('stored');
      expect(await log.putChunk(PLACE, chunk(1, { events: 9 }))).toBe('refused');
      expect(await log.putChunk(PLACE, chunk(1))).toBe('refused');
      const found: StoredChunk[] = [];
      for await (const page of log.readChunks(PLACE, 0)) found.push(...page);
      expect(found.map(({ events }) => events)).toEqual([1]);
    });

    test('lets one of many writers of a sequence number win', async () => {
      const log = logOf();
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => log.putChunk(PLACE, chunk(1, { total: i }))),
      );
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
    });

    test('gives back a chunk as it was put, with events, with voids or with receipts only', async () => {
      const log = logOf();
      const empty = Buffer.alloc(0);
      const receipts = chunk(2, {
        fingerprints: empty,
        digests: empty,
        customers: empty,
        events: 0,
        total: 1,
        range: null,
      });
      await log.putChunk(PLACE, chunk(1));
      await log.putChunk(PLACE, receipts);
      const voids = { ...receipts, sequence: 3, total: 3, voided: Buffer.alloc(32, 5) };
      await log.putChunk(PLACE, voids);
      const found: StoredChunk[] = [];
      for await (const page of log.readChunks(PLACE, 0)) found.push(...page);
      const plain = (one: StoredChunk) => ({
        ...one,
        fingerprints: [...one.fingerprints],
        digests: [...one.digests],
        voided: [...one.voided],
        settled: [...one.settled],
        body: [...one.body],
        customers: [...one.customers],
      });
      expect(found.map(plain)).toEqual([chunk(1), receipts, voids].map(plain));
    });

    test('is read in the order of numbers, not of their text, above a position', async () => {
      const log = logOf();
      for (const sequence of [10, 9, 2, 1, 3, 11, 8, 7, 6, 5, 4]) await log.putChunk(PLACE, chunk(sequence));
      expect((await pagesOf(log)).flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect((await pagesOf(log, 9)).flat()).toEqual([10, 11]);
      expect(await pagesOf(log, 11)).toEqual([]);
    });

    test('is read up to the first gap', async () => {
      const log = logOf();
      for (const sequence of [1, 2, 4, 5]) await log.putChunk(PLACE, chunk(sequence));
      expect((await pagesOf(log)).flat()).toEqual([1, 2]);
      expect(await pagesOf(log, 2)).toEqual([]);
      expect((await pagesOf(log, 3)).flat()).toEqual([4, 5]);
    });

    test('is read page after page beyond 1 MB, from any position, up to a gap on a later page', async () => {
      const log = logOf();
      for (const sequence of [1, 2, 3, 4, 5, 6, 7, 8, 10])
        await log.putChunk(PLACE, chunk(sequence, { body: randomBytes(340_000) }));
      const pages = await pagesOf(log);
      expect(pages.length).toBeGreaterThan(1);
      expect(pages.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect((await pagesOf(log, 2)).flat()).toEqual([3, 4, 5, 6, 7, 8]);
    });

    test('keeps partitions and projects apart', async () => {
      const log = logOf();
      await log.putChunk(PLACE, chunk(1));
      await log.putChunk({ project: PROJECT, partition: '1.2026112103' }, chunk(1));
      await log.putChunk({ project: OTHER, partition: PARTITION }, chunk(1));
      await log.putChunk(PLACE, chunk(2));
      expect((await pagesOf(log)).flat()).toEqual([1, 2]);
    });

    test('expires 80 days after the end of the born hour, whenever it was written', async () => {
      await logOf().putChunk(PLACE, chunk(1, { appendedAtMillis: NOW_MILLIS + 50 * 86_400_000 }));
      const { Items } = await tables.client().send(
        new QueryCommand({
          TableName: TABLES.log,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: 'prj_demo#0.2026112103' } },
          ConsistentRead: true,
        }),
      );
      expect(Items?.map((item) => item.ttl?.N)).toEqual([EXPIRY]);
    });

    test('refuses an item beyond 400 KB', async () => {
      await expect(logOf().putChunk(PLACE, chunk(1, { body: randomBytes(409_600) }))).rejects.toThrow(
        /Item size has exceeded the maximum allowed size/,
      );
    });
  });

  describe('claims and headers', () => {
    const claimsOf = () => usageClaims(tables.client(), TABLES.claims);

    test('belong to who came first; whoever comes later learns what was written', async () => {
      const claims = claimsOf();
      expect(await claims.claim(PROJECT, 'aa', 1000)).toBe(1000);
      expect(await claims.claim(PROJECT, 'aa', 2000)).toBe(1000);
      expect(await claims.claim(PROJECT, 'aa', 500)).toBe(1000);
      expect(await claims.claim(PROJECT, 'ab', 2000)).toBe(2000);
      expect(await claims.claim(OTHER, 'aa', 3000)).toBe(3000);
    });

    test('give every one of many claimants the same answer', async () => {
      const claims = claimsOf();
      const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => claims.claim(PROJECT, 'aa', 1000 + i)));
      expect(new Set(answers).size).toBe(1);
    });

    test('of many identities are taken together or not at all, and a refusal tells those that were there', async () => {
      const claims = claimsOf();
      await claims.claim(PROJECT, 'b1', 1000);
      expect(await claims.claimTogether(PROJECT, ['b0', 'b1', 'b2'], 2000)).toEqual([undefined, 1000, undefined]);
      expect(await claims.claimTogether(PROJECT, ['b0', 'b2'], 3000)).toEqual([3000, 3000]);
      expect(await claims.claimTogether(PROJECT, ['b0', 'b1', 'b2'], 4000)).toEqual([3000, 1000, 3000]);
      const hundred = Array.from({ length: 100 }, (_, i) => `c${i}`);
      expect(await claims.claimTogether(PROJECT, hundred, 5000)).toEqual(hundred.map(() => 5000));
      expect(await claims.claim(PROJECT, 'c99', 6000)).toBe(5000);
    });

    test('pin one placement for every millisecond of an hour', async () => {
      const claims = claimsOf();
      const first = { shards: 4, widthMinutes: 15, spread: { ada: 2, __proto__x: 1 } };
      const second = { shards: 1, widthMinutes: 60, spread: {} };
      expect(await claims.pinHeader(PROJECT, NOW_MILLIS, first)).toEqual(first);
      expect(await claims.pinHeader(PROJECT, NOW_MILLIS + 3_599_999, second)).toEqual(first);
      expect(await claims.pinHeader(PROJECT, NOW_MILLIS + 3_600_000, second)).toEqual(second);
      expect(await claims.pinHeader(OTHER, NOW_MILLIS, second)).toEqual(second);
    });
  });

  describe('views', () => {
    const viewsOf = () => usageViews(tables.client(), TABLES.views);
    const counted = addReadings(EMPTY_VIEW, PARTITION, 1, [reading()]);

    test('are written at the version that was read, and at no other', async () => {
      const views = viewsOf();
      expect(await views.readView(view('', 0).key)).toEqual(view('', 0));
      expect(await views.writeView(view('', 0, counted))).toBe('stored');
      expect(await views.writeView(view('', 0, EMPTY_VIEW))).toBe('refused');
      expect(await views.writeView(view('', 2, EMPTY_VIEW))).toBe('refused');
      expect(await views.readView(view('', 0).key)).toEqual(view('', 1, counted));
      expect(await views.writeView(view('', 1, counted))).toBe('stored');
      expect((await views.readView(view('', 0).key)).version).toBe(2);
    });

    test('know the first day of a customer, whatever else is kept beside the days', async () => {
      const views = viewsOf();
      expect(await views.firstDay(PROJECT, 'ada')).toBeUndefined();
      await views.markLate(PROJECT, 'ada', '20250101');
      for (const day of ['20261121', '20240229', '20261201']) {
        const { key } = view('', 0);
        await views.writeView({ key: { ...key, day }, version: 0, view: counted });
      }
      expect(await views.firstDay(PROJECT, 'ada')).toBe('20240229');
      expect(await views.firstDay(PROJECT, 'adam')).toBeUndefined();
      expect(await views.firstDay(OTHER, 'ada')).toBeUndefined();
    });

    test('are not made by writing to a version that never was', async () => {
      expect(await viewsOf().writeView(view('', 5, counted))).toBe('refused');
      expect((await viewsOf().readView(view('', 0).key)).version).toBe(0);
    });

    test('split in one transaction: the emptied item and its parts, or nothing', async () => {
      const views = viewsOf();
      await views.writeView(view('', 0, counted));
      const parent = view('', 1, { ...counted, meters: {}, split: 'by_meter' });
      expect(await views.splitView(parent, [view('calls', 0, counted), view('tokens', 0, counted)])).toBe('stored');
      expect(await views.splitView(parent, [view('other', 0, counted)])).toBe('refused');
      await views.writeView(view('taken', 0, counted));
      expect(
        await views.splitView({ ...parent, version: 2 }, [view('new', 0, counted), view('taken', 0, counted)]),
      ).toBe('refused');
      const stored = await views.readViews(PROJECT, 'ada', '20261121', '20261121');
      expect(stored.map(({ key, version }) => [key.part, version])).toEqual([
        ['', 2],
        ['calls', 1],
        ['taken', 1],
        ['tokens', 1],
      ]);
    });

    test('of 200 meters a day are folded, split and read', async () => {
      const views = viewsOf();
      const day = view('', 0).key;
      const readings = Array.from({ length: 200 }, (_, m) =>
        reading({
          meter: `meter-${String(m).padStart(3, '0')}`,
          dimensionKey: JSON.stringify([randomBytes(30).toString('hex')]),
        }),
      );
      for (const sequence of [1, 2, 3]) {
        expect(
          await foldView(
            { key: day, partitions: [{ partition: PARTITION, upTo: sequence, chunks: [{ sequence, readings }] }] },
            views,
          ),
        ).toEqual([]);
      }
      const span = { from: instantFromMillis(NOW_MILLIS - 10_800_000), to: instantFromMillis(NOW_MILLIS + 75_600_000) };
      const { slices } = await readUsage({ project: PROJECT, customer: 'ada', ...span }, { views });
      expect(slices).toHaveLength(200);
      expect(new Set(slices.map(({ quantity }) => quantity))).toEqual(new Set(['3']));
    });

    test('are read by customer and days, both days included, and no other customer with a name alike', async () => {
      const views = viewsOf();
      const at = (customer: string, day: string, part = ''): StoredView => ({
        ...view(part, 0, counted),
        key: { project: PROJECT, customer, day, part },
      });
      const odd = ['ada', 'ad', 'ada#', 'ada%23', 'ada%', 'Zoë 🚀', 'ada#day'];
      for (const customer of odd)
        for (const day of ['20261120', '20261121', '20261122']) await views.writeView(at(customer, day));
      await views.writeView(at('ada', '20261121', 'calls~f'));
      await views.markLate(PROJECT, 'ada', '20261121');
      const keysOf = async (customer: string, from: string, to: string) =>
        (await views.readViews(PROJECT, customer, from, to)).map(({ key }) => [key.customer, key.day, key.part]);
      expect(await keysOf('ada', '20261121', '20261122')).toEqual([
        ['ada', '20261121', ''],
        ['ada', '20261121', 'calls~f'],
        ['ada', '20261122', ''],
      ]);
      for (const customer of odd)
        expect(await keysOf(customer, '20261120', '20261120')).toEqual([[customer, '20261120', '']]);
      expect(await keysOf('bob', '20261101', '20261130')).toEqual([]);
    });

    test('are all read when they are more than one page', async () => {
      const views = viewsOf();
      // base64 of random bytes deflates to three quarters: about 300 KB a day, four days on a page
      for (let day = 1; day <= 6; day++) {
        const large = addReadings(EMPTY_VIEW, randomBytes(300_000).toString('base64'), 1, [reading()]);
        await views.writeView({ ...view('', 0, large), key: { ...view('', 0).key, day: `2026110${day}` } });
      }
      expect((await views.readViews(PROJECT, 'ada', '20261101', '20261130')).map(({ key }) => key.day)).toEqual([
        '20261101',
        '20261102',
        '20261103',
        '20261104',
        '20261105',
        '20261106',
      ]);
    });
  });

  describe('fold cursors', () => {
    test('only ever move forward', async () => {
      const views = usageViews(tables.client(), TABLES.views);
      const at = (sequence: number) => ({ sequence, total: sequence * 10, foldedAtMillis: NOW_MILLIS, days: sequence });
      expect(await views.readCursor(PLACE)).toEqual({ sequence: 0, total: 0, foldedAtMillis: 0, days: 0 });
      await views.advanceCursor(PLACE, at(9));
      await views.advanceCursor(PLACE, at(10));
      await views.advanceCursor(PLACE, at(9));
      await views.advanceCursor(PLACE, { ...at(10), total: 5 });
      expect(await views.readCursor(PLACE)).toEqual(at(10));
      expect((await views.readCursor({ project: OTHER, partition: PARTITION })).sequence).toBe(0);
    });
  });

  describe('the registry', () => {
    test('names the partitions of an append day once, from any hour of it, in any number', async () => {
      const registry = usageRegistry(tables.client(), TABLES.views);
      const register = (partition: string, hour: string, project = PROJECT) =>
        registry.register({ project, partition }, hour, 2_000_000_000);
      const early = Array.from({ length: 30 }, (_, i) => `${i}.2026112103`);
      for (const partition of [...early, ...early.slice(0, 5)]) await register(partition, '2026112104');
      // the same partition in a later hour of the day, another day, another project
      await register('0.2026112103', '2026112105');
      await register('1.2026112105', '2026112105');
      await register('2.2026112205', '2026112200');
      await register('3.2026112103', '2026112104', OTHER);
      expect([...(await registry.partitionsOf(PROJECT, '20261121'))].sort()).toEqual([...early, '1.2026112105'].sort());
      expect([...(await registry.partitionsOf(PROJECT, '20261121', '2026112105'))].sort()).toEqual([
        '0.2026112103',
        '1.2026112105',
      ]);
      expect(await registry.partitionsOf(PROJECT, '20261121', '2026112106')).toEqual([]);
      expect(await registry.partitionsOf(PROJECT, '20261122', '2026112104')).toEqual(['2.2026112205']);
      expect(await registry.partitionsOf(PROJECT, '20261123')).toEqual([]);
    });
  });

  describe('the parking lot', () => {
    const parked = (name: string, body = '{"v":1}'): ParkedMessage => ({
      name,
      reason: 'undeliverable',
      detail: 'why',
      body,
      events: 3,
      parkedAtMillis: NOW_MILLIS,
    });

    test('keeps a message once under its name until it is taken out', async () => {
      const parking = parkingLot(tables.client(), TABLES.views);
      await parking.park(PROJECT, parked('undeliverable:b'));
      await parking.park(PROJECT, parked('undeliverable:b'));
      await parking.park(PROJECT, parked('append:0.2026112103:a#%'));
      await parking.park('system', parked('unreadable:m', '\u0000 poison'));
      expect(await parking.list(PROJECT)).toEqual([parked('append:0.2026112103:a#%'), parked('undeliverable:b')]);
      expect(await parking.list('system')).toEqual([parked('unreadable:m', '\u0000 poison')]);
      await parking.remove(PROJECT, 'undeliverable:b');
      await parking.remove(PROJECT, 'never there');
      expect(await parking.list(PROJECT)).toEqual([parked('append:0.2026112103:a#%')]);
      expect(await parking.list(OTHER)).toEqual([]);
    });

    test('takes a message as large as ingest writes them', async () => {
      const parking = parkingLot(tables.client(), TABLES.views);
      await parking.park(PROJECT, parked('large', 'x'.repeat(262_144)));
      expect((await parking.list(PROJECT))[0]?.body).toHaveLength(262_144);
    });
  });

  describe('what both databases refuse', () => {
    test('a page that begins outside what the query asks for', async () => {
      const log = usageLog(tables.client(), TABLES.log);
      for (const sequence of [1, 2, 3]) await log.putChunk(PLACE, chunk(sequence));
      const pk = { S: 'prj_demo#0.2026112103' };
      const page = tables.client().send(
        new QueryCommand({
          TableName: TABLES.log,
          KeyConditionExpression: 'pk = :pk AND sk > :sk',
          ExpressionAttributeValues: { ':pk': pk, ':sk': { N: '2' } },
          ExclusiveStartKey: { pk, sk: { N: '2' } },
          ConsistentRead: true,
        }),
      );
      await expect(page).rejects.toThrow(/starting key/);
    });

    test('an item without its key, and an expression value that is missing', async () => {
      const put = (input: Partial<ConstructorParameters<typeof PutItemCommand>[0]>) =>
        tables
          .client()
          .send(new PutItemCommand({ TableName: TABLES.views, Item: { pk: { S: 'p' }, sk: { S: 's' } }, ...input }));
      await expect(put({ Item: { pk: { S: 'p' } } })).rejects.toThrow();
      await expect(put({ ConditionExpression: 'v = :v' })).rejects.toThrow();
    });
  });
});
