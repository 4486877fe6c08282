import * as z from 'zod';
import { instantFromMillis } from '../../core/time/instant.ts';
import { receivedMillisOf } from '../../core/usage/batch-id.ts';
import type { LoggedEvent } from '../../core/usage/chunk.ts';
import { sentProperties } from '../../core/usage/consumed-meter.ts';
import type { FoundEvent } from '../../core/usage/search-events.ts';
import { timeText } from './schemas.ts';

/** How events of the log are shown. */
export const loggedEventAnswer = z.object({
  id: z.string(),
  type: z.string(),
  customer: z.string(),
  source: z.string(),
  time: timeText.meta({ description: 'When it happened, to the microsecond if the event said so.' }),
  properties: z.record(z.string(), z.string()).meta({ description: 'As accepted; numbers with all their digits.' }),
});

export const placeAnswer = z.object({
  receivedAt: timeText.nullable().meta({ description: 'When its request was received, to the millisecond.' }),
  appendedAt: timeText,
  partition: z.string().meta({ description: 'The log partition: shard and born hour.' }),
  sequence: z.int().meta({ description: 'The chunk in that partition: its position in the usage log.' }),
  batchId: z
    .string()
    .meta({ description: 'The `batch_id` that its request was answered; a large one ends in `.1`, `.2` ...' }),
  meterRevision: z.int().meta({ description: 'The meters in force when it was accepted.' }),
});

export const voidedAnswer = z
  .object({ reason: z.string(), by: z.string(), at: timeText, sequence: z.int() })
  .nullable()
  .meta({ description: 'What voided it: it is kept and does not count. `by` is the API key or the job that asked.' });

export const foundEventAnswer = loggedEventAnswer.extend(placeAnswer.shape).extend({ voided: voidedAnswer });

/** What voided it, if anything did. */
export function shownVoid(voidedBy: FoundEvent['voidedBy']) {
  if (voidedBy === null) return null;
  const { reason, by, requestedAtMillis, sequence } = voidedBy;
  return { reason, by, at: instantFromMillis(requestedAtMillis), sequence };
}

/** The event as it was accepted. */
export function shownEvent({ id, type, customer, source, occurredAtMicros, properties }: Omit<LoggedEvent, 'index'>) {
  const time = timeOfMicros(occurredAtMicros);
  return { id, type, customer, source, time, properties: sentProperties(properties) };
}

/** Where in the log it lies, and since when. */
export function shownPlace({ event, batchId, appendedAtMillis, partition, sequence }: FoundEvent) {
  const receivedMillis = receivedMillisOf(batchId);
  return {
    receivedAt: receivedMillis && instantFromMillis(receivedMillis),
    appendedAt: instantFromMillis(appendedAtMillis),
    partition,
    sequence,
    batchId,
    meterRevision: event.meterRevision,
  };
}

/** RFC 3339 with three digits of a second, or six where the microseconds say something. */
function timeOfMicros(micros: number): string {
  const instant = instantFromMillis(Math.floor(micros / 1000));
  const rest = micros - Math.floor(micros / 1000) * 1000;
  return rest === 0 ? instant : `${instant.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}
