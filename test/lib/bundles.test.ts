import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundled } from '../../bench/bundles.ts';
import { bytesOf } from '../../bench/function-weight.ts';
import { ENV, type FunctionName } from '../../lambdas/shared/env.ts';
import { bundleOf, HANDLERS } from '../../lib/constructs/function-bundles.ts';

const NAMES = Object.keys(ENV) as FunctionName[];
/** What ingest may weigh, and any other function: both are paid in init time at every cold start. */
const LARGEST_INGEST_KB = 600;
const LARGEST_KB = 1_000;
/** Of ingest's bundle, what is not the AWS SDK. */
const LARGEST_OWN_INGEST_KB = 100;
/** The API speaks with DynamoDB, S3, SQS, Secrets Manager and Step Functions; each client weighs some 30 KB. */
const LARGEST_API_KB = 1_200;
const LIMITS: Readonly<Record<string, number>> = { 'post-events': LARGEST_INGEST_KB, api: LARGEST_API_KB };

const textOf = (name: FunctionName) => readFileSync(join(bundleOf(name), 'index.mjs'), 'utf8');

describe('bundles', () => {
  beforeAll(() => {
    bundleOf('api');
  });

  test.each(NAMES)('%s is one file within its weight', (name) => {
    const kilobytes = statSync(join(bundleOf(name), 'index.mjs')).size / 1000;
    expect(kilobytes).toBeLessThan(LIMITS[name] ?? LARGEST_KB);
  });

  test('no bundle carries the translations of zod: `import * as z` lets them fall away, `import { z }` does not', () => {
    expect(NAMES.filter((name) => textOf(name).includes('Eingabe: erwartet'))).toEqual([]);
  });

  test('ingest carries no schema library and no provider', () => {
    expect(textOf('post-events')).not.toContain('ZodError');
    expect(textOf('post-events')).not.toContain('api.stripe.com');
  });

  test("ingest's own code, the bundle less the AWS SDK, is at most 100 KB", async () => {
    const { whole, sdk } = bytesOf((await bundled(HANDLERS['post-events'])).metafile);
    expect(sdk / 1000).toBeGreaterThan(100);
    expect((whole - sdk) / 1000).toBeLessThan(LARGEST_OWN_INGEST_KB);
  });
});
