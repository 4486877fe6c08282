import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { BUNDLE_OPTIONS } from '../lib/constructs/function-bundles.ts';

/** Bundles of the bench, made with exactly the options of the deployed ones. */
const ROOT = path.resolve(import.meta.dirname, '..');

export interface Bundle {
  readonly text: string;
  readonly metafile: Metafile;
}

/** Bundles one entry point; `file` is relative to the repository. */
export async function bundled(file: string): Promise<Bundle> {
  return made({ entryPoints: [path.join(ROOT, file)] });
}

/** Bundles a source that exists nowhere, as if it lay in the repository's root. */
export async function bundledText(contents: string): Promise<Bundle> {
  return made({ stdin: { contents, resolveDir: ROOT, loader: 'ts', sourcefile: 'bench-entry.ts' } });
}

async function made(entry: object): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...BUNDLE_OPTIONS,
    ...entry,
    absWorkingDir: ROOT,
    outfile: 'index.mjs',
    metafile: true,
    write: false,
  });
  return { text: outputFiles?.[0]?.text ?? '', metafile };
}

/** Writes bundles into a folder of their own below cdk.out, for as long as `use` runs. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const parent = path.join(ROOT, 'cdk.out');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, 'bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Loads a bundle as a module. */
export async function loaded<T>(folder: string, bundle: Bundle): Promise<T> {
  const file = path.join(folder, 'module.mjs');
  writeFileSync(file, bundle.text);
  return (await import(pathToFileURL(file).href)) as T;
}
