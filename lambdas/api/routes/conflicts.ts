import * as z from 'zod';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { type ListResendsDeps, listResends, type Resend } from '../../../core/usage/list-conflicts.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { instantOfText, listOf, pageFields, timeText } from '../schemas.ts';
import { loggedEventAnswer, shownEvent } from '../shown-event.ts';

const answer = z.object({
  kind: z.enum(['conflict', 'retimed']),
  stored: loggedEventAnswer.meta({ description: 'What was appended first. It counts.' }),
  refused: loggedEventAnswer.meta({ description: 'What came later under the same id. It does not count.' }),
  batchId: z.string(),
  appendedAt: timeText,
  partition: z.string(),
  sequence: z.int(),
});

/** `GET /v1/events/conflicts`: resends that did not say the same as the event that counts. */
export function conflictsRoute(deps: ListResendsDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/events/conflicts',
    scope: 'read',
    query: z.strictObject({ ...pageFields, from: timeText, to: timeText }),
    docs: {
      tag: 'Usage',
      summary: 'List conflicts and retimed duplicates',
      description:
        'An event sent again under the same customer, source and id counts once. Where the second body says something else (`conflict`) or the same of another time (`retimed`), both are shown here; the one appended first counts. To put the other one right, void the id and send what is true under a new one. `from` and `to` bound when the resend reached the log (half-open). A page does a bounded amount of work: it may hold fewer entries than `limit`, or none, and still have a `next_cursor`.',
      answers: { 200: listOf(answer) },
      errors: ['cursor_invalid', 'span_invalid'],
    },
    async handle({ project, query: { from, to, limit, cursor } }) {
      const span = { from: instantOfText(from), to: instantOfText(to) };
      const page = await listResends({ project, ...span, ...pageOf({ limit, cursor }) }, deps);
      return jsonAnswer(200, { data: page.items.map(shown), nextCursor: page.cursor });
    },
  });
}

function shown({ kind, stored, refused, batchId, appendedAtMillis, partition, sequence }: Resend) {
  const appendedAt = instantFromMillis(appendedAtMillis);
  return { kind, stored: shownEvent(stored), refused: shownEvent(refused), batchId, appendedAt, partition, sequence };
}
