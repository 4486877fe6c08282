import { describe, expect, test } from 'vitest';
import { batchIdAt, receivedMillisOf } from '../../../core/usage/batch-id.ts';

describe('batch ids', () => {
  test('are UUIDs of version 7 and tell the millisecond of their request', () => {
    // RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F is of 2022-02-22T19:22:22Z.
    const random = Buffer.from('0cc398c4dc0c0c07398f', 'hex');
    const id = batchIdAt(Date.parse('2022-02-22T19:22:22Z'), Buffer.concat([random, Buffer.from('ff', 'hex')]));
    expect(id).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
    expect(receivedMillisOf(id)).toBe(1_645_557_742_000);
    expect(receivedMillisOf(`${id}.12`)).toBe(1_645_557_742_000);
  });

  test('of another making tell nothing', () => {
    for (const id of ['b-1', '', '017f22e2-79b0-4cc3-98c4-dc0c0c07398f', '017f22e2-79b0-7cc3-98c4-dc0c0c07398f.x'])
      expect(receivedMillisOf(id)).toBeNull();
  });
});
