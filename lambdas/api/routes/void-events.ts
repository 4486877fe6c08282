import * as z from 'zod';
import { BillingError, type Fault, faulty } from '../../../core/errors.ts';
import { faultsOf } from '../../../core/schema-faults.ts';
import { millisOf } from '../../../core/time/instant.ts';
import { batchIdAt } from '../../../core/usage/batch-id.ts';
import { type VoidDeps, type VoidResult, voidEvents } from '../../../core/usage/void-events.ts';
import { startVoidJob } from '../../../core/usage/void-job.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, type RouteRequest, route } from '../route.ts';
import { externalIdText, instantOfText, timeText } from '../schemas.ts';
import { type JobDeps, jobAnswer, shownJob } from './jobs.ts';

export interface VoidRouteDeps extends JobDeps {
  readonly voids: VoidDeps;
  readonly random: (length: number) => Uint8Array;
}

const reason = z.string().max(200, { error: 'expected at most 200 characters' });
const sourceText = z.string().max(255, { error: 'expected at most 255 characters' });
const target = z.strictObject({
  id: externalIdText,
  customer: externalIdText,
  source: sourceText.optional(),
  reason: reason.optional(),
});
const targets = z.array(target).min(1).max(100, { error: 'expected at most 100 voids; for more, void by a filter' });
const byFilter = z.strictObject({
  filter: z.strictObject({
    from: timeText,
    to: timeText,
    customer: externalIdText.optional(),
    type: externalIdText.optional(),
    source: sourceText.optional(),
    properties: z.record(z.string(), z.string()).optional(),
  }),
  dryRun: z.boolean(),
  reason: reason.optional(),
});

const answer = z.object({
  batchId: z.string(),
  accepted: z.int(),
  rejected: z.array(z.object({ index: z.int(), id: z.string(), code: z.string(), detail: z.string() })),
});

/** `POST /v1/events/void`: events by id, or by a filter as a job. */
export function voidEventsRoute(deps: VoidRouteDeps): Route {
  return route<unknown, unknown>({
    method: 'POST',
    path: '/v1/events/void',
    scope: 'write',
    isCreating: true,
    docs: {
      tag: 'Usage',
      summary: 'Void events: by id, or by a filter',
      description:
        'A voided event stays in the log and does not count: what it added is taken out of every meter, and the next billing run turns that into an adjustment where it was billed. By id: one void or up to 100, each naming customer, source (if the event had one) and id as the event did. Accepted means queued; an event that is voided already, or has not come yet, is no error, and the id stays taken. Each refused void is named by its index; a request of which nothing was accepted answers with a problem. By filter: starts a job, read at `GET /v1/jobs/{id}`; `dry_run` has to be said, and with `true` nothing is voided. The report says how many events match, what they come to by meter, and shows the first of them.',
      answers: { 202: z.union([answer, jobAnswer]) },
      errors: ['event_not_found', 'void_too_late', 'span_invalid'],
      bodyShown: z.union([target, targets, byFilter]),
      examples: {
        byId: {
          summary: 'One event',
          value: { id: '0193a1f2-7c00-7000-8000-000000000001', customer: 'ada', reason: 'sent by a test' },
        },
        byFilter: {
          summary: 'A dry run over an hour of one customer',
          value: {
            filter: { customer: 'ada', type: 'call', from: '2026-11-20T10:00:00Z', to: '2026-11-20T11:00:00Z' },
            dry_run: true,
            reason: 'a loop in release 1.4.2',
          },
        },
      },
    },
    async handle(request) {
      const { body } = request;
      return typeof body === 'object' && body !== null && Object.hasOwn(body, 'filter')
        ? jsonAnswer(202, shownJob(await startJobOf(request, deps)))
        : voidById(request, deps);
    },
  });
}

function startJobOf({ project, principal, idempotencyKey, body }: RouteRequest, deps: VoidRouteDeps) {
  const { filter, dryRun, reason = '' } = checked(byFilter, body);
  const span = { from: instantOfText(filter.from), to: instantOfText(filter.to) };
  const mode = dryRun ? 'dry_run' : 'for_real';
  const asked = { project, filter: { ...filter, ...span }, mode, reason } as const;
  return startVoidJob({ ...asked, by: principal.keyId, requestKey: idempotencyKey }, deps);
}

async function voidById({ project, principal, body }: RouteRequest, { voids, random }: VoidRouteDeps) {
  const list = Array.isArray(body) ? checked(targets, body) : [checked(target, body)];
  const named = list.map(({ source = '', reason = '', ...identity }) => ({ ...identity, source, reason }));
  const batchId = batchIdAt(millisOf(voids.clock.now()), random(10));
  const result = await voidEvents({ project, targets: named, by: principal.keyId, batchId }, voids);
  if (result.accepted === 0) throw nothingAccepted(result);
  const rejected = result.rejected.map(({ index, code, detail }) => ({
    ...{ index, id: named[index]?.id ?? '', code, detail },
  }));
  return jsonAnswer(202, { batchId, accepted: result.accepted, rejected });
}

function nothingAccepted({ rejected }: VoidResult): BillingError {
  const faults: Fault[] = rejected.map(({ index, code, detail }) => ({ field: `[${index}].id`, code, detail }));
  const code = rejected.every((one) => one.code === 'event_not_found') ? 'event_not_found' : 'void_too_late';
  const [first] = rejected.filter((one) => one.code === code);
  const kind = code === 'event_not_found' ? 'not-found' : 'invalid';
  return new BillingError({ kind, code, message: first?.detail ?? '', faults });
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw faulty('body_invalid', 'The body', faultsOf(parsed.error, body));
}
