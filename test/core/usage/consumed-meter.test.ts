import { describe, expect, test } from 'vitest';
import { CONSUMED_PROPERTY, consumedMark, consumedOf, sentProperties } from '../../../core/usage/consumed-meter.ts';

const QUOTA = { feature: 'searches', digest: 'ab12' };

describe('the mark of a consumption', () => {
  test('is read back as it was made, digits and all', () => {
    const properties = { n: '1', [CONSUMED_PROPERTY]: consumedMark(QUOTA, '0.100000000001') };
    expect(consumedOf(properties)).toEqual({ meter: 'consumed:searches:ab12', quantity: '0.100000000001' });
    expect(consumedOf({ n: '1' })).toBeNull();
  });
  test('is not shown to anybody: the properties are those that were sent', () => {
    expect(sentProperties({ n: '1', [CONSUMED_PROPERTY]: consumedMark(QUOTA, '1') })).toEqual({ n: '1' });
    expect(sentProperties({ consumed: '1' })).toEqual({ consumed: '1' });
  });
});
