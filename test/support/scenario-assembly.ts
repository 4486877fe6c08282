import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Resource, runApp } from '../lib/synthesized.ts';

/** The cloud assembly all scenarios run, synthesized once per test run. */
declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the assembly. */
    cdkOut: string;
  }
}

export default function setup(project: TestProject): () => void {
  const { status, stderr, outdir } = runApp({ stage: 'dev' });
  if (status !== 0) throw new Error(`The app does not synthesize:\n${stderr}`);
  project.provide('cdkOut', outdir);
  return () => {
    for (const folder of [outdir, changedHome(outdir)]) rmSync(folder, { recursive: true, force: true });
  };
}

/** Beside the assembly, so that the end of the test run removes both. */
const changedHome = (cdkOut: string) => `${cdkOut}-changed`;

export type Resources = Record<string, Resource & { Properties: Record<string, unknown> }>;

/** A copy of an assembly in which a test has changed resources: they are mutable here, of all stacks by logical id. */
export function changedAssembly(cdkOut: string, change: (resources: Resources) => void): string {
  mkdirSync(changedHome(cdkOut), { recursive: true });
  const copy = mkdtempSync(join(changedHome(cdkOut), 'copy-'));
  cpSync(cdkOut, copy, { recursive: true });
  for (const file of readdirSync(copy).filter((name) => name.endsWith('.template.json'))) {
    const template = JSON.parse(readFileSync(join(copy, file), 'utf8')) as { Resources: Resources };
    change(template.Resources);
    writeFileSync(join(copy, file), JSON.stringify(template));
  }
  return copy;
}

/** How long a message that was received and not finished stays away, in real seconds. */
const HURRIED_SECONDS = 6;

/**
 * The same app with impatient queues: SQS visibility runs in real time, and six minutes of it are too many for a test. Only
 * the two numbers change that say when a message comes back.
 */
export function hurriedAssembly(cdkOut: string): string {
  return changedAssembly(cdkOut, (resources) => {
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type === 'AWS::SQS::Queue') Properties.VisibilityTimeout = HURRIED_SECONDS;
      if (
        Type === 'AWS::Lambda::Function' &&
        /Appends usage|dead usage|queued webhooks|step of a job on usage/.test(String(Properties.Description))
      )
        Properties.Timeout = HURRIED_SECONDS;
    }
  });
}

/**
 * The same app without its daily billing trigger, for stories that ask for their runs: a clock that is moved over a trigger fires it
 * where it then stands, and that run would bill beside whatever the story does next.
 */
export function billedByRequest(cdkOut: string): string {
  let found = 0;
  const copy = changedAssembly(cdkOut, (resources) => {
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type !== 'AWS::Scheduler::Schedule' || Properties.Description !== 'Bills what has closed') continue;
      Properties.State = 'DISABLED';
      found += 1;
    }
  });
  if (found !== 1) throw new Error(`Expected one daily billing schedule in the assembly, found ${found}.`);
  return copy;
}
