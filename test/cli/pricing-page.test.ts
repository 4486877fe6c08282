import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { estimateCalls } from '../../cli/estimate-api.ts';
import { grouped } from '../../cli/pricing/describe-price.ts';
import { oneCharge, TOKENS, used } from '../../cli/pricing/example.ts';
import { sectionText } from '../../cli/pricing/page.ts';
import { pricingPage } from '../../cli/pricing/pricing-page.ts';

it('docs/pricing.md is what its examples come to; `npm run pricing` writes it', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/pricing.md'), 'utf8');
  expect(page).toBe(await pricingPage());
});

it('an example whose total is not the one worked out by hand stops the page', async () => {
  const price = { model: 'per_unit', unit_price: '0.002' };
  const request = oneCharge(TOKENS, { key: 'tokens', name: 'Tokens', price }, { usage: [used('tokens', '1500')] });
  const written = (total: string) => {
    const parts = [{ request, total, sum: 'by hand' }];
    const examples = [{ title: 'Per unit', rule: 'A rule.', used: '1,500 tokens.', parts }];
    return sectionText({ title: 'Models', text: '', examples }, estimateCalls());
  };
  // 1500 x 0.002
  expect(await written('3.00')).toContain('| **Total** | | | **3.00** |');
  await expect(written('3.01')).rejects.toThrow('Per unit comes to 3.00');
});

it('numbers are shown with their thousands apart, digits after the point as they are', () => {
  expect(['1234567.8901', '-1000', '999', '833/30', ''].map(grouped)).toEqual([
    '1,234,567.8901',
    '-1,000',
    '999',
    '833/30',
    '',
  ]);
});
