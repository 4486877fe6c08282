import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeChunkBody, type StoredChunk } from '../../../core/usage/chunk.ts';
import { PartitionCache, PartitionState } from '../../../core/usage/partition-state.ts';
import { type PartitionShare, planChunk } from '../../../core/usage/plan-chunk.ts';
import { eventsWithBatches } from '../../../core/usage/search-chunk.ts';
import { logged, NOW_MILLIS, share, voidShare } from '../../support/usage-fixtures.ts';

function planned(state: PartitionState, shares: readonly PartitionShare[]): StoredChunk {
  const chunk = planChunk(state, shares, NOW_MILLIS);
  if (chunk === null) throw new Error('nothing was planned');
  return chunk;
}

/** Plans and applies until every share is settled. */
function settleAll(state: PartitionState, shares: readonly PartitionShare[]): StoredChunk[] {
  const chunks: StoredChunk[] = [];
  for (let chunk = planChunk(state, shares, NOW_MILLIS); chunk !== null; chunk = planChunk(state, shares, NOW_MILLIS)) {
    chunks.push(chunk);
    state.apply(chunk);
  }
  return chunks;
}

const MICROS = NOW_MILLIS * 1000;
const NOTHING_ELSE = { conflicts: [], retimed: [], voids: [], dead: new Set() };
const first = logged({ id: 'order-1' });
const second = logged({ id: 'order-2', customer: 'bob', occurredAtMicros: MICROS + 5 });
const retimed = logged({ id: 'order-1', occurredAtMicros: MICROS + 1 });
const changed = logged({ id: 'order-1', properties: { tokens: '7' } });

