import type { MeterRevision } from '../catalog/meter.ts';
import type { MeterStore } from '../catalog/ports.ts';
import { invariantBroken, notFound } from '../errors.ts';
import { type ArchivedPartition, readArchiveObject } from './archive-object.ts';
import type { StoredChunk } from './chunk.ts';
import type { LogPartition } from './log-partition.ts';
import type { ArchiveReads, UsageLog } from './ports.ts';

/** Partitions are read several times while they are folded; so many stay unpacked in memory. */
const KEPT = 8;
/** As many chunks at a time as a query of the log gives. */
const CHUNKS_A_PAGE = 3;

/**
 * The archive as a usage log that can be folded: every object is checked against its checksum when it is read. Meter revisions
 * come from the objects too, so that nothing but the archive decides what is counted. It takes no chunks.
 */
export function archivedLog(archive: ArchiveReads): { log: UsageLog; meters: Pick<MeterStore, 'revision'> } {
  const kept = new Map<string, ArchivedPartition>();
  const revisions = new Map<string, MeterRevision>();
  const partitionOf = async (place: LogPartition): Promise<ArchivedPartition> => {
    const name = `${place.project}/${place.partition}`;
    const known = kept.get(name);
    if (known !== undefined) return known;
    const stored = await archive.read(place);
    if (stored === null) throw notFound('archive_missing', `The archive holds no partition ${place.partition}.`);
    const read = readArchiveObject(place, stored.bytes, stored.sha256);
    for (const revision of read.revisions) revisions.set(`${place.project}/${revision.revision}`, revision);
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= KEPT) kept.delete(oldest);
    kept.set(name, read);
    return read;
  };
  return {
    log: {
      async *readChunks(place, sequence): AsyncGenerator<readonly StoredChunk[]> {
        const { chunks } = await partitionOf(place);
        for (let from = sequence; from < chunks.length; from += CHUNKS_A_PAGE)
          yield chunks.slice(from, from + CHUNKS_A_PAGE);
      },
      async oldestAbove(place, sequence) {
        return (await partitionOf(place)).chunks[sequence]?.appendedAtMillis ?? null;
      },
      putChunk: async () => {
        throw invariantBroken('archive_closed', 'Nothing is appended to an archived partition.');
      },
    },
    meters: {
      async revision(project, revision) {
        const found = revisions.get(`${project}/${revision}`);
        if (found !== undefined) return found;
        throw invariantBroken(
          'meter_revision_missing',
          `The archive holds no meter revision ${revision} of ${project}.`,
        );
      },
    },
  };
}
