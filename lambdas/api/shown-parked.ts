import * as z from 'zod';
import { instantFromMillis } from '../../core/time/instant.ts';
import { sentProperties } from '../../core/usage/consumed-meter.ts';
import { parkedEvents } from '../../core/usage/parked-events.ts';
import type { ParkedMessage, ParkingDecision } from '../../core/usage/ports.ts';
import { isReplayable } from '../../core/usage/replay-parked.ts';
import { timeText } from './schemas.ts';

/** How many events of one message are shown. */
const EVENTS_SHOWN = 100;

export const parkedAnswer = z.object({
  name: z.string(),
  status: z.enum(['parked', 'replayed', 'discarded']),
  reason: z.enum(['unreadable', 'undeliverable', 'append_deadline', 'unfoldable', 'view_full']),
  detail: z.string(),
  events: z.int().meta({ description: 'How many events it holds.' }),
  replayable: z.boolean(),
  parkedAt: timeText,
  decidedAt: timeText.nullable(),
  decidedBy: z.string().nullable().meta({ description: 'The id of the API key, or `command-line`.' }),
});

export const wholeParkedAnswer = parkedAnswer.extend({
  content: z
    .array(
      z.object({
        id: z.string(),
        type: z.string(),
        customer: z.string(),
        source: z.string(),
        time: timeText,
        properties: z.record(z.string(), z.string()),
      }),
    )
    .nullable()
    .meta({
      description: `Its first ${EVENTS_SHOWN} events, none where it holds voids; null once it was replayed, and when it is not a message of ours.`,
    }),
});

/** A parked message, or a decision about one, without its content. */
export function shownParked(message: ParkedMessage | ParkingDecision) {
  const { name, reason, detail, events } = message;
  const decision = 'outcome' in message ? message : null;
  return {
    name,
    status: decision?.outcome ?? 'parked',
    reason,
    detail,
    events,
    replayable: decision === null && isReplayable(message),
    parkedAt: instantFromMillis(message.parkedAtMillis),
    decidedAt: decision && instantFromMillis(decision.decidedAtMillis),
    decidedBy: decision?.by ?? null,
  };
}

/** Its first events; null where there are none to show. */
export function shownContent({ reason, body }: ParkedMessage | ParkingDecision) {
  const events = body === null ? null : parkedEvents({ reason, body });
  return (
    events?.slice(0, EVENTS_SHOWN).map(({ id, type, customer, source, occurredAtMicros, properties }) => ({
      ...{ id, type, customer, source, properties: sentProperties(properties) },
      time: instantFromMillis(Math.floor(occurredAtMicros / 1000)),
    })) ?? null
  );
}
