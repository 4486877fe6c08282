import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENV, type FunctionName } from '../../lambdas/shared/env.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}
export interface Synthesized {
  readonly data: Template;
  readonly service: Template;
}

/** Runs the app as `npx cdk` does, in a process without AWS credentials or region, into a folder of its own. */
export function runApp(context: Record<string, unknown>): { status: number | null; stderr: string; outdir: string } {
  mkdirSync(join(ROOT, 'cdk.out'), { recursive: true });
  const outdir = mkdtempSync(join(ROOT, 'cdk.out', 'test-'));
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify(context),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const run = spawnSync(process.execPath, ['bin/app.ts'], { cwd: ROOT, env, encoding: 'utf8' });
  return { status: run.status, stderr: run.stderr, outdir };
}

/** The two templates of a stage. Throws with what the app said when it does not synthesize. */
export function synthesize(stage: 'dev' | 'prod', context: Record<string, unknown> = {}): Synthesized {
  const { status, stderr, outdir } = runApp({ stage, ...context });
  try {
    if (status !== 0) throw new Error(`Stage ${stage} does not synthesize (exit ${status}):\n${stderr}`);
    const read = (stack: string): Template =>
      JSON.parse(readFileSync(join(outdir, `countinghouse-${stage}-${stack}.template.json`), 'utf8'));
    return { data: read('data'), service: read('service') };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The resources of one type, by logical id. */
export function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** The logical id that a Ref or GetAtt names; undefined for anything else. */
export function referred(value: unknown): string | undefined {
  const reference = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] } | undefined;
  return reference?.Ref ?? reference?.['Fn::GetAtt']?.[0];
}

/** The function a logical id belongs to: its construct is named after it, in Pascal case. */
export function functionNameOf(logicalId: string): FunctionName {
  const names = Object.keys(ENV) as FunctionName[];
  return names.find((name) => logicalId.includes(pascal(name))) ?? 'api';
}

function pascal(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
}
