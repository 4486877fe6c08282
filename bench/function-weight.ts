import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { ENV, type FunctionName } from '../lambdas/shared/env.ts';
import { HANDLERS } from '../lib/constructs/function-bundles.ts';
import { type Bundle, bundled, bundledText, withFolder } from './bundles.ts';
import { medianOf } from './median.ts';

/**
 * What a cold start has to load: kilobytes of each bundle, whole and without the AWS SDK, and the milliseconds until its
 * module has run, each in a fresh process, beside a handler that is empty and one that only makes ingest's SDK clients.
 */
export interface Weight {
  readonly name: string;
  readonly wholeKb: number;
  readonly ownKb: number;
  readonly initMs: number;
}

const SDK = /node_modules\/(@aws-sdk|@smithy|@aws|bowser|fast-xml-parser|fast-xml-builder|strnum|tslib)\//;
const EMPTY = 'export const handler = async () => ({});';
const CLIENTS = `import { dynamoClient, queueClient, secretsClient } from './lambdas/shared/wire/clients.ts';
export const clients = [dynamoClient(), queueClient(), secretsClient()];
export const handler = async () => clients.length;`;
const TIMED =
  'const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t); process.exit(0)';

/** Bytes of a bundle that come from the AWS SDK and what it brings, and all of its bytes. */
export function bytesOf(metafile: Metafile): { whole: number; sdk: number } {
  const [output] = Object.values(metafile.outputs);
  if (output === undefined) throw new Error('The bundle has no output.');
  let sdk = 0;
  for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) if (SDK.test(file)) sdk += bytesInOutput;
  return { whole: output.bytes, sdk };
}

interface Loadable {
  readonly name: string;
  readonly bundle: Bundle;
  readonly environment: readonly string[];
}

export async function functionWeights(runs: number, onStep: (step: string) => void): Promise<Weight[]> {
  onStep('bundling');
  const functions: Loadable[] = [
    { name: '(empty)', bundle: await bundledText(EMPTY), environment: [] },
    { name: "(post-events' SDK clients only)", bundle: await bundledText(CLIENTS), environment: [] },
  ];
  for (const name of Object.keys(HANDLERS) as FunctionName[]) {
    functions.push({ name, bundle: await bundled(HANDLERS[name]), environment: ENV[name] });
  }
  return withFolder(async (folder) => {
    const inits = new Map<string, number[]>();
    // In turns, so that a busy moment of the machine does not hit one function alone.
    for (let run = 1; run <= runs; run++) {
      onStep(`loading each, ${run} of ${runs}`);
      for (const { name, bundle, environment } of functions) {
        const file = path.join(folder, name, 'index.mjs');
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, bundle.text);
        inits.set(name, [...(inits.get(name) ?? []), initMillis(file, environment)]);
      }
    }
    return functions.map(({ name, bundle }) => {
      const { whole, sdk } = bytesOf(bundle.metafile);
      return { name, wholeKb: whole / 1000, ownKb: (whole - sdk) / 1000, initMs: medianOf(inits.get(name) ?? []) };
    });
  });
}

/** Variables that a function makes sense of while it starts. */
const READ_AT_START: Readonly<Record<string, string>> = { MAX_VIEW_AGE_SECONDS: '900', RATE_LIMITS: '{}' };

function initMillis(file: string, environment: readonly string[]): number {
  const env = {
    PATH: process.env.PATH,
    AWS_REGION: 'us-east-1',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    ...Object.fromEntries(environment.map((name) => [name, READ_AT_START[name] ?? 'bench'])),
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', TIMED, file], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${file} does not start: ${stderr.slice(-2000)}`);
  return Number(stdout.trim().split('\n').at(-1));
}
