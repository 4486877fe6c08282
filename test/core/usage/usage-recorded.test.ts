import { expect, test } from 'vitest';
import { usageRecordedSchema } from '../../../core/events/event-schemas.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { usageRecorded } from '../../../core/usage/usage-recorded.ts';
import { logged, NOW_MILLIS, PLACE, share } from '../../support/usage-fixtures.ts';

function dataOf(customers: readonly string[]) {
  const events = customers.map((customer, i) => logged({ id: `order-${i}`, customer }));
  const chunk = planChunk(new PartitionState(), [share('b', events)], NOW_MILLIS);
  if (chunk === null) throw new Error('no chunk');
  const data = usageRecorded(PLACE, chunk)?.data;
  return usageRecordedSchema.parse(data);
}

test('an event names the customers of its chunk, in order', () => {
  expect(dataOf(['bob', 'ada', 'bob'])).toMatchObject({
    customers: ['ada', 'bob'],
    customers_total: 2,
    customers_not_listed: 0,
  });
});

test('an event names a hundred customers and says how many it does not name', () => {
  const data = dataOf(Array.from({ length: 130 }, (_, i) => `customer-${i}`));
  expect([data.customers.length, data.customers_total, data.customers_not_listed]).toEqual([100, 130, 30]);
});

test('an event of a hundred customers with long names stays small, and says how many it does not name', () => {
  // 250 rockets of 4 bytes and 3 digits: 1,003 bytes, 2 quotes and a comma; 19 of them are 19,114 bytes, 20 are 20,120
  const data = dataOf(Array.from({ length: 100 }, (_, i) => `${100 + i}${'🚀'.repeat(250)}`));
  expect([data.customers.length, data.customers_total, data.customers_not_listed]).toEqual([19, 100, 81]);
  expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThan(25_000);
});
