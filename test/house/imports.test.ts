import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOMS, ROOT, sourceFiles } from './rooms.ts';

const rules = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: { name: string }[];
  options: object;
};

async function look(root: string): Promise<ICruiseResult> {
  const rooms = ROOMS.filter((room) => existsSync(join(root, room)));
  const options = { ...rules.options, baseDir: root, ruleSet: { forbidden: rules.forbidden }, validate: true };
  const { output } = await cruise(rooms, options as ICruiseOptions);
  return output as ICruiseResult;
}

test('every file of every room was read, and none breaks an import rule', async () => {
  const seen = await look(ROOT);
  const read = new Set(seen.modules.map((module) => module.source));
  expect(sourceFiles().length).toBeGreaterThan(100);
  expect(sourceFiles().filter((file) => !read.has(file))).toEqual([]);
  expect(seen.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
});

/** One file per line, the one thing it says, and the rule that must object. */
const PLANTED: readonly (readonly [file: string, text: string, rule: string])[] = [
  ['core/usage/reads-files.ts', "import 'node:fs';", 'core-is-pure'],
  ['core/usage/calls-aws.ts', "import '@aws-sdk/client-dynamodb';", 'core-is-pure'],
  ['core/usage/types-of-stripe.ts', "import type Stripe from 'stripe'; export type A = Stripe;", 'core-is-pure'],
  ['adapters/stripe/asks-lambda.ts', "import '../../lambdas/shared/a.ts';", 'adapters-know-only-core'],
  ['lambdas/usage/own-adapter.ts', "import '../../adapters/stripe/a.ts';", 'lambdas-reach-adapters-through-wire'],
  ['lambdas/usage/own-client.ts', "import '@aws-sdk/client-sqs';", 'lambdas-reach-adapters-through-wire'],
  ['lambdas/usage/asks-stack.ts', "import '../../lib/a.ts';", 'lambdas-know-no-stack'],
  ['lambdas/usage/asks-neighbour.ts', "import './a.ts';", 'a-function-keeps-to-its-own-file'],
  ['lambdas/api/routes/asks-usage.ts', "import '../../usage/a.ts';", 'the-api-keeps-to-its-folder'],
  ['lambdas/shared/asks-usage.ts', "import '../usage/a.ts';", 'shared-knows-no-function'],
  ['lib/runs-core.ts', "import '../core/a.ts';", 'lib-wires-and-never-computes'],
  ['lib/runs-contract.ts', "import '../lambdas/shared/env.ts';", 'lib-wires-and-never-computes'],
  ['lib/other-types.ts', "import type { A } from '../core/a.ts'; export type B = A;", 'lib-takes-only-contract-types'],
  ['lib/uses-zod.ts', "import 'zod';", 'lib-uses-cdk-only'],
  ['lib/second-function.ts', "import 'aws-cdk-lib/aws-lambda-nodejs';", 'one-nodejs-function'],
  ['local/asks-stack.ts', "import '../lib/a.ts';", 'local-reads-templates-not-stacks'],
  ['sdk/asks-core.ts', "import '../core/a.ts';", 'sdk-stands-alone'],
  ['dashboard/asks-core.ts', "import '../core/a.ts';", 'dashboard-speaks-through-sdk'],
  ['local/asks-bench.ts', "import '../bench/a.ts';", 'bench-is-not-imported'],
  ['core/one.ts', "import './two.ts';", 'no-circles'],
  ['core/lost.ts', "import './nowhere.ts';", 'everything-resolves'],
];
/** What they import, blameless in itself. */
const TARGETS = [
  ['core/a.ts', 'export type A = string;'],
  ['core/two.ts', "import './one.ts';"],
  ['adapters/stripe/a.ts', ''],
  ['lambdas/shared/a.ts', ''],
  ['lambdas/shared/env.ts', ''],
  ['lambdas/usage/a.ts', ''],
  ['lib/a.ts', ''],
  ['bench/a.ts', ''],
] as const;

describe('a planted violation is found', () => {
  let root = '';
  let found: string[] = [];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'imports-'));
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    for (const [file, text] of [...TARGETS, ...PLANTED]) plant(join(root, file), text);
    const seen = await look(root);
    found = seen.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test.each(PLANTED)('%s: %s', (file, _text, rule) => {
    expect(found).toContain(`${rule}: ${file}`);
  });

  test('and every rule has one', () => {
    const planted = new Set(PLANTED.map(([, , rule]) => rule));
    expect(rules.forbidden.map((rule) => rule.name).filter((name) => !planted.has(name))).toEqual([]);
  });
});

function plant(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
