import { BillingError } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { type ArchivePartitionDeps, archivePartition } from './archive-partition.ts';
import { partitionsOfHour } from './log-partition.ts';
import type { ArchivePosition, ArchiveProgress, UsageClaims } from './ports.ts';
import { appendDeadline, HOUR_MILLIS, LOG_LIFE_MILLIS, logExpirySeconds } from './retention.ts';

/**
 * Walks the born hours of a project whose append deadline has passed, from where it stopped last, and archives their
 * partitions. It goes on only over what is archived: an hour that fails is tried again the next time, and nothing is skipped
 * however long nobody came by. An hour lives for 16 days after its deadline.
 */
export interface ArchiveDeps extends ArchivePartitionDeps {
  readonly headers: Pick<UsageClaims, 'findHeader'>;
  readonly progress: ArchiveProgress;
}

export interface ArchiveResult {
  readonly stored: number;
  readonly events: number;
  /** Partitions of hours that had expired and of which the log no longer held everything: what nobody archived in time. */
  readonly lost: readonly string[];
  /** How long the next hour has waited, in ms after it could have been archived; 0 when none is waiting. */
  readonly overdueMillis: number;
}

/** The writers' clocks differ a little from ours: what they began before the deadline is in the log by then. */
const SETTLING_MILLIS = HOUR_MILLIS;

/** When the partitions of the hour that begins at `hourMillis` may be archived, in ms. */
export function archivableAt(hourMillis: number): number {
  return appendDeadline(hourMillis + HOUR_MILLIS) + SETTLING_MILLIS;
}

/** Where a project's walk stands; a project that was never walked begins with the oldest hour the log can hold. */
export async function archivePosition(
  project: ProjectId,
  { progress, clock }: Pick<ArchiveDeps, 'progress' | 'clock'>,
): Promise<ArchivePosition> {
  const oldest = millisOf(clock.now()) - LOG_LIFE_MILLIS;
  const known = await progress.read(project);
  return known ?? { hourMillis: Math.floor(oldest / HOUR_MILLIS) * HOUR_MILLIS, partitionsDone: 0 };
}

/** Archives until `stopAt`, or until no hour is due. Throws what kept a partition from being archived. */
export async function archiveUsage(
  input: { readonly project: ProjectId; readonly from: ArchivePosition; readonly stopAt: Instant },
  deps: ArchiveDeps,
): Promise<ArchiveResult> {
  const { project, stopAt } = input;
  const lost: string[] = [];
  let [stored, events] = [0, 0];
  let { hourMillis, partitionsDone } = input.from;
  const isTimeLeft = () => deps.clock.now() < stopAt;
  const isDue = () => archivableAt(hourMillis) <= millisOf(deps.clock.now());
  const save = () => deps.progress.write(project, { hourMillis, partitionsDone });
  try {
    while (isDue() && isTimeLeft()) {
      const header = await deps.headers.findHeader(project, hourMillis);
      const partitions = header === undefined ? [] : partitionsOfHour(header, hourMillis);
      while (partitionsDone < partitions.length && isTimeLeft()) {
        const partition = partitions[partitionsDone] ?? '';
        const archived = await archivedOrLost({ project, partition }, hourMillis, deps);
        if (archived === 'lost') lost.push(partition);
        else if (archived.result === 'stored') {
          stored += 1;
          events += archived.events;
        }
        partitionsDone += 1;
      }
      if (partitionsDone < partitions.length) break;
      hourMillis += HOUR_MILLIS;
      partitionsDone = 0;
    }
  } finally {
    await save();
  }
  const overdueMillis = Math.max(0, millisOf(deps.clock.now()) - archivableAt(hourMillis));
  return { stored, events, lost, overdueMillis };
}

/** Of an hour that has expired the log may have lost chunks already: then there is nothing left to wait for. */
async function archivedOrLost(
  place: { readonly project: ProjectId; readonly partition: string },
  hourMillis: number,
  deps: ArchiveDeps,
) {
  try {
    return await archivePartition(place, deps);
  } catch (error) {
    const isExpired = millisOf(deps.clock.now()) / 1000 > logExpirySeconds(hourMillis + HOUR_MILLIS);
    if (isExpired && error instanceof BillingError && error.code === 'archive_gap') return 'lost' as const;
    throw error;
  }
}
