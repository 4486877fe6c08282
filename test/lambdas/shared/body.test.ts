import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readText } from '../../../lambdas/shared/body.ts';

const encoded = (bytes: Buffer, encoding: string) => ({
  headers: { 'content-encoding': encoding },
  body: bytes.toString('base64'),
  isBase64Encoded: true,
});

describe('the body of a request', () => {
  it('is the same text plain, base64, gzip, deflate and br', () => {
    const text = '{"name":"Łódź"}';
    expect(readText({ body: text })).toBe(text);
    expect(readText({ body: Buffer.from(text).toString('base64'), isBase64Encoded: true })).toBe(text);
    expect(readText(encoded(gzipSync(text), 'gzip'))).toBe(text);
    expect(readText(encoded(deflateSync(text), 'Deflate'))).toBe(text);
    expect(readText(encoded(brotliCompressSync(text), 'br'))).toBe(text);
  });

  it('may have exactly 1 MiB after decompression and not a byte more', () => {
    const full = 'a'.repeat(1_048_576);
    expect(readText(encoded(gzipSync(full), 'gzip'))).toHaveLength(1_048_576);
    expect(readText({ body: full })).toHaveLength(1_048_576);
    const tooLarge = expect.objectContaining({ code: 'body_too_large' });
    expect(() => readText(encoded(gzipSync(`${full}a`), 'gzip'))).toThrow(tooLarge);
    expect(() => readText({ body: `${full}a` })).toThrow(tooLarge);
  });

  it('stops a decompression bomb at the limit', () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    const before = process.memoryUsage().arrayBuffers;
    expect(() => readText(encoded(bomb, 'gzip'))).toThrow(expect.objectContaining({ code: 'body_too_large' }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  it('is refused by name when its encoding is unknown, wrong or not UTF-8', () => {
    expect(() => readText(encoded(gzipSync('a'), 'zstd'))).toThrow(
      expect.objectContaining({ code: 'content_encoding_unknown' }),
    );
    expect(() => readText(encoded(Buffer.from('plain'), 'gzip'))).toThrow(
      expect.objectContaining({ code: 'body_unreadable' }),
    );
    expect(() => readText({ body: Buffer.from([0xff, 0xfe]).toString('base64'), isBase64Encoded: true })).toThrow(
      expect.objectContaining({ code: 'body_unreadable' }),
    );
  });
});
