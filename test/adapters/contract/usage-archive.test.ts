import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveReads, usageArchive } from '../../../adapters/s3/usage-archive.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { ArchiveWriter, readArchiveObject } from '../../../core/usage/archive-object.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from '../../../local/gateway/gateway.ts';
import { openS3 } from '../../../local/parts/s3.ts';
import { logged, METERS, NOW_MILLIS, PROJECT, share } from '../../support/usage-fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'archive-'));
const Bucket = 'archive';
let gateway: Gateway;
let client: S3Client;

beforeAll(async () => {
  const s3 = openS3({ folder, clock: { now: () => NOW_MILLIS } });
  s3.objects.createBucket(Bucket);
  gateway = await startGateway({ principals: new Map(), backends: { s3: s3.handle } });
  const credentials = { accessKeyId: ADMIN_ACCESS_KEY_ID, secretAccessKey: 'local' };
  client = new S3Client({ endpoint: gateway.url, region: 'us-east-1', credentials });
});
afterAll(async () => {
  client.destroy();
  await gateway.close();
  rmSync(folder, { recursive: true });
});

function objectOf(partition: string, id: string, project = PROJECT) {
  const chunk = planChunk(new PartitionState(), [share('b', [logged({ id })])], NOW_MILLIS);
  const writer = new ArchiveWriter({ project, partition });
  if (chunk !== null) writer.add(chunk);
  return writer.finish([METERS]);
}

test('a partition is stored once under its name; whoever comes later is told the checksum that is there', async () => {
  const archive = usageArchive(client, Bucket);
  const first = objectOf('0.2026112103', 'a');
  expect(await archive.putOnce(first)).toBe('stored');
  expect(await archive.putOnce(first)).toEqual({ sha256: first.sha256 });
  expect(await archive.putOnce(objectOf('0.2026112103', 'other'))).toEqual({ sha256: first.sha256 });
  const Key = 'usage-log/prj_demo/2026112103/0.ndjson.gz';
  expect(await client.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({
    ContentType: 'application/gzip',
    Metadata: { sha256: first.sha256, chunks: '1', events: '1' },
  });
});

test('what was stored is listed by hour, described and read back', async () => {
  const archive = usageArchive(client, Bucket);
  for (const partition of ['1.2026112103', '10.2026112104', '2.202611210415'])
    await archive.putOnce(objectOf(partition, partition));
  await archive.putOnce(objectOf('0.2026112103', 'a', 'prj_demo2' as ProjectId));
  const reads = archiveReads(client, Bucket);
  const listed = [];
  for await (const page of reads.list(PROJECT)) listed.push(...page);
  expect(listed).toEqual(['0.2026112103', '1.2026112103', '10.2026112104', '2.202611210415']);
  const place = { project: PROJECT, partition: '10.2026112104' };
  expect(await reads.chunksOf(place)).toBe(1);
  const stored = await reads.read(place);
  if (stored === null) throw new Error('not found');
  expect(readArchiveObject(place, stored.bytes, stored.sha256)).toMatchObject({ place, revisions: [METERS] });
  expect(await reads.read({ project: PROJECT, partition: '9.2026112104' })).toBeNull();
});
