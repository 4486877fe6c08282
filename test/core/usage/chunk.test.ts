import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ChunkContent,
  decodeChunkBody,
  encodeChunkBody,
  type LoggedEvent,
  liveEvents,
  type Receipt,
  type Retimed,
} from '../../../core/usage/chunk.ts';
import type { LoggedVoid } from '../../../core/usage/usage-void.ts';
import { logged } from '../../support/usage-fixtures.ts';
import { text } from './arbitraries.ts';

const event: fc.Arbitrary<LoggedEvent> = fc.record({
  index: fc.nat(999),
  id: text(1, 30),
  type: text(1, 10),
  customer: text(1, 30),
  source: text(0, 10),
  occurredAtMicros: fc.integer({ min: 0, max: 7_258_118_399_999_999 }),
  meterRevision: fc.integer({ min: 1, max: 5 }),
  properties: fc
    .array(
      fc.tuple(
        fc.oneof(text(0, 20), fc.constantFrom('__proto__', 'constructor', 'toString', '', '.', 'a')),
        text(0, 50),
      ),
      { maxLength: 6 },
    )
    .map((entries) => Object.fromEntries(entries)),
});
const receipt: fc.Arbitrary<Receipt> = fc.record(
  {
    batchId: text(1, 20),
    carried: fc.nat(1000),
    stored: fc.nat(1000),
    duplicates: fc.nat(1000),
    retimed: fc.nat(1000),
    conflicts: fc.nat(1000),
    rejected: fc.nat(1000),
    voids: fc.integer({ min: 1, max: 1000 }),
  },
  { requiredKeys: ['batchId', 'carried', 'stored', 'duplicates', 'retimed', 'conflicts', 'rejected'] },
);

const content = (events: readonly LoggedEvent[]): ChunkContent => ({
  events,
  fingerprints: [],
  digests: [],
  voided: [],
  receipts: [],
  conflicts: [],
  retimed: [],
  voids: [],
  dead: new Set(),
});

const loggedVoid: fc.Arbitrary<LoggedVoid> = fc.record({
  index: fc.nat(999),
  customer: text(1, 30),
  source: text(0, 10),
  id: text(1, 30),
  reason: text(0, 50),
  by: text(1, 12),
  requestedAtMillis: fc.nat(2 ** 41),
  isUndoing: fc.boolean(),
});
const retimedResend: fc.Arbitrary<Retimed> = fc.record({
  batchId: text(1, 20),
  index: fc.nat(999),
  customer: text(1, 30),
  source: text(0, 10),
  id: text(1, 30),
  occurredAtMicros: fc.nat(2 ** 51),
});

const asked = (isUndoing: boolean) => ({ requestedAtMillis: 5, isUndoing });

