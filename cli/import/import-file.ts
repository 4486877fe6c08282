import type { ApiClient } from '../api-client.ts';
import { ApiRefused } from '../api-client.ts';
import { EVENT_FIELDS, type FieldMap, fieldValue } from './field-map.ts';
import { type Row, readRows } from './read-rows.ts';
import type { FileSurvey } from './survey-file.ts';
import type { TimeReader } from './time-reader.ts';

export interface ImportInput {
  readonly file: string;
  readonly map: FieldMap;
  readonly readTime: TimeReader;
  readonly survey: FileSurvey;
  readonly client: ApiClient;
  readonly batchSize: number;
  onProgress(rows: number): void;
}

export interface ImportResult {
  readonly backfill: string;
  readonly accepted: number;
  readonly rejected: readonly { readonly row: number; readonly code: string; readonly detail: string }[];
}

interface EventsAnswer {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly code: string; readonly detail: string }[];
}

const NAME_DIGITS = 32;
const REQUESTS_AT_ONCE = 4;

/** Sends every row as an event of a backfill named by the file's hash. Sending a file again counts nothing twice. */
export async function importFile(input: ImportInput): Promise<ImportResult> {
  const name = input.survey.sha256.slice(0, NAME_DIGITS);
  await input.client.post('/v1/backfills', { name, from: new Date(Date.parse(input.survey.earliest)).toISOString() });
  let accepted = 0;
  const rejected: { row: number; code: string; detail: string }[] = [];
  const sendBatch = async (rows: readonly Row[]) => {
    const events = rows.map((row) => eventOf(row, `backfill:${name}`, input));
    const { status, body } = await input.client.send('POST', '/v1/events', events);
    const answer = body as EventsAnswer;
    if (!Array.isArray(answer.rejected)) throw new ApiRefused(status, body, 'POST /v1/events');
    accepted += answer.accepted;
    for (const { index, code, detail } of answer.rejected)
      rejected.push({ row: rows[index]?.number ?? 0, code, detail });
    input.onProgress(rows.length);
  };
  await inLanes(batchesOf(readRows(input.file), input.batchSize), sendBatch);
  await input.client.post(`/v1/backfills/${name}/close`, {});
  return { backfill: name, accepted, rejected: rejected.toSorted((a, b) => a.row - b.row) };
}

function eventOf({ number, values }: Row, source: string, { map, readTime }: ImportInput): object {
  const properties: Record<string, unknown> = {};
  for (const [field, origin] of map) {
    const value = fieldValue(origin, values);
    if (!EVENT_FIELDS.some((known) => known === field) && value !== undefined && value !== '')
      properties[field] = value;
  }
  return {
    id: map.has('id') ? String(fieldValue(map.get('id'), values)) : `row-${number}`,
    source,
    type: fieldValue(map.get('type'), values),
    customer: fieldValue(map.get('customer'), values),
    time: readTime(fieldValue(map.get('time'), values)),
    properties,
  };
}

async function* batchesOf(rows: AsyncIterable<Row>, size: number): AsyncGenerator<Row[]> {
  let batch: Row[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Works on a few batches at a time; the first failure stops the reading and is thrown. */
async function inLanes(batches: AsyncGenerator<Row[]>, work: (rows: readonly Row[]) => Promise<void>): Promise<void> {
  const lane = async () => {
    for (let next = await batches.next(); next.done !== true; next = await batches.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, lane));
}
