import { brotliCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BillingError } from '../../../core/errors.ts';
import {
  decodeUsageBatch,
  encodeUsageBatches,
  type PlacedEvent,
  packedUsageBatches,
} from '../../../core/usage/usage-batch.ts';
import { NOW_MILLIS, PARTITION, PROJECT } from '../../support/usage-fixtures.ts';
import { text } from './arbitraries.ts';

function placed(change: Partial<PlacedEvent> = {}): PlacedEvent {
  return {
    index: 0,
    id: 'order-1',
    type: 'call',
    customer: 'ada',
    source: '',
    occurredAtMicros: 1_795_230_000_000_000,
    properties: { tokens: '1.5' },
    partition: PARTITION,
    ...change,
  };
}
const batchOf = (events: readonly PlacedEvent[], rejected = 0) => ({
  project: PROJECT,
  batchId: 'b-1',
  rejected,
  meterRevision: 4,
  receivedAtMillis: NOW_MILLIS,
  events,
});

const anEvent: fc.Arbitrary<Omit<PlacedEvent, 'index'>> = fc.record({
  id: text(1, 40),
  type: text(1, 10),
  customer: text(1, 40),
  source: text(0, 10),
  occurredAtMicros: fc.integer({ min: 0, max: 7_000_000_000_000_000 }),
  properties: fc
    .array(fc.tuple(fc.oneof(text(1, 20), fc.constantFrom('__proto__', 'constructor')), text(0, 200)), { maxLength: 8 })
    .map((entries) => Object.fromEntries(entries)),
  partition: fc.constantFrom('0.2026112103', '0.2026112102', '7.202611210315'),
});

