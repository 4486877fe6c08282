import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** What a warm worker remembers of a partition, by identity, and the CPU with which a cold one reads it. */
export interface IdentityMemory {
  readonly identityBytes: number;
  /** Milliseconds of CPU for a million identities, the reading from DynamoDB not counted. */
  readonly cpuMillisPerMillion: number;
}

export function identityMemory(): IdentityMemory {
  const entry = path.join(import.meta.dirname, 'entries/identity-memory.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', entry], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Identities could not be measured: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as IdentityMemory;
}
