import { expect, test } from 'vitest';
import { billedLines } from '../../../local/demo/demo-bill.ts';

const GB = 1_000_000_000_000n;
const NOTHING = { apiEu: 0n, apiOther: 0n, tokens: 0n, storagePeak: 0n };
const MONTH = { part: 31n, whole: 31n, served: 31n };

test('growth below its commitment: credits cover the EU calls and then tokens, and the rest to $90 is billed', () => {
  const usage = { apiEu: 100n, apiOther: 3000n, tokens: 300_000n, storagePeak: (255n * GB) / 10n };
  expect(Object.fromEntries(billedLines('growth', usage, MONTH))).toEqual({
    'platform/fixed': 4900n,
    'api/usage': 800n,
    'api_eu/usage': 0n,
    'tokens/usage': 410n,
    'storage/usage': 750n,
    'commitment/true-up': 2140n,
  });
});

test('growth above its commitment: all tiers of tokens, and a tenth more for what lies above $90', () => {
  const usage = { apiEu: 100n, apiOther: 11_000n, tokens: 1_395_000n, storagePeak: 30n * GB };
  expect(Object.fromEntries(billedLines('growth', usage, MONTH))).toEqual({
    'platform/fixed': 4900n,
    'api/usage': 4000n,
    'api_eu/usage': 0n,
    'tokens/usage': 2010n,
    'storage/usage': 750n,
    'commitment/overage': 266n,
  });
});

test('fifteen days of growth: fee, credits, commitment and the price of a level are 15/31', () => {
  const usage = { ...NOTHING, apiEu: 1000n, tokens: 10n, storagePeak: 80n * GB };
  expect(Object.fromEntries(billedLines('growth', usage, { part: 15n, whole: 31n, served: 15n }))).toEqual({
    'platform/fixed': 2371n,
    'api/usage': 0n,
    'api_eu/usage': 18n,
    'tokens/usage': 0n,
    'storage/usage': 968n,
    'commitment/true-up': 998n,
  });
});

test('scale without a share in the month prices usage, and a level by its days, and nothing else', () => {
  const usage = { apiEu: 1n, apiOther: 1000n, tokens: 500_001n, storagePeak: 50n * GB };
  expect(Object.fromEntries(billedLines('scale', usage, { part: 0n, whole: 31n, served: 21n }))).toEqual({
    'platform/fixed': 0n,
    'api/usage': 200n,
    'api_eu/usage': 0n,
    'tokens/usage': 450n,
    'storage/usage': 542n,
  });
});
