import * as z from 'zod';
import { microsOf, millisOf } from '../../../core/time/instant.ts';
import { type SearchDeps, searchEvents } from '../../../core/usage/search-events.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { externalIdText, instantOfText, listOf, pageFields, timeText } from '../schemas.ts';
import { foundEventAnswer, shownEvent, shownPlace, shownVoid } from '../shown-event.ts';

export type { SearchDeps };

const query = z.strictObject({
  ...pageFields,
  customer: externalIdText.optional(),
  type: externalIdText.optional(),
  id: externalIdText.optional(),
  source: z.string().max(255).optional(),
  from: timeText.optional(),
  to: timeText.optional(),
  appendedFrom: timeText.optional(),
  appendedTo: timeText.optional(),
});

const answer = listOf(foundEventAnswer).extend({
  looked: z
    .object({ chunks: z.int(), decoded: z.int() })
    .meta({ description: 'Chunks of the log that this page looked at, and of those the ones it had to decompress.' }),
});

/** `GET /v1/events`: the log itself, searched. */
export function searchRoute(deps: SearchDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/events',
    scope: 'read',
    query,
    docs: {
      tag: 'Usage',
      summary: 'Search the events of the usage log',
      description:
        'Newest first: the day on which events reached the log, in it the hour their ids were born, in it the chunk. `from` and `to` bound the time an event happened (half-open), `appended_from` and `appended_to` when it reached the log. A page does a bounded amount of work: it may hold fewer events than `limit`, or none, and still have a `next_cursor`; go on until that is null. With an `id` that carries its time (UUIDv7, ULID), or with `id` and `customer`, only the one place is looked at where the event can be; give `source` if the event had one. The log lives for 80 days; docs/archive.md says where older events are.',
      answers: { 200: answer },
      errors: ['cursor_invalid', 'span_invalid'],
    },
    async handle({ project, query: { from, to, appendedFrom, appendedTo, limit, cursor, ...filter } }) {
      const page = await searchEvents(
        {
          project,
          ...filter,
          ...(from !== undefined && { occurredFromMicros: microsOf(instantOfText(from)) }),
          ...(to !== undefined && { occurredToMicros: microsOf(instantOfText(to)) }),
          ...(appendedFrom !== undefined && { appendedFromMillis: millisOf(instantOfText(appendedFrom)) }),
          ...(appendedTo !== undefined && { appendedToMillis: millisOf(instantOfText(appendedTo)) }),
          ...pageOf({ limit, cursor }),
        },
        deps,
      );
      return jsonAnswer(200, {
        data: page.events.map((found) => ({
          ...shownEvent(found.event),
          ...shownPlace(found),
          voided: shownVoid(found.voidedBy),
        })),
        nextCursor: page.cursor,
        looked: { chunks: page.chunksLooked, decoded: page.chunksDecoded },
      });
    },
  });
}
