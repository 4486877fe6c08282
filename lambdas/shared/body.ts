import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { BillingError, invalid } from '../../core/errors.ts';

/** The largest body after decompression, in bytes. */
export const MAX_BODY_BYTES = 1_048_576;

/** What of a request is needed to read its body; API Gateway's payload format 2.0 has more. */
export interface BodySource {
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  readonly body?: string | undefined;
  readonly isBase64Encoded?: boolean | undefined;
}

/** The header's value whatever the case of its name. API Gateway sends names in lower case, which is looked at first. */
export function headerOf(source: Pick<BodySource, 'headers'>, name: string): string | undefined {
  const headers = source.headers ?? {};
  if (headers[name] !== undefined) return headers[name];
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
  return found === undefined ? undefined : headers[found];
}

/**
 * The body's bytes, decompressed (gzip, deflate, br). Decompression stops at the limit, so a bomb costs no more than a full
 * body. Throws `body_too_large` (413), `content_encoding_unknown` (415) or `body_unreadable` (400).
 */
export function readBody(source: BodySource): Buffer {
  const raw = Buffer.from(source.body ?? '', source.isBase64Encoded ? 'base64' : 'utf8');
  if (raw.byteLength > MAX_BODY_BYTES) throw tooLarge();
  return isCompressed(source) && raw.byteLength > 0 ? decompressed(raw, encodingOf(source)) : raw;
}

function encodingOf(source: BodySource): string {
  return (headerOf(source, 'content-encoding') ?? '').trim().toLowerCase();
}

function isCompressed(source: BodySource): boolean {
  return !['', 'identity'].includes(encodingOf(source));
}

/** The body as text; bytes that are not UTF-8 are refused with `body_unreadable`, never replaced. */
export function readText(source: BodySource): string {
  const { body = '', isBase64Encoded = false } = source;
  // What arrived as text needs no way through bytes; only its size is still to be seen.
  if (!isBase64Encoded && !isCompressed(source)) {
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) throw tooLarge();
    return body;
  }
  const bytes = readBody(source);
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    throw unreadable('The body is not UTF-8 text.', error);
  }
}
const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decompressed(raw: Buffer, encoding: string): Buffer {
  const options = { maxOutputLength: MAX_BODY_BYTES };
  try {
    if (encoding === 'gzip' || encoding === 'x-gzip') return gunzipSync(raw, options);
    if (encoding === 'deflate') return inflateSync(raw, options);
    if (encoding === 'br') return brotliDecompressSync(raw, options);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw unreadable(`The body says content-encoding ${encoding} and cannot be decompressed as that.`, error);
  }
  throw invalid(
    'content_encoding_unknown',
    `Got content-encoding ${JSON.stringify(encoding.slice(0, 32))}; expected gzip, deflate, br or none.`,
  );
}

function tooLarge(): BillingError {
  return invalid(
    'body_too_large',
    `The body is larger than ${MAX_BODY_BYTES} bytes (1 MiB) after decompression. Send it in smaller parts.`,
  );
}

function unreadable(message: string, cause: unknown): BillingError {
  return new BillingError({ kind: 'invalid', code: 'body_unreadable', message, cause });
}
