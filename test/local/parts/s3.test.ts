import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roleArn } from '../../../local/gateway/arns.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from '../../../local/gateway/gateway.ts';
import { openS3 } from '../../../local/parts/s3.ts';

const folder = mkdtempSync(join(tmpdir(), 's3-'));
const clock = { now: () => Date.parse('2026-11-21T03:00:00.500Z') };
const s3 = openS3({ folder, clock });
let gateway: Gateway;
const Bucket = 'archive';

const clientAs = (accessKeyId: string) =>
  new S3Client({
    endpoint: gateway.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: 'local' },
  });
let client: S3Client;

beforeAll(async () => {
  s3.objects.createBucket(Bucket);
  const statement = (Action: string[], Resource: string) => ({ Statement: { Effect: 'Allow', Action, Resource } });
  gateway = await startGateway({
    principals: new Map([
      [
        'BLIND',
        {
          name: 'blind',
          arn: roleArn('blind'),
          identityPolicies: [statement(['s3:GetObject', 's3:PutObject'], `arn:aws:s3:::${Bucket}/evidence/*`)],
        },
      ],
    ]),
    backends: { s3: s3.handle },
  });
  client = clientAs(ADMIN_ACCESS_KEY_ID);
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

test('an object comes back byte for byte, with its type, its metadata and its ETag', async () => {
  const Body = Buffer.from([0, 255, 13, 10, 7]);
  const Key = 'runs/é a+b%/1.bin';
  const put = await client.send(
    new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/x-test', Metadata: { run: 'r1' } }),
  );
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(Body);
  expect(got).toMatchObject({ ContentType: 'application/x-test', Metadata: { run: 'r1' }, ETag: put.ETag });
  // md5 of the five bytes, by `printf '\000\377\r\n\007' | md5sum`.
  expect(put.ETag).toBe('"6e78556485042f424cc366ab7f11ebf9"');
  const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
  expect(head).toMatchObject({ ContentLength: 5, LastModified: new Date('2026-11-21T03:00:00Z') });
});

test('a stream is stored without the framing that the SDK sends it in', async () => {
  const text = 'one line\n'.repeat(20_000);
  await client.send(
    new PutObjectCommand({
      Bucket,
      Key: 'stream',
      Body: Readable.from([text.slice(0, 70_000), text.slice(70_000)]),
      ContentLength: text.length,
    }),
  );
  const got = await client.send(new GetObjectCommand({ Bucket, Key: 'stream' }));
  expect(await got.Body?.transformToString()).toBe(text);
  expect(got.ContentEncoding).toBeUndefined();
});

test('If-None-Match lets one of two writers create an object, also when they come at once', async () => {
  const put = (Body: string) => client.send(new PutObjectCommand({ Bucket, Key: 'once', Body, IfNoneMatch: '*' }));
  const both = await Promise.allSettled([put('first'), put('second')]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expect(put('third')).rejects.toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
});

test('a list is ordered by key, comes in pages, and folds what shares a prefix', async () => {
  for (const Key of ['list/b', 'list/a', 'list/sub/1', 'list/sub/2', 'list/Z', 'list/ä']) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  }
  const first = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', MaxKeys: 4 }));
  expect(first.Contents?.map(({ Key }) => Key)).toEqual(['list/Z', 'list/a', 'list/b', 'list/sub/1']);
  expect(first.IsTruncated).toBe(true);
  const rest = await client.send(
    new ListObjectsV2Command({ Bucket, Prefix: 'list/', ContinuationToken: first.NextContinuationToken }),
  );
  expect(rest.Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
    ['list/sub/2', 10],
    ['list/ä', 7],
  ]);
  expect(rest.IsTruncated).toBe(false);
  const folded = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', Delimiter: '/' }));
  expect(folded.CommonPrefixes).toEqual([{ Prefix: 'list/sub/' }]);
  expect(folded.Contents).toHaveLength(4);
});

test('what is not there is NoSuchKey or NoSuchBucket, and a deleted object is gone', async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
  await expect(client.send(new GetObjectCommand({ Bucket, Key: 'gone' }))).rejects.toMatchObject({ name: 'NoSuchKey' });
  await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'gone' }))).rejects.toMatchObject({ name: 'NotFound' });
  await expect(client.send(new GetObjectCommand({ Bucket: 'nowhere', Key: 'a' }))).rejects.toMatchObject({
    name: 'NoSuchBucket',
  });
});

test('one who may not list a bucket does not learn whether an object is there', async () => {
  const blind = clientAs('BLIND');
  await blind.send(new PutObjectCommand({ Bucket, Key: 'evidence/a', Body: 'x' }));
  expect(await (await blind.send(new GetObjectCommand({ Bucket, Key: 'evidence/a' }))).Body?.transformToString()).toBe(
    'x',
  );
  for (const Key of ['evidence/missing', 'other/a']) {
    await expect(blind.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });
  }
});

test('what the local S3 does not have is refused, not half done', async () => {
  await expect(client.send(new GetObjectCommand({ Bucket, Key: 'stream', Range: 'bytes=0-1' }))).rejects.toMatchObject({
    name: 'NotImplemented',
    $metadata: { httpStatusCode: 501 },
  });
  await expect(
    client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/stream` })),
  ).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
});

test('objects are there again when the folder is opened anew', async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'still here', ContentType: 'text/plain' }));
  const again = openS3({ folder, clock });
  expect(again.objects.read(Bucket, 'kept').toString()).toBe('still here');
  expect(again.objects.head(Bucket, 'kept')?.headers['content-type']).toBe('text/plain');
});
