import * as z from 'zod';
import { instantFromMillis, isInstantText } from '../../../core/time/instant.ts';
import { type AuditDeps, auditUsage } from '../../../core/usage/audit-usage.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';
import { timeText } from '../schemas.ts';

/** What receipts cannot tell; in every answer, so that nobody takes it for more than it is. */
const NOT_SEEN = [
  'Messages still in the usage queue or its dead-letter queue: they have no receipt yet.',
  'The 202 answers themselves: accepted is what each message carried when it was appended, and what is parked or was discarded.',
  'The ids of retimed duplicates: receipts count them, only conflicts are kept.',
];
const HOUR = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3])$/;

const hourText = z.string().refine((text) => HOUR.test(text) && isInstantText(`${text}:00:00Z`), {
  error: 'expected an hour of UTC such as "2026-11-21T03"',
});
const query = z.strictObject({ hour: hourText, cursor: z.string().max(64).optional() });

const counts = z.object({
  accepted: z.int(),
  stored: z.int(),
  duplicates: z.int(),
  retimed: z.int(),
  conflicts: z.int(),
  parked: z.int(),
  discarded: z.int(),
  rejected: z.int().meta({ description: 'Refused at the door in the same requests; not among the accepted.' }),
});

const auditAnswer = z.object({
  hour: z.string(),
  balances: z.boolean(),
  total: counts.meta({ description: 'Of the partitions of this page.' }),
  partitions: z.array(
    z.object({
      partition: z.string(),
      chunks: z.int(),
      counts,
      balances: z.boolean(),
      differences: z.array(z.string()),
    }),
  ),
  conflicts: z
    .array(
      z.object({
        ...{ partition: z.string(), batchId: z.string(), id: z.string(), type: z.string() },
        ...{ customer: z.string(), source: z.string(), time: timeText },
      }),
    )
    .meta({ description: 'Resends with another content than the stored event, never counted; the first 100.' }),
  parkingWhole: z.boolean().meta({ description: 'False: so much is parked that not all of it was looked at.' }),
  notSeen: z.array(z.string()),
  nextCursor: z.string().nullable(),
});

/** `GET /v1/audit/usage`: the books of an hour. */
export function auditRoute(deps: AuditDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/audit/usage',
    scope: 'read',
    query,
    docs: {
      tag: 'Usage',
      summary: 'Show that the books of an hour balance',
      description:
        'Accepted = stored + duplicates + retimed + conflicts + parked + discarded, for all events whose ids were born in the hour (the time in a UUIDv7 or ULID, otherwise when the id was first seen). The receipts of the log are held against the identities, events and conflicts stored beside them; what does not agree is told in words. An hour of many partitions takes several pages.',
      answers: { 200: auditAnswer },
      errors: ['hour_expired', 'cursor_invalid'],
    },
    async handle({ project, query: { hour, cursor } }) {
      const hourMillis = Date.parse(`${hour}:00:00Z`);
      const audit = await auditUsage({ project, hourMillis, cursor }, deps);
      const { balances, total, partitions } = audit;
      const conflicts = audit.conflicts.map(({ partition, batchId, event }) => {
        const { id, type, customer, source, occurredAtMicros } = event;
        const time = instantFromMillis(Math.floor(occurredAtMicros / 1000));
        return { partition, batchId, id, type, customer, source, time };
      });
      const whole = { parkingWhole: audit.isParkingWhole, notSeen: NOT_SEEN, nextCursor: audit.cursor };
      return jsonAnswer(200, { hour, balances, total, partitions, conflicts, ...whole });
    },
  });
}
