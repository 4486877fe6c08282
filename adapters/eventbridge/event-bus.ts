import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventBus } from '../../core/events/ports.ts';
import { envelopeOf, type ProductEvent } from '../../core/events/product-event.ts';

/**
 * The bus `busName`. A call takes at most 10 entries and, in all, less than 256 KB (PutEvents' own limits; some Regions take a
 * megabyte by now); each entry is taken or refused on its own.
 */
const MAX_CALL_BYTES = 255 * 1024;
/** What PutEvents counts for the time of an entry. */
const TIME_BYTES = 14;

export function eventBridgeBus(client: EventBridgeClient, busName: string): EventBus {
  return {
    async publish(events) {
      const taken: boolean[] = [];
      for (const Entries of callsOf(events.map((event) => entryOf(event, busName)))) {
        const answer = await client.send(new PutEventsCommand({ Entries: [...Entries] }));
        taken.push(...Entries.map((_entry, index) => answer.Entries?.[index]?.EventId !== undefined));
      }
      return taken;
    },
  };
}

function entryOf(event: ProductEvent, busName: string) {
  return {
    EventBusName: busName,
    Source: 'countinghouse',
    DetailType: event.type,
    Time: new Date(event.occurredAt),
    Detail: JSON.stringify(envelopeOf(event)),
  };
}

type Entry = ReturnType<typeof entryOf>;

/** The entries in order, in calls that stay within the size. One that is too large by itself is for the bus to refuse. */
function callsOf(entries: readonly Entry[]): readonly Entry[][] {
  const calls: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = TIME_BYTES + Buffer.byteLength(entry.Source + entry.DetailType + entry.Detail);
    const current = calls.at(-1);
    if (current === undefined || bytes + size > MAX_CALL_BYTES) {
      calls.push([entry]);
      bytes = size;
    } else {
      current.push(entry);
      bytes += size;
    }
  }
  return calls;
}
