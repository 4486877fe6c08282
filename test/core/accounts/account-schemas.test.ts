import { expect, test } from 'vitest';
import * as z from 'zod';
import { billingAccountOf, customerIdSchema, customerSchema } from '../../../core/accounts/customer.ts';
import { subscriptionSchema } from '../../../core/accounts/subscription.ts';
import { meterRevisionSchema } from '../../../core/catalog/meter.ts';
import { planVersionSchema } from '../../../core/catalog/plan.ts';
import { onePhase } from '../../support/subscription-fixtures.ts';

const customer = { id: 'acme', name: 'Acme', timeZone: 'Asia/Kolkata', currency: 'USD' };
const subscription = {
  id: 'sub_1',
  customer: 'acme',
  phases: onePhase('2026-11-14T10:15:00Z', 'growth', 3),
  start: '2026-11-14T10:15:00.000Z',
  end: null,
  interval: 'month',
  billing: 'calendar',
  billedThrough: '2026-11-14T10:15:00.000Z',
};

test('a customer lives in UTC unless another zone is named', () => {
  expect(customerSchema.parse(customer)).toEqual(customer);
  expect(customerSchema.parse({ id: 'acme', name: 'Acme' }).timeZone).toBe('UTC');
});

test.each([
  ['a fixed offset as zone', { timeZone: '+05:30' }],
  ['an unknown currency', { currency: 'usd' }],
  ['an id with a control character', { id: 'a\nb' }],
  ['an empty id', { id: '' }],
  ['an address that is none', { email: 'acme' }],
  ['51 entries of metadata', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, 'v'])) }],
  ['an unknown field', { timezone: 'UTC' }],
])('a customer with %s is refused', (_what, change) => {
  expect(customerSchema.safeParse({ ...customer, ...change }).success).toBe(false);
});

test.each([
  ['a start in another spelling', { start: '2026-11-14T10:15:00Z' }],
  ['version 0 of a plan', { phases: onePhase('2026-11-14T10:15:00Z', 'growth', 0) }],
  ['no phase', { phases: [] }],
  ['an unknown cycle', { billing: 'weekly' }],
  ['no end field', { end: undefined }],
])('a subscription with %s is refused', (_what, change) => {
  expect(subscriptionSchema.parse(subscription)).toEqual(subscription);
  expect(subscriptionSchema.safeParse({ ...subscription, ...change }).success).toBe(false);
});

test('a billing account is a customer in one currency', () => {
  expect(billingAccountOf(customerIdSchema.parse('acme'), 'EUR')).toBe('acme/EUR');
});

test('every schema can be printed as JSON Schema for the API’s document', () => {
  for (const schema of [customerSchema, subscriptionSchema, meterRevisionSchema, planVersionSchema]) {
    expect(z.toJSONSchema(schema)).toMatchObject({ type: 'object' });
  }
});
