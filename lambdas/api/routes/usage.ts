import * as z from 'zod';
import type { CustomerStore } from '../../../core/accounts/ports.ts';
import type { Meter } from '../../../core/catalog/meter.ts';
import type { MeterStore } from '../../../core/catalog/ports.ts';
import { invalid, notFound } from '../../../core/errors.ts';
import type { CustomerId, ProjectId } from '../../../core/ids.ts';
import type { Instant } from '../../../core/time/instant.ts';
import { isQuarterHour, startOfQuarterHour } from '../../../core/time/quarter-hour.ts';
import { timeZoneSchema } from '../../../core/time/time-zone.ts';
import { compareUsage } from '../../../core/usage/compare-usage.ts';
import { countedUpTo, type FreshnessDeps } from '../../../core/usage/counted-up-to.ts';
import type { UsageViews } from '../../../core/usage/ports.ts';
import { USAGE_WINDOWS, usageReport } from '../../../core/usage/usage-report.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';
import { instantOfText, timeText } from '../schemas.ts';
import { usageCustomers, usageCustomersFields } from '../usage-customers.ts';
import { usageFilter } from '../usage-filter.ts';
import { usageGroupBy } from '../usage-group-by.ts';

export interface UsageDeps extends FreshnessDeps {
  readonly meters: Pick<MeterStore, 'newest'>;
  readonly customers: Pick<CustomerStore, 'find'>;
  readonly views: Pick<UsageViews, 'readViews' | 'firstDay' | 'readCursor'>;
}

const query = z.strictObject({
  ...usageCustomersFields,
  meter: z.string().max(64).optional(),
  from: timeText,
  to: timeText,
  window: z.enum(USAGE_WINDOWS).optional(),
  timeZone: timeZoneSchema.optional(),
  groupBy: z.string().max(1_100).optional(),
  filter: z.string().max(4_000).optional().meta({
    description:
      'Only usage with these dimension values, as JSON: `{"region": "eu"}`, or several of each: `{"region": ["eu", "us"]}`.',
    example: '{"region":"eu"}',
  }),
});

const usageAnswer = z.object({
  customer: z.string().optional().meta({ description: 'When one was asked for.' }),
  customers: z.array(z.string()).optional().meta({ description: 'When several were: then each row names its own.' }),
  from: timeText,
  to: timeText,
  window: z.enum(USAGE_WINDOWS).nullable(),
  timeZone: z.string(),
  asOf: timeText.meta({
    description:
      'Everything that had reached the usage log before this instant is counted. What came later, or waits in the queue (seconds, as a rule), may be missing.',
  }),
  data: z.array(
    z.object({
      customer: z.string().optional(),
      meter: z.string(),
      start: timeText,
      end: timeText,
      quantity: z.string().meta({ description: 'Exact decimal.' }),
      unit: z.string().nullable(),
      dimensions: z.record(z.string(), z.string()),
    }),
  ),
});

export function usageRoutes(deps: UsageDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/usage',
      scope: 'read',
      query,
      docs: {
        tag: 'Usage',
        summary: 'Read the usage of a customer, or compare several',
        description:
          '`from` and `to` lie on quarter hours, at most 400 days apart; `window` gives a row per quarter hour, hour, day or month that has usage (hours, days and months of `time_zone`: the one of the customer unless given); `group_by` is a comma-separated list of dimensions, `filter` names values of some. A meter that carries over begins with all that was before `from` and has a row in every window from then on, and so has a `time_weighted_sum`, whose level otherwise begins at zero at `from`; its quantity is the average level of the window, and the last level is taken to hold until `to`. Several customers are compared over the same windows, those of `time_zone` or UTC. Usage of customers not yet created can be read by the id events name. What was accepted moments ago may not be counted yet: `as_of` says up to when the log is.',
        answers: { 200: usageAnswer },
        errors: ['span_invalid', 'too_many_windows', 'meter_not_found', 'group_by_invalid', 'filter_invalid'],
      },
      async handle({ project, query: asked }) {
        const from = boundary(asked.from, 'from');
        const to = boundary(asked.to, 'to');
        const meters = await metersAsked(deps, project, asked.meter);
        const groupBy = usageGroupBy(asked.groupBy, meters);
        const filter = usageFilter(asked.filter, meters);
        const customers = usageCustomers(asked);
        const [customer = ''] = customers;
        const one = customers.length > 1 ? undefined : await deps.customers.find(project, customer as CustomerId);
        const timeZone = asked.timeZone ?? one?.customer.timeZone ?? 'UTC';
        const whose = customers.length > 1 ? { customers } : { customer };
        const span = { from, to };
        const window = asked.window;
        // Before the views are read, so that it holds for what is read.
        const asOf = await countedUpTo(project, deps);
        const input = { project, ...span, window, timeZone, meters, groupBy, filter };
        const data = await (customers.length > 1
          ? compareUsage({ ...input, customers }, deps)
          : usageReport({ ...input, customer }, deps));
        return jsonAnswer(200, { ...whose, ...span, window: window ?? null, timeZone, asOf, data });
      },
    }),
  ];
}

function boundary(text: string, field: 'from' | 'to'): Instant {
  const instant = instantOfText(text);
  if (isQuarterHour(instant)) return instant;
  const expected = `a time on a quarter hour, such as ${startOfQuarterHour(instant)}`;
  const detail = `Got ${field} ${instant}; expected ${expected}.`;
  throw invalid('query_invalid', detail, [{ field, code: 'off_quarter_hour', detail, got: instant, expected }]);
}

async function metersAsked(deps: UsageDeps, project: ProjectId, key: string | undefined): Promise<readonly Meter[]> {
  const { meters } = await deps.meters.newest(project);
  if (key === undefined) return meters;
  const found = meters.filter((meter) => meter.key === key);
  if (found.length === 0) throw notFound('meter_not_found', `No meter ${key} in this project.`);
  return found;
}