describe('the next chunk of a partition', () => {
  test('holds the new events, their identities, a receipt, the range of their times and their customers', () => {
    const chunk = planned(new PartitionState(), [share('b-1', [second, first], 3)]);
    expect(chunk).toMatchObject({
      sequence: 1,
      events: 2,
      total: 2,
      appendedAtMillis: NOW_MILLIS,
      range: { from: MICROS, to: MICROS + 5 },
    });
    expect([chunk.fingerprints.length, chunk.digests.length, chunk.settled.length]).toEqual([32, 16, 16]);
    // 943263163 (ada) before 2261164244 (bob), as four bytes each
    expect(Buffer.from(chunk.customers).toString('hex')).toBe('38390dbb86c6a0d4');
    expect(decodeChunkBody(chunk.body)).toEqual({
      events: [second, first],
      receipts: [{ batchId: 'b-1', carried: 2, stored: 2, duplicates: 0, retimed: 0, conflicts: 0, rejected: 3 }],
      ...NOTHING_ELSE,
    });
  });

  test('counts the first body of an identity and tells resends, retimed resends and conflicts apart', () => {
    const state = new PartitionState();
    state.apply(planned(state, [share('b-1', [first])]));
    const chunk = planned(state, [share('b-2', [first, retimed, changed, second, second])]);
    expect(chunk).toMatchObject({ sequence: 2, events: 1, total: 2 });
    expect(decodeChunkBody(chunk.body)).toEqual({
      events: [second],
      receipts: [{ batchId: 'b-2', carried: 5, stored: 1, duplicates: 3, retimed: 1, conflicts: 1, rejected: 0 }],
      ...NOTHING_ELSE,
      conflicts: [{ batchId: 'b-2', event: changed }],
      retimed: [{ batchId: 'b-2', index: 0, customer: 'ada', source: '', id: 'order-1', occurredAtMicros: MICROS + 1 }],
    });
  });

  test('is written for its receipt alone when a message brings nothing new', () => {
    const state = new PartitionState();
    state.apply(planned(state, [share('b-1', [first])]));
    const chunk = planned(state, [share('b-2', [first])]);
    expect(chunk).toMatchObject({ sequence: 2, events: 0, total: 1, range: null });
    expect(decodeChunkBody(chunk.body).receipts).toEqual([
      { batchId: 'b-2', carried: 1, stored: 0, duplicates: 1, retimed: 0, conflicts: 0, rejected: 0 },
    ]);
  });

  test('settles a message once, however often it is delivered, together or one after the other', () => {
    const state = new PartitionState();
    const twice = [share('b-1', [first], 2), share('b-1', [first], 2)];
    expect(decodeChunkBody(planned(state, twice).body).receipts).toHaveLength(1);
    state.apply(planned(state, twice));
    expect(planChunk(state, twice, NOW_MILLIS)).toBeNull();
    expect(planChunk(state, [], NOW_MILLIS)).toBeNull();
  });

  test('stays below 350 KB with messages as large as they come, and leaves the rest to the next', () => {
    // 256 KB of events that do not compress, in each of three messages
    const random = (bytes: number) => randomBytes(bytes).toString('base64');
    const messages = ['b-1', 'b-2', 'b-3'].map((batchId) =>
      share(
        batchId,
        Array.from({ length: 250 }, () => logged({ id: random(15), properties: { note: random(700) } })),
      ),
    );
    const chunks = settleAll(new PartitionState(), messages);
    expect(chunks.length).toBeGreaterThan(1);
    for (const { fingerprints, digests, settled, body, customers } of chunks) {
      const bytes = fingerprints.length + digests.length + settled.length + body.length + customers.length;
      expect(bytes).toBeLessThanOrEqual(350_000);
    }
    expect(chunks.map(({ sequence }) => sequence)).toEqual(chunks.map((_chunk, i) => i + 1));
    expect(chunks.at(-1)?.total).toBe(750);
  });

  test('holds at most about 10,000 events, so that nobody waits for one chunk', () => {
    const shares = Array.from({ length: 12 }, (_, b) =>
      share(
        `b-${b}`,
        Array.from({ length: 1000 }, (_event, i) => logged({ id: `${b}-${i}` })),
      ),
    );
    const chunks = settleAll(new PartitionState(), shares);
    expect(chunks.map(({ events }) => events)).toEqual([10_000, 2_000]);
  });

  test('gives receipts that add up to what was carried, and events that add up to what was distinct', () => {
    const anEvent = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      tokens: fc.constantFrom('1', '2'),
      at: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(fc.array(anEvent, { minLength: 1, maxLength: 6 }), { maxLength: 8 }), (messages) => {
        const shares = messages.map((events, i) =>
          share(
            `b-${i}`,
            events.map(({ id, tokens, at }) => logged({ id, occurredAtMicros: MICROS + at, properties: { tokens } })),
          ),
        );
        const bodies = settleAll(new PartitionState(), shares).map(({ body }) => decodeChunkBody(body));
        const receipts = bodies.flatMap((body) => body.receipts);
        expect(receipts.map(({ batchId, carried }) => [batchId, carried])).toEqual(
          messages.map((events, i) => [`b-${i}`, events.length]),
        );
        for (const { carried, stored, duplicates, retimed, conflicts } of receipts) {
          expect(stored + duplicates + conflicts).toBe(carried);
          expect(retimed).toBeLessThanOrEqual(duplicates);
        }
        const stored = bodies.flatMap((body) => body.events.map(({ id }) => id));
        expect(stored).toEqual([...new Set(messages.flat().map(({ id }) => id))]);
        expect(receipts.reduce((sum, receipt) => sum + receipt.stored, 0)).toBe(stored.length);
      }),
    );
  });
});

