import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { EvidenceReads, EvidenceStore } from '../../core/invoicing/ports.ts';
import { isAlreadyThere } from './already-there.ts';

/** Without the right to list the bucket, S3 refuses what is not there as it refuses what may not be read. */
const NOT_HANDED_OUT: ReadonlySet<string> = new Set(['NoSuchKey', 'NotFound', 'AccessDenied']);

/** Evidence in the archive bucket: an object's key holds the hash of its content, so what is there is what would be written. */
export function evidenceStore(client: S3Client, bucket: string): EvidenceStore {
  return {
    async putOnce(key, body) {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body,
            ContentType: 'application/json',
            ContentEncoding: 'gzip',
            IfNoneMatch: '*',
          }),
        );
      } catch (error) {
        if (!isAlreadyThere(error)) throw error;
      }
    },
  };
}

/** Evidence for those who may only read it. */
export function evidenceReads(client: S3Client, bucket: string): EvidenceReads {
  return {
    async read(key) {
      try {
        const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await answer.Body?.transformToByteArray()) ?? null;
      } catch (error) {
        if (error instanceof Error && NOT_HANDED_OUT.has(error.name)) return null;
        throw error;
      }
    },
  };
}
