import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Objects of the local S3 as files: one file an object, its description in the first line, its bytes after it.
 *
 * Owns: storage. A put writes a new file and renames it, so a kill leaves the old object or the new one. Nothing awaits
 * between a look and a write, so conditions hold among concurrent callers. Does not own: HTTP and XML (s3.ts).
 */
export interface ObjectHead {
  readonly key: string;
  /** MD5 of the bytes, hex, without quotes. */
  readonly etag: string;
  /** In bytes. */
  readonly size: number;
  /** ms since the epoch, whole seconds as in S3. */
  readonly lastModified: number;
  /** Headers that come back with the object: content-type, x-amz-meta-* and the like. */
  readonly headers: Readonly<Record<string, string>>;
}

export class ObjectFiles {
  readonly #folder: string;
  readonly #buckets = new Map<string, Map<string, ObjectHead>>();

  /** Opens the folder, made when missing, and reads what is there. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const bucket of readdirSync(folder)) {
      const heads = new Map<string, ObjectHead>();
      for (const name of readdirSync(join(folder, bucket))) {
        const file = join(folder, bucket, name);
        if (name.endsWith('.new')) rmSync(file);
        else {
          const head = splitFile(readFileSync(file)).head;
          heads.set(head.key, head);
        }
      }
      this.#buckets.set(bucket, heads);
    }
  }

  createBucket(bucket: string): void {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw new Error(`${bucket} is no name of a bucket`);
    mkdirSync(join(this.#folder, bucket), { recursive: true });
    if (!this.#buckets.has(bucket)) this.#buckets.set(bucket, new Map());
  }

  hasBucket(bucket: string): boolean {
    return this.#buckets.has(bucket);
  }

  head(bucket: string, key: string): ObjectHead | undefined {
    return this.#buckets.get(bucket)?.get(key);
  }

  read(bucket: string, key: string): Buffer {
    return splitFile(readFileSync(this.#file(bucket, key))).bytes;
  }

  put(bucket: string, input: { key: string; bytes: Buffer; headers: Record<string, string>; now: number }): ObjectHead {
    const head: ObjectHead = {
      key: input.key,
      etag: createHash('md5').update(input.bytes).digest('hex'),
      size: input.bytes.length,
      lastModified: Math.floor(input.now / 1000) * 1000,
      headers: input.headers,
    };
    const file = this.#file(bucket, input.key);
    writeFileSync(`${file}.new`, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), input.bytes]));
    renameSync(`${file}.new`, file);
    this.#buckets.get(bucket)?.set(input.key, head);
    return head;
  }

  delete(bucket: string, key: string): void {
    if (this.#buckets.get(bucket)?.delete(key)) rmSync(this.#file(bucket, key), { force: true });
  }

  /** Objects whose keys start with `prefix`, in the order of their keys' UTF-8 bytes. */
  list(bucket: string, prefix: string): ObjectHead[] {
    return [...(this.#buckets.get(bucket)?.values() ?? [])]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  /** Keys may be longer than a file name and hold any sign, so the name is their hash. */
  #file(bucket: string, key: string): string {
    return join(this.#folder, bucket, createHash('sha256').update(key).digest('hex'));
  }
}

function splitFile(content: Buffer): { head: ObjectHead; bytes: Buffer } {
  const end = content.indexOf(10);
  return { head: JSON.parse(content.subarray(0, end).toString()) as ObjectHead, bytes: content.subarray(end + 1) };
}
