import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';

/** A row with its number in the file, from 1; the header of a CSV file does not count. */
export interface Row {
  readonly number: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The rows of a CSV file (with a header) or of an NDJSON file (`.ndjson`, `.jsonl`), one by one, whatever the file's size. */
export function readRows(file: string): AsyncIterable<Row> {
  return /\.(?:ndjson|jsonl)$/i.test(file) ? jsonRows(file) : csvRows(file);
}

async function* csvRows(file: string): AsyncIterable<Row> {
  const rows = createReadStream(file).pipe(
    parse({ columns: true, bom: true, skip_empty_lines: true, relax_column_count: false }),
  );
  let number = 0;
  for await (const values of rows) {
    number += 1;
    yield { number, values: values as Record<string, string> };
  }
}

async function* jsonRows(file: string): AsyncIterable<Row> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    number += 1;
    const values: unknown = JSON.parse(line);
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw new Error(`Line ${number} of ${file} is not a JSON object.`);
    yield { number, values: values as Record<string, unknown> };
  }
}