describe('the message between ingest and append', () => {
  test('is frozen: what is in a queue today is read by the next version', () => {
    const message =
      '{"e":[[0,0,"call","ada","","order-1",1795230000000000,{"tokens":"1.5"}]],"v":1,"p":"prj_demo","m":4,"at":1795230000000,"b":"b-1","r":2,"parts":["0.2026112103"]}';
    expect(encodeUsageBatches(batchOf([placed()], 2))).toEqual([message]);
    const before =
      '{"v":1,"p":"prj_demo","b":"b-1","r":2,"m":4,"at":1795230000000,"parts":["0.2026112103"],"e":[[0,0,"call","ada","","order-1",1795230000000000,{"tokens":"1.5"}]]}';
    const packedBefore = `b${brotliCompressSync(before).toString('base64')}`;
    for (const known of [message, before, packedBefore])
      expect(decodeUsageBatch(known)).toEqual(batchOf([placed()], 2));
  });

  test('with voids has a version of its own, so that an append that knows none leaves it alone; it is frozen too', () => {
    const voids = [
      { index: 0, partition: PARTITION, customer: 'ada', source: 'web', id: 'order-1', reason: 'wrong', by: 'key1' },
    ];
    const message =
      '{"e":[],"x":[[0,0,"ada","web","order-1","wrong","key1"]],"v":2,"p":"prj_demo","m":4,"at":1795230000000,"b":"b-1","r":0,"parts":["0.2026112103"]}';
    expect(encodeUsageBatches({ ...batchOf([]), voids })).toEqual([message]);
    expect(decodeUsageBatch(message)).toEqual({ ...batchOf([]), voids });
    expect(encodeUsageBatches({ ...batchOf([placed()]), voids: [] })).toEqual(encodeUsageBatches(batchOf([placed()])));
  });

  test('carries events before voids, each once, over as many messages as it takes', () => {
    const events = Array.from({ length: 30 }, (_, index) => placed({ index, id: `e-${index}` }));
    const voids = Array.from({ length: 300 }, (_, index) => ({
      ...{ index, partition: `0.20261121${10 + (index % 10)}`, customer: 'ada', source: '' },
      ...{ id: `order-${index}`, reason: 'r'.repeat(100), by: 'key1' },
    }));
    const limit = 24 * 1024;
    const messages = encodeUsageBatches({ ...batchOf(events), voids }, limit);
    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(limit);
    const batches = messages.map(decodeUsageBatch);
    expect(batches.flatMap((batch) => batch.events)).toEqual(events);
    expect(batches.flatMap((batch) => batch.voids ?? [])).toEqual(voids);
  });

  test.each([
    ['with voids under the version without', '"v":1,', '"v":2,'],
    ['without voids under the version with', '"x":', '"y":'],
    ['with a void that is not whole', ',"key1"]', ']'],
    ['with a void in a partition it does not list', '[[0,0,"ada"', '[[0,7,"ada"'],
  ])('%s is refused as unreadable', (_what, to, from) => {
    const voids = [{ index: 0, partition: PARTITION, customer: 'ada', source: '', id: 'a', reason: '', by: 'key1' }];
    const [message = ''] = encodeUsageBatches({ ...batchOf([]), voids });
    const changed = message.includes(from) ? message.replace(from, to) : message.replace(to, from);
    expect(changed).not.toBe(message);
    expect(() => decodeUsageBatch(changed)).toThrow(expect.objectContaining({ code: 'message_unreadable' }));
  });

  test('carries every event exactly once, in order, in messages below the limit, however many there are', () => {
    const limit = 24 * 1024;
    fc.assert(
      fc.property(fc.array(anEvent, { minLength: 1, maxLength: 60 }), fc.nat(5), (some, rejected) => {
        const events = some.map((event, index) => ({ ...event, index }));
        const messages = encodeUsageBatches(batchOf(events, rejected), limit);
        const batches = messages.map(decodeUsageBatch);
        for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(limit);
        expect(batches.flatMap((batch) => batch.events)).toEqual(events);
        expect(batches.map(({ batchId }) => batchId)).toEqual(
          batches.map((_batch, i) => (i === 0 ? 'b-1' : `b-1.${i}`)),
        );
        expect(batches.map((batch) => batch.rejected)).toEqual(batches.map((_batch, i) => (i === 0 ? rejected : 0)));
      }),
      { numRuns: 300 },
    );
  });

  test('stays below 256 KB with 1,000 events in 1,000 partitions, and with the largest event the door lets in', () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      placed({
        index,
        id: `order-${index}`,
        partition: `${100 + index}.202611210315`,
        properties: { note: 'n'.repeat(500) },
      }),
    );
    const largest = placed({
      id: '🚀'.repeat(255),
      customer: '🚀'.repeat(255),
      type: '🚀'.repeat(255),
      source: '🚀'.repeat(255),
      properties: Object.fromEntries(
        Array.from({ length: 50 }, (_, i) => [`${String(i).padStart(2, '0')}${'🔑'.repeat(62)}`, '🚀'.repeat(1000)]),
      ),
    });
    for (const events of [many, [largest, { ...largest, index: 1 }]]) {
      const messages = encodeUsageBatches(batchOf(events));
      expect(messages.length).toBeGreaterThan(1);
      for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(262_144);
      expect(messages.flatMap((message) => decodeUsageBatch(message).events)).toEqual(events);
    }
  });

  test('that the queue would bill more than once is packed, and says the same when it is read', () => {
    fc.assert(
      fc.property(
        fc.array(anEvent, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (some, times) => {
          const events = Array.from({ length: times }, () => some)
            .flat()
            .map((event, index) => ({ ...event, index }));
          const packed = packedUsageBatches(batchOf(events));
          const plain = encodeUsageBatches(batchOf(events));
          expect(packed.map(decodeUsageBatch)).toEqual(plain.map(decodeUsageBatch));
          expect(packed.map((message) => message.startsWith('z'))).toEqual(
            plain.map((message) => Buffer.byteLength(message) > 65_536),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  test.each([
    [65_536, false],
    [65_537, true],
  ])('of %i bytes is packed: %s', (bytes, isPacked) => {
    const note = (length: number) => batchOf([placed({ properties: { note: 'n'.repeat(length) } })]);
    const others = Buffer.byteLength(encodeUsageBatches(note(0))[0] ?? '');
    const [message = ''] = packedUsageBatches(note(bytes - others));
    expect(message.length <= 65_536 && message.startsWith('z')).toBe(isPacked);
  });

  test('follows one larger than any before it, and one that is smaller says nothing of it', () => {
    const events = Array.from({ length: 40 }, (_, i) =>
      placed({ index: i, properties: { note: 'ä'.repeat(1000 * i) } }),
    );
    const [message = '', ...others] = encodeUsageBatches(batchOf(events), Number.POSITIVE_INFINITY);
    expect(others).toEqual([]);
    expect(message.length).toBeGreaterThan(700_000);
    expect(decodeUsageBatch(message)).toEqual(batchOf(events));
    expect(decodeUsageBatch(encodeUsageBatches(batchOf([placed()]))[0] ?? '')).toEqual(batchOf([placed()]));
  });

  test.each([
    ['b'],
    ['b!'],
    ['z'],
    ['z!'],
    ['zAAAA'],
    ['bAAAA'],
    [''],
    ['not json'],
    ['null'],
    ['5'],
    ['[]'],
    ['{}'],
    ['{"v":2,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":[],"e":[]}'],
    ['{"v":1,"b":"b-1","r":0,"m":4,"at":1,"parts":[],"e":[]}'],
    ['{"v":1,"p":"prj_demo","r":0,"m":4,"at":1,"parts":[],"e":[]}'],
    ['{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":[],"e":{}}'],
    ['{"v":1,"p":"prj_demo","b":"b-1","m":4,"at":1,"parts":[],"e":[]}'],
    ['{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":"4","at":1,"parts":[],"e":[]}'],
    ['{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":[],"e":[5]}'],
    ['{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":[],"e":[[0,0,"call","ada","","order-1",1,{}]]}'],
    ['{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":["0.2026112103"],"e":[[0,0]]}'],
    [
      '{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":["0.2026112103"],"e":[[0,0,"call","ada","","order-1",1,null]]}',
    ],
    [
      '{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":["0.2026112103"],"e":[[0,0,"call","ada","","order-1",1,{"a":1}]]}',
    ],
    [
      '{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":["0.2026112103"],"e":[[0,0,"call",7,"","order-1",1,{}]]}',
    ],
    [
      '{"v":1,"p":"prj_demo","b":"b-1","r":0,"m":4,"at":1,"parts":["nowhere"],"e":[[0,0,"call","ada","","order-1",1,{}]]}',
    ],
    [
      '{"v":1,"p":"Demo","b":"b-1","r":0,"m":4,"at":1,"parts":["0.2026112103"],"e":[[0,0,"call","ada","","order-1",1,{}]]}',
    ],
  ])('that ingest did not write is unreadable by name, never half understood: %s', (message) => {
    let thrown: unknown;
    try {
      decodeUsageBatch(message);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BillingError);
    expect(thrown).toMatchObject({ kind: 'invalid', code: 'message_unreadable' });
  });
});
