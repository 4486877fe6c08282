import { expect, test } from 'vitest';
import { leaseSlots, type ThrottleState } from '../../../core/payments/throttle.ts';

const RATES = { perEndpoint: 20, global: 80, burst: 4 };

function lease(state: ThrottleState, endpoint: string, count: number, nowMs: number) {
  const answer = leaseSlots(state, { endpoint, count, nowMs, maxWaitMs: 60_000 }, RATES);
  if (!answer.granted) throw new Error(`refused, free in ${answer.freeInMs}`);
  return answer;
}

test('an idle bucket starts as far back as both bursts allow and gives one slot every 50 ms', () => {
  const { slotsMs } = lease({}, 'pay', 7, 1000);
  // 4 slots of 50 ms back for the endpoint, 4 of 12.5 ms for all: the later one counts
  expect(slotsMs).toEqual([950, 1000, 1050, 1100, 1150, 1200, 1250]);
});

test('no second holds more than 25 calls of an endpoint, however the leases are cut', () => {
  let state: ThrottleState = {};
  const called: number[] = [];
  for (const count of [1, 3, 10, 2, 25, 7, 1, 1, 30]) {
    const answer = lease(state, 'pay', count, 1000);
    state = answer.state;
    called.push(...answer.slotsMs.map((slot) => Math.max(slot, 1000)));
  }
  for (const start of called) {
    expect(called.filter((at) => at >= start && at < start + 1000).length).toBeLessThanOrEqual(25);
  }
});

test('two leases never share a slot', () => {
  const first = lease({}, 'pay', 5, 1000);
  const second = lease(first.state, 'pay', 5, 1000);
  expect(Math.min(...second.slotsMs)).toBe(Math.max(...first.slotsMs) + 50);
});

test('all endpoints together pay for 80 a second', () => {
  let state: ThrottleState = {};
  for (const endpoint of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) state = lease(state, endpoint, 20, 1000).state;
  // 160 calls at 12.5 ms, begun a burst of 50 ms early
  expect(state['*']).toBe(2950);
  expect(Math.min(...lease(state, 'i', 1, 1000).slotsMs)).toBe(2950);
});

test('a lease too far away is refused and takes nothing', () => {
  const { state } = lease({}, 'pay', 100, 1000);
  const answer = leaseSlots(state, { endpoint: 'pay', count: 1, nowMs: 1000, maxWaitMs: 2000 }, RATES);
  expect(answer).toEqual({ granted: false, freeInMs: 4950 });
});

test('a bucket filled under a clock that was far ahead starts again', () => {
  const { state } = lease({}, 'pay', 5, 10_000_000);
  expect(lease(state, 'pay', 1, 1000).slotsMs).toEqual([950]);
});
