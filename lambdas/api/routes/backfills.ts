import * as z from 'zod';
import type { Clock } from '../../../core/time/clock.ts';
import { type BackfillStore, closeBackfill, openBackfill } from '../../../core/usage/backfill.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { instantOfText, listOf, pageQuery, timeText } from '../schemas.ts';

export interface BackfillDeps {
  readonly backfills: BackfillStore;
  readonly clock: Clock;
}

const backfillAnswer = z.object({
  name: z.string(),
  source: z.string(),
  from: timeText,
  status: z.enum(['open', 'closed']),
  openedAt: timeText,
});

export function backfillRoutes(deps: BackfillDeps): readonly Route[] {
  return [open(deps), list(deps), close(deps)];
}

function open(deps: BackfillDeps): Route {
  const body = z.strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, { error: 'expected 1 to 64 of a-z, 0-9, "_", "-" and "."' }),
    from: timeText,
  });
  return route({
    method: 'POST',
    path: '/v1/backfills',
    scope: 'write',
    isCreating: true,
    body,
    docs: {
      tag: 'Usage',
      summary: 'Open a backfill for old events',
      description:
        'While it is open, events whose `source` is `backfill:<name>` may be older than the event-age limit. Name it after what you import, such as the hash of a file: the same name and ids count once, however often they are sent. It takes events for 35 days from its first opening. Ingest sees it within 30 s at the latest.',
      answers: { 201: backfillAnswer },
      errors: ['backfill_exists', 'backfill_expired'],
      example: { name: 'trace-2023-11', from: '2023-11-01T00:00:00Z' },
    },
    async handle({ project, body: { name, from } }) {
      return jsonAnswer(201, await openBackfill({ project, name, from: instantOfText(from) }, deps));
    },
  });
}

function list(deps: BackfillDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/backfills',
    scope: 'read',
    query: pageQuery,
    docs: {
      tag: 'Usage',
      summary: 'List backfills',
      answers: { 200: listOf(backfillAnswer) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const { items, cursor } = await deps.backfills.list(project, pageOf(query));
      return jsonAnswer(200, { data: items, nextCursor: cursor });
    },
  });
}

function close(deps: BackfillDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/backfills/{name}/close',
    scope: 'write',
    docs: {
      tag: 'Usage',
      summary: 'Close a backfill: its source is refused from then on',
      answers: { 200: backfillAnswer },
      errors: ['backfill_not_found'],
    },
    async handle({ project, params }) {
      return jsonAnswer(200, await closeBackfill({ project, name: params.name ?? '' }, deps));
    },
  });
}
