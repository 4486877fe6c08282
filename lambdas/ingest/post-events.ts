import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { eventTypesOf } from '../../core/catalog/meter-definitions.ts';
import type { MeterStore } from '../../core/catalog/ports.ts';
import { invalid } from '../../core/errors.ts';
import type { ProjectId } from '../../core/ids.ts';
import type { LimitRate } from '../../core/limits/rate-limiter.ts';
import { type AcceptDeps, acceptEvents } from '../../core/usage/accept-events.ts';
import { type BackfillStore, isBackfillOpen } from '../../core/usage/backfill.ts';
import { BACKFILL_SOURCE_PREFIX } from '../../core/usage/event-id.ts';
import { acceptedAnswer } from '../shared/accepted-answer.ts';
import type { Authenticate } from '../shared/authenticate.ts';
import { readText } from '../shared/body.ts';
import type { Cached } from '../shared/cached.ts';
import { parseJson } from '../shared/exact-json.ts';
import { type HttpAnswer, problemAnswer } from '../shared/problem.ts';
import { wirePostEvents } from '../shared/wire/usage.ts';
import { wired } from '../shared/wire.ts';

/**
 * POST /v1/events: one event (an object) or up to 1,000 (an array). Answers 202 once the queue has every accepted event; each
 * refused one is named by its index. A request of which nothing was accepted answers with a problem.
 */
export interface PostEventsDeps {
  readonly authenticate: Authenticate;
  readonly limit: LimitRate;
  readonly meters: Cached<ProjectId, Awaited<ReturnType<MeterStore['newest']>>>;
  readonly backfills: Cached<string, Awaited<ReturnType<BackfillStore['find']>>>;
  readonly accept: AcceptDeps;
  newBatchId(): string;
}

export const MAX_EVENTS = 1000;

export function handle(deps: PostEventsDeps) {
  return middy<APIGatewayProxyEventV2, HttpAnswer>(async (request: APIGatewayProxyEventV2) => {
    const caller = await deps.authenticate(request, 'ingest');
    const { project } = caller;
    const events = eventsOf(parseJson(readText(request)));
    await deps.limit(caller, 'events', events.length);
    const openBackfills = await openBackfillsOf(project, events, deps);
    const batchId = deps.newBatchId();
    const meters = await metersFor(project, events, deps.meters);
    const result = await acceptEvents({ project, events, batchId, meters, openBackfills }, deps.accept);
    return acceptedAnswer(result, batchId, request.requestContext.requestId);
  }).use({
    onError: (failed) => {
      const { error, event } = failed;
      failed.response = problemAnswer(error, event.requestContext?.requestId);
      if (failed.response.statusCode >= 500)
        console.error({ message: 'post-events failed', error: String(error), stack: error?.stack });
    },
  });
}

function eventsOf(body: unknown): readonly unknown[] {
  const events = Array.isArray(body) ? body : [body];
  if (events.length === 0) throw invalid('events_missing', 'Got an empty list; expected 1 to 1,000 events.');
  if (events.length > MAX_EVENTS) {
    throw invalid(
      'too_many_events',
      `Got ${events.length} events; expected at most ${MAX_EVENTS} in one request. Send them in several.`,
    );
  }
  return events;
}

/** The meters of the project; read again when the kept ones do not know a type, before anything is refused for it. */
async function metersFor(project: ProjectId, events: readonly unknown[], meters: PostEventsDeps['meters']) {
  const kept = await meters.get(project, 'cached');
  const known = new Set(kept.meters.flatMap(eventTypesOf));
  const isUnknown = (event: unknown) => {
    const type = (event as { type?: unknown } | null)?.type;
    return typeof type === 'string' && !known.has(type);
  };
  return events.some(isUnknown) ? meters.get(project, 'fresh') : kept;
}

/** The backfill sources among the events that are open now; one that is kept as closed is read again before it is refused. */
async function openBackfillsOf(
  project: ProjectId,
  events: readonly unknown[],
  { backfills, accept }: PostEventsDeps,
): Promise<Set<string>> {
  const sources = new Set<string>();
  for (const event of events) {
    const source = (event as { source?: unknown } | null)?.source;
    if (typeof source === 'string' && source.startsWith(BACKFILL_SOURCE_PREFIX)) sources.add(source);
  }
  const open = new Set<string>();
  const now = accept.clock.now();
  for (const source of sources) {
    const name = `${project}/${source.slice(BACKFILL_SOURCE_PREFIX.length)}`;
    const isOpen = async (read: 'cached' | 'fresh') => isBackfillOpen(await backfills.get(name, read), now);
    if ((await isOpen('cached')) || (await isOpen('fresh'))) open.add(source);
  }
  return open;
}

export const handler = wired(() => handle(wirePostEvents()));
