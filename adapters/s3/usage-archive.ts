import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { invariantBroken } from '../../core/errors.ts';
import type { ProjectId } from '../../core/ids.ts';
import type { LogPartition } from '../../core/usage/log-partition.ts';
import type { ArchiveReads, UsageArchive } from '../../core/usage/ports.ts';
import { isAlreadyThere } from './already-there.ts';

/** `usage-log/<project>/<born bucket>/<shard>.ndjson.gz`: a partition's name the other way round, so that a listing is in the order of time. */
const FOLDER = 'usage-log';
const ENDING = '.ndjson.gz';

function keyOf({ project, partition }: LogPartition): string {
  const [shard, bucket] = partition.split('.');
  return `${FOLDER}/${project}/${bucket}/${shard}${ENDING}`;
}

function partitionOf(key: string): string {
  const [, , bucket, name = ''] = key.split('/');
  return `${name.slice(0, -ENDING.length)}.${bucket}`;
}

/** The archive of the usage log in the archive bucket; an object that is there is never written again. */
export function usageArchive(client: S3Client, bucket: string): UsageArchive {
  return {
    async putOnce({ place, bytes, sha256, chunks, events }) {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: keyOf(place),
            Body: bytes,
            ContentType: 'application/gzip',
            // A partition's chunks are numbered without gaps: their count is the sequence of its head.
            Metadata: { sha256, chunks: String(chunks), events: String(events) },
            IfNoneMatch: '*',
          }),
        );
        return 'stored';
      } catch (error) {
        if (!isAlreadyThere(error)) throw error;
        const { Metadata } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: keyOf(place) }));
        return { sha256: Metadata?.sha256 ?? '' };
      }
    },
  };
}

/** The archive for those who restore from it. Listing and reading need rights that no function has. */
export function archiveReads(client: S3Client, bucket: string): ArchiveReads {
  return {
    async *list(project: ProjectId) {
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: `${FOLDER}/${project}/`, ContinuationToken: token }),
        );
        yield (page.Contents ?? []).map(({ Key = '' }) => partitionOf(Key));
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },

    async chunksOf(place) {
      const { Metadata } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: keyOf(place) }));
      return Number(Metadata?.chunks ?? 0);
    },

    async read(place) {
      try {
        const { Body, Metadata } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(place) }));
        const bytes = await Body?.transformToByteArray();
        if (bytes === undefined || Metadata?.sha256 === undefined)
          throw invariantBroken(
            'archive_damaged',
            `${keyOf(place)} lacks its content or the checksum in its metadata.`,
          );
        return { bytes, sha256: Metadata.sha256 };
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return null;
        throw error;
      }
    },
  };
}
