/** One stack per state folder: two would share tables and queues and each other's positions. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Throws when a living process has the folder. */
export function refuseStateInUse(folder: string): void {
  const file = fileOf(folder);
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  if (isAlive(pid)) throw new Error(`${folder} is in use by process ${pid}; stop it, or use another state folder.`);
}

/**
 * Takes the folder for this process; one that a killed process left behind is taken over.
 * @returns the way to give it back
 * @throws Error when a living process has it
 */
export function lockState(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  refuseStateInUse(folder);
  const file = fileOf(folder);
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

const fileOf = (folder: string) => path.join(folder, 'stack.pid');

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
