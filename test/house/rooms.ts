import { globSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root. */
export const ROOT = join(import.meta.dirname, '../..');

/** The rooms that hold source code (docs and test hold none that ships). */
export const ROOMS = ['bin', 'lib', 'lambdas', 'core', 'adapters', 'local', 'bench', 'sdk', 'dashboard'];

/** Every source file of the rooms below `root`, with forward slashes, generated ones exempt. */
export function sourceFiles(root = ROOT): string[] {
  const found = globSync(`{${ROOMS.join(',')}}/**/*.{ts,tsx,mts,mjs}`, {
    cwd: root,
    exclude: (name) => ['node_modules', 'generated', 'dist'].includes(name),
  });
  return found.map((file) => file.replaceAll('\\', '/')).sort();
}
