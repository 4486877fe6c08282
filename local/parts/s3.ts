import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { s3Target } from '../gateway/access.ts';
import { type Backend, ServiceError, type ServiceRequest, type ServiceResponse } from '../gateway/backend.ts';
import { escapeXml } from '../gateway/protocol.ts';
import type { LocalClock } from './clock.ts';
import { ObjectFiles, type ObjectHead } from './s3-objects.ts';

/**
 * S3: the subset that the product uses, in files. Put (with If-None-Match), Get, Head, List v2, Delete, Head and Create
 * Bucket, ETags, CRC-32 checksums. Everything else answers 501 rather than something that only looks right.
 *
 * Owns: the protocol. Does not own: storage (s3-objects.ts), access (local/gateway), lifecycle rules, versions.
 */
export interface S3Part {
  readonly handle: Backend;
  /** The objects themselves, for provisioning and for tests. */
  readonly objects: ObjectFiles;
}

/** Conditions and features that would change the meaning of a call; ignoring one would be a wrong answer. */
const REFUSED_HEADERS = [
  'range',
  'if-match',
  'if-modified-since',
  'if-unmodified-since',
  'x-amz-copy-source',
  'x-amz-tagging',
  'x-amz-object-lock-mode',
  'x-amz-write-offset-bytes',
];
const KEPT_HEADERS = ['content-type', 'content-encoding', 'content-disposition', 'content-language', 'cache-control'];

/** Opens the buckets in `folder`. `clock` gives the time of objects. */
export function openS3(options: { folder: string; clock: Pick<LocalClock, 'now'> }): S3Part {
  const objects = new ObjectFiles(options.folder);
  return { objects, handle: async (request) => answer(request, objects, options.clock.now()) };
}

function answer(request: ServiceRequest, objects: ObjectFiles, now: number): ServiceResponse {
  const { bucket, key, query } = s3Target(request.url);
  const refused = REFUSED_HEADERS.find((name) => request.headers[name] !== undefined);
  if (refused !== undefined) throw notImplemented(`the header ${refused}`);
  if (request.operation === 'CreateBucket') {
    objects.createBucket(bucket);
    return { status: 200, headers: { location: `/${bucket}` }, body: '' };
  }
  if (!objects.hasBucket(bucket)) throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404);
  switch (request.operation) {
    case 'PutObject':
      return putObject(request, objects, { bucket, key, now });
    case 'GetObject':
    case 'HeadObject':
      return getObject(request, objects, { bucket, key });
    case 'DeleteObject':
      objects.delete(bucket, key);
      return { status: 204, body: '' };
    case 'ListObjectsV2':
      return listObjects(bucket, query, objects);
    case 'HeadBucket':
      return { status: 200, body: '' };
    default:
      throw notImplemented(request.operation);
  }
}

function putObject(
  request: ServiceRequest,
  objects: ObjectFiles,
  at: { bucket: string; key: string; now: number },
): ServiceResponse {
  const condition = request.headers['if-none-match'];
  if (condition !== undefined && condition !== '*') throw notImplemented('If-None-Match with anything but *');
  const bytes = plainBody(request);
  const checksum = crcOf(bytes);
  const claimed = request.headers['x-amz-checksum-crc32'];
  if (claimed !== undefined && claimed !== checksum) {
    throw new ServiceError('BadDigest', 'The CRC32 you specified did not match the calculated checksum.');
  }
  if (condition === '*' && objects.head(at.bucket, at.key) !== undefined) {
    throw new ServiceError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
  }
  const headers = { ...keptHeaders(request.headers), 'x-amz-checksum-crc32': checksum };
  const head = objects.put(at.bucket, { key: at.key, bytes, headers, now: at.now });
  return { status: 200, headers: { etag: `"${head.etag}"`, 'x-amz-checksum-crc32': checksum }, body: '' };
}

