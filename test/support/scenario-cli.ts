import { execFile } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export interface CliResult {
  readonly code: number;
  /** Both streams, in order of arrival per stream. */
  readonly output: string;
}

/** Runs one of the operator's commands (`import`, `keys`, `replay`) in a process of its own, as `npm run` does. */
export function runCli(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  const { PATH = '', HOME = '' } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join('cli', `${name}.ts`), ...args],
      { cwd: ROOT, env: { PATH, HOME, TZ: 'Pacific/Auckland', ...env }, timeout: 120_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, output: `${stdout}${stderr}` });
      },
    );
  });
}

/** A key of a project that is made when it is not there, by `npm run keys -- create`. Throws what the command said. */
export async function newKey(outputs: string, project: string, more: readonly string[] = []): Promise<string> {
  const { code, output } = await runCli('keys', ['create', '--project', project, '--outputs', outputs, ...more]);
  const key = /^ck_\S+$/m.exec(output)?.[0];
  if (code !== 0 || key === undefined) throw new Error(`npm run keys ended with ${code}: ${output}`);
  return key;
}
