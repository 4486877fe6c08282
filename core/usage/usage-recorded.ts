import { type ProductEvent, productEvent } from '../events/product-event.ts';
import { instantFromMillis } from '../time/instant.ts';
import { decodeChunkBody, type StoredChunk } from './chunk.ts';
import type { LogPartition } from './log-partition.ts';

const CUSTOMERS_NAMED = 100;
/** Bytes of JSON that the names may take: an event stays within the 64 KB that are billed as one, and ten within one call. */
const NAMES_BYTES = 20_000;

/** The event that tells of a chunk, or null for one that stored no event (receipts only). */
export function usageRecorded(place: LogPartition, chunk: StoredChunk): ProductEvent<'UsageRecorded'> | null {
  if (chunk.range === null) return null;
  const customers = [...new Set(decodeChunkBody(chunk.body).events.map((event) => event.customer))].sort();
  const named = firstWithin(customers);
  return productEvent({
    type: 'UsageRecorded',
    project: place.project,
    occurredAt: instantFromMillis(chunk.appendedAtMillis),
    subject: [place.partition, String(chunk.sequence)],
    data: {
      partition: place.partition,
      sequence: chunk.sequence,
      events: chunk.events,
      customers: named,
      customers_total: customers.length,
      customers_not_listed: customers.length - named.length,
      occurred_from: instantFromMillis(Math.floor(chunk.range.from / 1000)),
      occurred_to: instantFromMillis(Math.floor(chunk.range.to / 1000)),
    },
  });
}

/** The first names, as many as an event has room for. */
function firstWithin(customers: readonly string[]): string[] {
  const named: string[] = [];
  let bytes = 0;
  for (const customer of customers.slice(0, CUSTOMERS_NAMED)) {
    bytes += Buffer.byteLength(JSON.stringify(customer)) + 1;
    if (bytes > NAMES_BYTES) break;
    named.push(customer);
  }
  return named;
}