function getObject(
  request: ServiceRequest,
  objects: ObjectFiles,
  at: { bucket: string; key: string },
): ServiceResponse {
  const head = objects.head(at.bucket, at.key);
  if (head === undefined) throw new ServiceError('NoSuchKey', 'The specified key does not exist.', 404);
  const headers = {
    ...head.headers,
    etag: `"${head.etag}"`,
    'last-modified': new Date(head.lastModified).toUTCString(),
    'accept-ranges': 'bytes',
    'content-length': String(head.size),
  };
  const known = request.headers['if-none-match'];
  if (known !== undefined && (known === '*' || known.replaceAll('"', '') === head.etag)) {
    return { status: 304, headers: { etag: headers.etag }, body: '' };
  }
  return { status: 200, headers, body: request.method === 'HEAD' ? '' : objects.read(at.bucket, at.key) };
}

function listObjects(bucket: string, query: URLSearchParams, objects: ObjectFiles): ServiceResponse {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const entries = grouped(objects.list(bucket, prefix), prefix, delimiter).filter(
    (entry) => Buffer.compare(Buffer.from(entry.name), Buffer.from(after)) > 0,
  );
  const page = entries.slice(0, limit);
  const last = page.at(-1);
  const isTruncated = entries.length > page.length && last !== undefined;
  const spelled = (text: string) => escapeXml(query.get('encoding-type') === 'url' ? encodeURIComponent(text) : text);
  const rows = page.map(({ name, head }) =>
    head === undefined
      ? `<CommonPrefixes><Prefix>${spelled(name)}</Prefix></CommonPrefixes>`
      : `<Contents><Key>${spelled(name)}</Key><LastModified>${new Date(head.lastModified).toISOString()}</LastModified>` +
        `<ETag>&quot;${head.etag}&quot;</ETag><Size>${head.size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Name>${bucket}</Name><Prefix>${spelled(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${limit}</MaxKeys>` +
    (delimiter === '' ? '' : `<Delimiter>${spelled(delimiter)}</Delimiter>`) +
    `<IsTruncated>${isTruncated}</IsTruncated>` +
    (isTruncated
      ? `<NextContinuationToken>${Buffer.from(last.name).toString('base64url')}</NextContinuationToken>`
      : '') +
    `${rows.join('')}</ListBucketResult>`;
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

interface Entry {
  readonly name: string;
  /** Missing: a common prefix. */
  readonly head?: ObjectHead;
}

/** Keys that share what stands before the next delimiter become one entry. */
function grouped(heads: readonly ObjectHead[], prefix: string, delimiter: string): Entry[] {
  if (delimiter === '') return heads.map((head) => ({ name: head.key, head }));
  const entries = new Map<string, Entry>();
  for (const head of heads) {
    const end = head.key.indexOf(delimiter, prefix.length);
    const name = end === -1 ? head.key : head.key.slice(0, end + delimiter.length);
    entries.set(name, end === -1 ? { name, head } : { name });
  }
  return [...entries.values()];
}

function keptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name, value]) => typeof value === 'string' && (KEPT_HEADERS.includes(name) || name.startsWith('x-amz-meta-')),
  ) as [string, string][];
  return Object.fromEntries(
    kept
      .map(
        ([name, value]) => [name, name === 'content-encoding' ? value.replace(/,?\s*aws-chunked/, '') : value] as const,
      )
      .filter(([, value]) => value !== ''),
  );
}

/** The object's bytes: the SDK sends streams in chunks of its own framing, `SIZE[;extension]\r\nBYTES\r\n ... 0\r\n trailers`. */
function plainBody(request: ServiceRequest): Buffer {
  const isChunked = String(request.headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-');
  if (!isChunked) return request.body;
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = request.body.indexOf('\r\n', at);
    const size = Number.parseInt(request.body.subarray(at, lineEnd).toString().split(';')[0] ?? '', 16);
    if (lineEnd === -1 || Number.isNaN(size)) throw new ServiceError('IncompleteBody', 'The chunked body is broken.');
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(request.body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

/** As in `x-amz-checksum-crc32`: base64 of four bytes, the highest first. */
function crcOf(bytes: Buffer): string {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32(bytes));
  return four.toString('base64');
}

function notImplemented(what: string): ServiceError {
  return new ServiceError('NotImplemented', `The local S3 does not have ${what}.`, 501);
}
