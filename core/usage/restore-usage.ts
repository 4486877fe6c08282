import { conflict } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { archivedLog } from './archived-log.ts';
import { type FoldDeps, foldPartition } from './fold-partitions.ts';
import type { ArchiveReads } from './ports.ts';

/**
 * Counts the archive of a project into a views table, by the very code that counts the log. The cursors of the table decide
 * what is missing, so it may be interrupted and begun again, and a table that has everything is left as it is.
 */
export interface RestoreDeps extends Omit<FoldDeps, 'log' | 'meters'> {
  readonly archive: ArchiveReads;
  /** Which meters look back to before they were made; absent where nobody knows, and then none does. */
  readonly newestMeters?: FoldDeps['meters']['newest'];
  /** Whether the table holds any usage of the project. */
  readonly hasUsage: (project: ProjectId) => Promise<boolean>;
}

export interface RestoreReport {
  readonly partitions: number;
  /** Partitions the table lacked, wholly or in part, and the events counted from them. */
  readonly restored: number;
  readonly events: number;
}

export interface RestoreInput {
  readonly project: ProjectId;
  /** Told how many partitions there are to restore, and then of each that is done. */
  readonly onStart?: (partitions: number) => void;
  readonly onPartition?: () => void;
}

/**
 * Throws `restore_refused` before anything is written when the table is not one that lacks something of this archive: when
 * it has counted more of a partition than is archived, or holds usage and has counted none of the archived partitions.
 * Throws `archive_damaged` for an object that is not what was stored.
 */
export async function restoreUsage(input: RestoreInput, deps: RestoreDeps): Promise<RestoreReport> {
  const { project } = input;
  const { partitions, behind } = await survey(project, deps);
  input.onStart?.(behind.length);
  const { log, meters } = archivedLog(deps.archive);
  const newest: FoldDeps['meters']['newest'] = deps.newestMeters ?? (async () => ({ revision: 0, meters: [] }));
  const folding: FoldDeps = { ...deps, log, meters: { ...meters, newest } };
  let events = 0;
  for (const partition of behind) {
    events += await foldPartition({ project, partition }, folding);
    input.onPartition?.();
  }
  return { partitions, restored: behind.length, events };
}

/** What the archive has and the table lacks. */
async function survey(project: ProjectId, deps: RestoreDeps) {
  const behind: string[] = [];
  let partitions = 0;
  let counted = 0;
  for await (const page of deps.archive.list(project)) {
    for (const partition of page) {
      partitions += 1;
      const place = { project, partition };
      const { sequence } = await deps.views.readCursor(place);
      if (sequence > 0) counted += 1;
      const chunks = sequence === 0 ? Number.POSITIVE_INFINITY : await deps.archive.chunksOf(place);
      if (sequence > chunks)
        throw refused(
          `The table has counted chunk ${sequence} of partition ${partition}, and the archive holds ${chunks}. It is the table of another log, or newer than this archive.`,
        );
      if (sequence < chunks) behind.push(partition);
    }
  }
  if (partitions > 0 && counted === 0 && (await deps.hasUsage(project)))
    throw refused(
      `The table holds usage of ${project} but has counted none of its ${partitions} archived partitions: it was not made from this log. Give an empty table.`,
    );
  return { partitions, behind };
}

function refused(why: string): Error {
  return conflict('restore_refused', `Nothing was restored. ${why}`);
}
