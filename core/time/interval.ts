import * as z from 'zod';
import { CALENDAR_INTERVALS, type Interval } from './interval-step.ts';

export * from './interval-step.ts';

export const intervalSchema = z
  .union([z.enum(CALENDAR_INTERVALS), z.strictObject({ days: z.int().min(1).max(366) })], {
    error: 'expected "day", "week", "month", "quarter", "year" or {"days": 10} with 1 to 366 days',
  })
  .meta({
    description: 'How long billing periods are. `{"days": 10}`: every 10 days, billed by anniversary.',
  }) satisfies z.ZodType<Interval>;
