import * as z from 'zod';
import { notFound } from '../../../core/errors.ts';
import { type BilledEventDeps, billedEvent, type EventBilling } from '../../../core/invoicing/billed-event.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { type EventExplained, type ExplainDeps, explainEvent } from '../../../core/usage/explain-event.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';
import { externalIdText, timeText } from '../schemas.ts';
import { loggedEventAnswer, placeAnswer, shownEvent, shownPlace, shownVoid, voidedAnswer } from '../shown-event.ts';

export interface ExplainEventDeps extends ExplainDeps, Omit<BilledEventDeps, 'reads'> {
  readonly preview: { readonly reads: BilledEventDeps['reads'] };
}

const lineAnswer = z.object({
  ...{ invoice: z.string(), number: z.string().nullable() },
  status: z.enum(['draft', 'issued', 'paid', 'void', 'uncollectible']),
  line: z.string().meta({ description: 'The key of the line on that invoice.' }),
  kind: z.enum(['usage', 'fixed', 'commitment', 'adjustment']),
  event: z.enum(['in_quantity', 'not_in_quantity', 'voided_in_quantity', 'unknown']).meta({
    description:
      'Whether the evidence of the invoice had seen the event: what it had not is billed by a later one as an adjustment.',
  }),
});

const answer = z.object({
  event: loggedEventAnswer.nullable(),
  accepted: placeAnswer.nullable().meta({ description: 'Null: it has not reached the log.' }),
  voided: voidedAnswer,
  counted: z.array(
    z.object({
      ...{ meter: z.string(), aggregation: z.string(), value: z.string() },
      dimensions: z.record(z.string(), z.string()),
      bucket: z.object({ start: timeText, end: timeText }).meta({ description: 'The quarter hour it counts in.' }),
      state: z.enum(['counted', 'not_folded_yet', 'voided', 'parked']),
      billed: z.array(lineAnswer),
      notBilled: z
        .enum(['customer_unassigned', 'no_subscription', 'no_charge', 'not_billed_yet'])
        .nullable()
        .meta({ description: 'Why no line bills it.' }),
    }),
  ),
  parked: z.array(z.object({ name: z.string(), reason: z.string(), detail: z.string() })),
  resends: z
    .array(
      z.object({
        kind: z.enum(['conflict', 'retimed']),
        ...{ batchId: z.string(), sequence: z.int(), appendedAt: timeText },
        event: loggedEventAnswer.nullable(),
      }),
    )
    .meta({ description: 'Later messages under the same identity that say something else; never counted.' }),
});

const query = z.strictObject({ customer: externalIdText.optional(), source: z.string().max(255).optional() });
const QUARTER_MILLIS = 900_000;

/** `GET /v1/events/{id}`: what became of one event. */
export function explainRoute(deps: ExplainEventDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/events/{id}',
    scope: 'read',
    query,
    docs: {
      tag: 'Usage',
      summary: 'Explain what became of an event',
      description:
        'Accepted when and where, counted by which meters with which value in which quarter hour, billed on which invoice line, or why not. An id that carries its time (UUIDv7, ULID) is enough; any other needs its `customer` too, and `source` if it had one. `event_not_found`: it is not in the log; if it was answered 202 it is on its way, seconds as a rule.',
      answers: { 200: answer },
      errors: ['event_not_found', 'customer_needed', 'event_ambiguous', 'event_search_too_wide'],
    },
    async handle({ project, params, query: { customer, source } }) {
      const id = params.id ?? '';
      const explained = await explainEvent({ project, id, customer, source }, deps);
      if (explained === undefined)
        throw notFound(
          'event_not_found',
          `The event ${id.slice(0, 64)} is not in the log. If it was answered 202 it is on its way, seconds as a rule; if it is older than 80 days it is in the archive.`,
        );
      const { inLog, countedBy } = explained;
      const meters = [...new Set(countedBy.map(({ meter }) => meter))];
      const billing =
        inLog === null
          ? null
          : await billedEvent(toBill(project, inLog), meters, { ...deps, reads: deps.preview.reads });
      return jsonAnswer(200, shown(explained, billing));
    },
  });
}

function toBill(project: Parameters<typeof billedEvent>[0]['project'], inLog: NonNullable<EventExplained['inLog']>) {
  const { event, partition, sequence, voidedBy } = inLog.found;
  const occurredAt = instantFromMillis(Math.floor(event.occurredAtMicros / 1000));
  return { project, customer: event.customer, occurredAt, partition, sequence, voidedAt: voidedBy?.sequence ?? null };
}

function shown({ inLog, countedBy, parked }: EventExplained, billing: EventBilling | null) {
  return {
    event: inLog && shownEvent(inLog.found.event),
    accepted: inLog && shownPlace(inLog.found),
    voided: inLog && shownVoid(inLog.found.voidedBy),
    counted: countedBy.map(({ startMillis, ...counted }) => ({
      ...counted,
      bucket: { start: instantFromMillis(startMillis), end: instantFromMillis(startMillis + QUARTER_MILLIS) },
      billed: (billing?.lines ?? [])
        .filter(({ meter }) => meter === counted.meter)
        .map(({ meter: _meter, ...line }) => line),
      notBilled: billing?.missing.get(counted.meter) ?? null,
    })),
    parked,
    resends: (inLog?.resends ?? []).map(({ kind, batchId, sequence, appendedAtMillis, event }) => ({
      ...{ kind, batchId, sequence, appendedAt: instantFromMillis(appendedAtMillis) },
      event: event && shownEvent(event),
    })),
  };
}
