import { describe, expect, it } from 'vitest';
import { estimateApi } from '../../cli/estimate-api.ts';
import { pageOf } from '../../cli/vectors/page.ts';
import { runVector } from '../../cli/vectors/run-vector.ts';
import type { Vector } from '../../cli/vectors/vector.ts';

const ask = estimateApi();
const vector = (more: Partial<Vector>): Vector => ({
  id: 'lago-graduated-1',
  model: 'graduated',
  properties: {
    tiers: [
      { from: '0', to: '10', unitAmount: '10', flatAmount: '2' },
      { from: '11', to: null, unitAmount: '5', flatAmount: '3' },
    ],
  },
  usage: { units: '12' },
  // 10 x 10 + 2, and 2 x 5 + 3
  expected: { amount: '115.0', unitAmount: '9.58333' },
  ...more,
});

describe('a worked example of another system', () => {
  it('is reproduced when the estimate gives its number, and what is not compared is listed', async () => {
    expect(await runVector(vector({}), ask)).toEqual({
      id: 'lago-graduated-1',
      model: 'graduated',
      verdict: 'reproduced',
      reason: '',
      compared: ['amount'],
      notShown: ['unitAmount'],
    });
  });

  it('is a mismatch when the number is another, nothing is compared, the request is refused or nobody knows its model', async () => {
    const reasonOf = async (more: Partial<Vector>) => {
      const { verdict, reason } = await runVector(vector(more), ask);
      expect(verdict).toBe('mismatch');
      return reason;
    };
    expect(await reasonOf({ expected: { amount: '115.01' } })).toBe('amount is "115", expected "115.01"');
    expect(await reasonOf({ expected: { unitAmount: '1' } })).toBe('nothing of it is compared');
    expect(await reasonOf({ usage: { units: 'many' } })).toContain('estimate_invalid');
    expect(await reasonOf({ usage: { units: 12 } })).toBe('units is 12, not text');
    expect(await reasonOf({ model: 'astrology' })).toContain('no mapper knows the model astrology');
  });

  it('names the capability it waits for, the option or the ruling', async () => {
    expect(await runVector(vector({ id: 'om-x', model: 'grant_burndown' }), ask)).toMatchObject({
      verdict: 'later',
      reason: 'grants and wallets',
    });
    expect(await runVector(vector({ model: 'invoice_number' }), ask)).toMatchObject({ verdict: 'differs' });
    const properties = { packageAmount: '100', packageSize: '10', freeUnits: '10' };
    // ceil((121 - 10) / 10) x 100
    const packages = vector({ model: 'package', properties, usage: { units: '121' }, expected: { amount: '1200' } });
    expect(await runVector(packages, ask)).toMatchObject({ verdict: 'option', reason: '`allowance` for free units' });
  });

  it('is a row of the page, in the table of its source', async () => {
    const page = pageOf([
      await runVector(vector({}), ask),
      await runVector(vector({ id: 'om-x', model: 'coupon' }), ask),
    ]);
    expect(page).toContain('| lago-graduated-1 | graduated | reproduced |  | unitAmount |');
    expect(page).toContain('## OpenMeter');
    expect(page).toContain('| om-x | coupon | later | coupons |  |');
    expect(page).toContain('| all | 2 |');
  });
});
