import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { AGGREGATIONS, type Aggregation } from './meter.ts';

const carriedPart = z.looseObject({ reset: z.literal('carry_over'), aggregation: z.enum(AGGREGATIONS) });

/** Why a meter of the kind cannot carry over; null where it can. */
const REASONS: Readonly<Record<Aggregation, string | null>> = {
  sum: null,
  latest: null,
  time_weighted_sum: null,
  count: 'a count of events only ever grows; use a sum whose events add and take away',
  transactions: 'its single amounts are billed once; use a sum for a balance',
  max: 'a maximum does not know which reading was the last; use latest, or time_weighted_sum',
  min: 'a minimum does not know which reading was the last; use latest, or time_weighted_sum',
  unique_count: 'its values are never taken away, so the count would only ever grow; count them in each period',
  average: 'an average has no level to go on from; use latest, or time_weighted_sum',
};

/** The fault of a meter that carries over what has no level, if it is one. */
export function carryOverFaults(input: unknown, at: readonly PropertyKey[]): Fault[] {
  const part = carriedPart.safeParse(input).data;
  const reason = part && REASONS[part.aggregation];
  if (!part || !reason) return [];
  const expected = 'each_period, or a meter with the aggregation sum, latest or time_weighted_sum';
  return [
    {
      field: wirePath([...at, 'reset']),
      code: 'cannot_carry_over',
      detail: `Got "carry_over" on a meter of the kind ${part.aggregation}: ${reason}. Expected ${expected}.`,
      got: shown('carry_over'),
      expected,
    },
  ];
}