describe('a void', () => {
  const bodyOf = (chunk: StoredChunk) => decodeChunkBody(chunk.body);

  test('of an event that lies in the log undoes it, and is a stored identity with a receipt', () => {
    const state = new PartitionState();
    state.apply(planned(state, [share('b-1', [first, second])]));
    const chunk = planned(state, [voidShare('b-2', ['order-1'])]);
    expect(chunk).toMatchObject({ sequence: 2, events: 0, total: 3, range: null });
    expect([chunk.fingerprints.length, chunk.voided.length]).toEqual([0, 16]);
    expect(bodyOf(chunk)).toMatchObject({
      voids: [{ customer: 'ada', source: '', id: 'order-1', isUndoing: true }],
      receipts: [
        { batchId: 'b-2', carried: 1, stored: 1, duplicates: 0, retimed: 0, conflicts: 0, rejected: 0, voids: 1 },
      ],
    });
  });

  test('leaves every event with the batch that brought it', () => {
    const shares = [
      voidShare('v-1', ['x', 'y']),
      share('b-1', [first]),
      voidShare('v-2', ['z']),
      share('b-2', [second]),
    ];
    const body = bodyOf(planned(new PartitionState(), shares));
    expect(eventsWithBatches(body).map(({ event, batchId }) => [event.id, batchId])).toEqual([
      ['order-1', 'b-1'],
      ['order-2', 'b-2'],
    ]);
  });

  test('that comes first undoes nothing: its event is stored dead, visible and never counted', () => {
    const state = new PartitionState();
    const one = planned(state, [voidShare('b-1', ['order-1'])]);
    expect(bodyOf(one).voids).toMatchObject([{ id: 'order-1', isUndoing: false }]);
    state.apply(one);
    const two = planned(state, [share('b-2', [second, first])]);
    expect(two).toMatchObject({ events: 2, total: 3 });
    expect(bodyOf(two)).toMatchObject({ events: [second, first], dead: new Set([1]) });
    expect(bodyOf(two).receipts).toMatchObject([{ carried: 2, stored: 2 }]);
  });

  test.each([
    ['before', [voidShare('b-1', ['order-1']), share('b-2', [first])]],
    ['after', [share('b-2', [first]), voidShare('b-1', ['order-1'])]],
  ])('in one chunk with its event, %s it, makes it dead and undoes nothing', (_order, shares) => {
    const body = bodyOf(planned(new PartitionState(), shares));
    expect([body.voids[0]?.isUndoing, body.dead]).toEqual([false, new Set([0])]);
  });

  test('of an event that is voided already is a duplicate, in the same chunk or a later one, whatever its reason', () => {
    const state = new PartitionState();
    state.apply(planned(state, [share('b-1', [first])]));
    const one = planned(state, [voidShare('b-2', ['order-1', 'order-1'])]);
    state.apply(one);
    const two = planned(state, [voidShare('b-3', ['order-1'], 'another reason')]);
    expect([one, two].map((chunk) => bodyOf(chunk).receipts)).toMatchObject([
      [{ carried: 2, stored: 1, duplicates: 1 }],
      [{ carried: 1, stored: 0, duplicates: 1 }],
    ]);
    expect([two.voided.length, bodyOf(two).voids]).toEqual([0, []]);
  });

  test('leaves its identity taken: the event sent again is a duplicate and stays voided', () => {
    const state = new PartitionState();
    state.apply(planned(state, [share('b-1', [first])]));
    state.apply(planned(state, [voidShare('b-2', ['order-1'])]));
    expect(bodyOf(planned(state, [share('b-3', [first])]))).toMatchObject({
      events: [],
      receipts: [{ duplicates: 1 }],
    });
  });

  test('cannot be taken for an event, whatever id a client thinks of', () => {
    const state = new PartitionState();
    state.apply(planned(state, [voidShare('b-1', ['order-1'])]));
    const odd = logged({ id: 'void:order-1' });
    expect(bodyOf(planned(state, [share('b-2', [odd])]))).toMatchObject({ events: [odd], dead: new Set() });
  });
});

describe('what a worker knows of a partition', () => {
  test('grows by the next chunk only: one with a gap before it, or applied twice, changes nothing', () => {
    const state = new PartitionState();
    const one = planned(state, [share('b-1', [first])]);
    state.apply({ ...one, sequence: 2 });
    expect([state.head, state.identities.size]).toEqual([0, 0]);
    state.apply(one);
    state.apply(one);
    expect([state.head, state.total, state.identities.size, state.settled.size]).toEqual([1, 1, 1, 1]);
  });

  test('is forgotten, least recently used first, when there is too much of it', () => {
    const cache = new PartitionCache(3);
    for (const name of ['a', 'b', 'c']) {
      const state = cache.of(name);
      state.apply(planned(state, [share(name, [first, second])]));
    }
    cache.of('a');
    cache.trim();
    // six identities in a, b and c; b and c go, the last used stays though it alone would be too much for a cache of one
    expect([cache.of('a').head, cache.of('b').head, cache.of('c').head]).toEqual([1, 0, 0]);
    const one = new PartitionCache(1);
    const state = one.of('a');
    state.apply(planned(state, [share('a', [first, second])]));
    one.trim();
    expect(one.of('a').head).toBe(1);
    one.forget('a');
    expect(one.of('a').head).toBe(0);
  });
});
