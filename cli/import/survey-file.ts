import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { checkFieldMap, type FieldMap, fieldValue } from './field-map.ts';
import { readRows } from './read-rows.ts';
import type { TimeReader } from './time-reader.ts';

/** What is known of a file before anything is sent. */
export interface FileSurvey {
  /** SHA-256 of the file's bytes, hex: the identity of the import. */
  readonly sha256: string;
  readonly rows: number;
  readonly earliest: string;
  readonly latest: string;
}

/** Reads the whole file once: its hash, its rows, and that every time in it can be read. Throws a sentence that names the row. */
export async function surveyFile(file: string, map: FieldMap, readTime: TimeReader): Promise<FileSurvey> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  let rows = 0;
  let earliest = '';
  let latest = '';
  for await (const { number, values } of readRows(file)) {
    if (rows === 0) checkFieldMap(map, Object.keys(values));
    rows += 1;
    let time: string;
    try {
      time = readTime(fieldValue(map.get('time'), values));
    } catch (error) {
      throw new Error(`Row ${number}: ${(error as Error).message}`);
    }
    if (earliest === '' || Date.parse(time) < Date.parse(earliest)) earliest = time;
    if (latest === '' || Date.parse(time) > Date.parse(latest)) latest = time;
  }
  if (rows === 0) throw new Error(`${file} has no rows.`);
  return { sha256: hash.digest('hex'), rows, earliest, latest };
}