describe('the body of a chunk', () => {
  test('gives back what was put into it: any characters, empty texts, odd names, any order of times', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 30 }),
        fc.array(receipt, { maxLength: 5 }),
        fc.array(fc.record({ batchId: text(1, 20), event }), { maxLength: 3 }),
        fc.record({
          retimed: fc.array(retimedResend, { maxLength: 3 }),
          voids: fc.array(loggedVoid, { maxLength: 3 }),
          dead: fc.array(fc.nat(29)).map((positions) => new Set(positions)),
        }),
        (events, receipts, conflicts, rest) => {
          const body = decodeChunkBody(encodeChunkBody({ ...content(events), receipts, conflicts, ...rest }));
          expect(body).toEqual({ events, receipts, conflicts, ...rest });
          // toEqual looks past properties called __proto__
          const names = (list: readonly LoggedEvent[]) =>
            list.map(({ properties }) => Object.entries(properties).sort());
          expect(names(body.events)).toEqual(names(events));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('tells an event without properties from one whose property has no name', () => {
    const events = [logged({ properties: {} }), logged({ properties: { '': 'x' } }), logged({ properties: {} })];
    expect(decodeChunkBody(encodeChunkBody(content(events))).events).toEqual(events);
  });

  test('is frozen: a chunk written today is read by the next version', () => {
    const document =
      '{"events":{"v":1,"type":["call"],"customer":["ada","bob"],"source":[""],"revision":[1],"shape":[["tokens"],[]],"t":[0,0],"c":[0,1],"s":[0,0],"r":[0,0],"p":[0,1],"index":[0,1],"id":["a","b"],"at":[1000,-1],"values":{".tokens":["1.5"]}},"receipts":[["b-1",3,2,1,1,0,4]],"conflicts":null}';
    const events = [
      logged({ id: 'a', occurredAtMicros: 1000, properties: { tokens: '1.5' } }),
      logged({ index: 1, id: 'b', customer: 'bob', occurredAtMicros: 999, properties: {} }),
    ];
    const receipts = [{ batchId: 'b-1', carried: 3, stored: 2, duplicates: 1, retimed: 1, conflicts: 0, rejected: 4 }];
    const nothing = { retimed: [], voids: [], dead: new Set() };
    expect(decodeChunkBody(deflateRawSync(document))).toEqual({ events, receipts, conflicts: [], ...nothing });
    expect(inflateRawSync(encodeChunkBody({ ...content(events), receipts })).toString()).toBe(document);
    const added =
      '"retimed":[["b-1",2,"ada","","a",7]],"voids":[[0,"ada","","c","wrong","k1",5,1],[1,"ada","","b","","k1",5,0]],"dead":[1]';
    const rest = {
      retimed: [{ batchId: 'b-1', index: 2, customer: 'ada', source: '', id: 'a', occurredAtMicros: 7 }],
      voids: [
        { ...{ index: 0, customer: 'ada', source: '', id: 'c', reason: 'wrong', by: 'k1' }, ...asked(true) },
        { ...{ index: 1, customer: 'ada', source: '', id: 'b', reason: '', by: 'k1' }, ...asked(false) },
      ],
      dead: new Set([1]),
    };
    const written = `${document.slice(0, -1)},${added}}`;
    expect(inflateRawSync(encodeChunkBody({ ...content(events), receipts, ...rest })).toString()).toBe(written);
    expect(decodeChunkBody(deflateRawSync(written))).toEqual({ events, receipts, conflicts: [], ...rest });
  });

  test('tells the events that count from those that came dead', () => {
    const events = [logged({ id: 'a' }), logged({ id: 'b' }), logged({ id: 'c' })];
    const dead = new Set([1]);
    expect(liveEvents(decodeChunkBody(encodeChunkBody({ ...content(events), dead })))).toEqual([events[0], events[2]]);
    expect(liveEvents(decodeChunkBody(encodeChunkBody(content(events))))).toEqual(events);
  });

  test('of another version, or with columns that end too early, is refused as damaged', () => {
    const bytes = (change: (document: { events: Record<string, unknown> }) => void) => {
      const document = JSON.parse(inflateRawSync(encodeChunkBody(content([logged()]))).toString());
      change(document);
      return deflateRawSync(JSON.stringify(document));
    };
    const damaged = expect.objectContaining({ kind: 'invariant-broken', code: 'chunk_damaged' });
    const read = (body: Uint8Array) => {
      try {
        return decodeChunkBody(body);
      } catch (error) {
        return error;
      }
    };
    expect(read(bytes(({ events }) => Object.assign(events, { v: 2 })))).toEqual(damaged);
    expect(read(bytes(({ events }) => Object.assign(events, { at: [] })))).toEqual(damaged);
    expect(read(bytes(({ events }) => Object.assign(events, { values: {} })))).toEqual(damaged);
    expect(read(bytes((document) => Object.assign(document, { voids: [[1, 2]] })))).toEqual(damaged);
    expect(read(Buffer.from('no deflate'))).toEqual(damaged);
    expect(read(deflateRawSync('no json'))).toEqual(damaged);
  });
});
