import type { MeterRevision } from '../catalog/meter.ts';
import { invariantBroken } from '../errors.ts';
import { ArchiveWriter } from './archive-object.ts';
import { decodeChunkBody } from './chunk.ts';
import { type FoldDeps, foldPartition } from './fold-partitions.ts';
import type { LogPartition } from './log-partition.ts';
import { readRevisions } from './meter-revisions.ts';
import type { ArchiveObject, UsageArchive } from './ports.ts';

export interface ArchivePartitionDeps extends FoldDeps {
  readonly archive: UsageArchive;
}

export type PartitionArchived =
  | { readonly result: 'stored' | 'there_already'; readonly chunks: number; readonly events: number }
  /** Nothing was ever appended to it. */
  | { readonly result: 'empty' };

/**
 * Archives one closed partition: reads all of it strongly, folds what is not folded yet, and writes one object unless it is
 * there. Doing it again is harmless. Throws `archive_gap` when the views have seen more of the partition than the log still
 * holds, and `archive_differs` when another content lies under its name.
 */
export async function archivePartition(place: LogPartition, deps: ArchivePartitionDeps): Promise<PartitionArchived> {
  const object = await objectOf(place, deps);
  const folded = await foldedUpTo(place, object.chunks, deps);
  if (folded !== object.chunks)
    throw invariantBroken(
      'archive_gap',
      `Partition ${place.partition} of ${place.project} is folded up to chunk ${folded} and the log holds ${object.chunks}; it is not archived.`,
    );
  const { chunks, events } = object;
  if (chunks === 0) return { result: 'empty' };
  const put = await deps.archive.putOnce(object);
  if (put === 'stored') return { result: 'stored', chunks, events };
  if (put.sha256 === object.sha256) return { result: 'there_already', chunks, events };
  throw invariantBroken(
    'archive_differs',
    `The archive holds partition ${place.partition} of ${place.project} with SHA-256 ${put.sha256}; the log's is ${object.sha256}.`,
  );
}

async function objectOf(place: LogPartition, deps: ArchivePartitionDeps): Promise<ArchiveObject> {
  const writer = new ArchiveWriter(place);
  const revisions = new Map<number, MeterRevision>();
  for await (const page of deps.log.readChunks(place, 0)) {
    for (const chunk of page) {
      writer.add(chunk);
      await readRevisions(place.project, decodeChunkBody(chunk.body).events, revisions, deps);
    }
  }
  return writer.finish([...revisions.values()].sort((a, b) => a.revision - b.revision));
}

async function foldedUpTo(place: LogPartition, head: number, deps: ArchivePartitionDeps): Promise<number> {
  const { sequence } = await deps.views.readCursor(place);
  if (sequence >= head) return sequence;
  await foldPartition(place, deps);
  return (await deps.views.readCursor(place)).sequence;
}
