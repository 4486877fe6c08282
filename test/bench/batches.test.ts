import { describe, expect, test } from 'vitest';
import { Batches } from '../../bench/batches.ts';

const message = (messageId: string, bytes = 100) => ({ messageId, body: 'x'.repeat(bytes) });
const oneLane = (maxMessages: number) => new Batches({ lanes: 1, windowMillis: 5_000, maxMessages }, () => 0);

describe('a batch', () => {
  test('is invoked when its window ends, counted from its first message', () => {
    const batches = oneLane(100);
    expect(batches.add(message('a'), 1_000)).toEqual([]);
    expect(batches.add(message('b'), 4_000)).toEqual([]);
    expect(batches.due(5_999)).toEqual([]);
    expect(batches.due(7_000)).toEqual([{ lane: 0, atMillis: 6_000, messages: [message('a'), message('b')] }]);
    expect(batches.due(99_000)).toEqual([]);
  });

  test('is invoked at once when it is full by count', () => {
    const batches = oneLane(2);
    expect(batches.add(message('a'), 0)).toEqual([]);
    expect(batches.add(message('b'), 10)).toEqual([{ lane: 0, atMillis: 10, messages: [message('a'), message('b')] }]);
  });

  test('never passes the payload of an invocation', () => {
    const batches = oneLane(100);
    for (let i = 0; i < 5; i++) expect(batches.add(message(String(i), 1_100_000), i)).toEqual([]);
    // five of 1.1 MB are 5.5 MB; the sixth would pass 6 MB
    const [full] = batches.add(message('5', 1_100_000), 9);
    expect(full?.messages.map(({ messageId }) => messageId)).toEqual(['0', '1', '2', '3', '4']);
  });
});
