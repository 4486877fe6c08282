import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';
import type { FunctionName } from '../../lambdas/shared/env.ts';

/** Where each function's handler file is, from the root of the repository. A function without a line here does not compile. */
export const HANDLERS: Readonly<Record<FunctionName, string>> = {
  'post-events': 'lambdas/ingest/post-events.ts',
  entitlements: 'lambdas/entitlements/entitlements.ts',
  'append-usage': 'lambdas/usage/append-usage.ts',
  'run-usage-job': 'lambdas/usage/run-usage-job.ts',
  'reconcile-sample': 'lambdas/usage/reconcile-sample.ts',
  'park-messages': 'lambdas/usage/park-messages.ts',
  'fold-usage': 'lambdas/usage/fold-usage.ts',
  'sweep-usage': 'lambdas/usage/sweep-usage.ts',
  'archive-usage': 'lambdas/usage/archive-usage.ts',
  'publish-usage': 'lambdas/usage/publish-usage.ts',
  api: 'lambdas/api/api.ts',
  'start-due-runs': 'lambdas/billing/start-due-runs.ts',
  'settle-usage': 'lambdas/billing/settle-usage.ts',
  'reconcile-usage': 'lambdas/billing/reconcile-usage.ts',
  'write-manifest': 'lambdas/billing/write-manifest.ts',
  'rate-accounts': 'lambdas/billing/rate-accounts.ts',
  'issue-invoices': 'lambdas/billing/issue-invoices.ts',
  'push-invoices': 'lambdas/billing/push-invoices.ts',
  'finish-run': 'lambdas/billing/finish-run.ts',
  'publish-outbox': 'lambdas/billing/publish-outbox.ts',
  'receive-stripe': 'lambdas/webhooks/receive-stripe.ts',
  'apply-stripe': 'lambdas/webhooks/apply-stripe.ts',
};

const ROOT = resolve(import.meta.dirname, '../..');
const OUTPUT = join(ROOT, 'cdk.out', 'bundles');

/** CommonJS packages inside an ES module still call `require`; Node has none in a module unless one is made. */
const REQUIRE_IN_ESM =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** How every function is bundled; the bench measures bundles made the same way. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: false,
  legalComments: 'none',
  banner: { js: REQUIRE_IN_ESM },
  logLevel: 'warning',
} satisfies BuildOptions;

let built = false;

/**
 * The folder with the bundle (`index.mjs`) of one function. All functions are bundled together on the first call: one
 * esbuild run reads each shared file once, where one run per function would read the SDK seventeen times.
 */
export function bundleOf(name: FunctionName): string {
  if (!built) buildAll();
  built = true;
  return join(OUTPUT, name);
}

function buildAll(): void {
  const result = buildSync({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(HANDLERS).map(([name, file]) => ({ in: file, out: join(name, 'index') })),
    outdir: OUTPUT,
    outExtension: { '.js': '.mjs' },
    write: false,
    ...BUNDLE_OPTIONS,
  });
  for (const file of result.outputFiles) writeWhole(file.path, file.contents);
}

/** Two synths may run at once (tests do): a reader sees the old file or the new one, never half of one. */
function writeWhole(path: string, contents: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  if (isSame(path, contents)) return;
  const temporary = join(OUTPUT, `.${process.pid}.tmp`);
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

function isSame(path: string, contents: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(contents);
  } catch {
    return false;
  }
}
