import { integer, type ParamFields, type Params, text } from './params.ts';
import { missing } from './stripe-fault.ts';

export const PAGE_PARAMS: ParamFields = {
  limit: integer(1, 100),
  starting_after: text(),
  ending_before: text(),
};

/** One page of `items`, which come newest first, as a Stripe list. */
export function page<T extends { id: string }>(items: readonly T[], params: Params, url: string) {
  const limit = typeof params.limit === 'number' ? params.limit : 10;
  const after = params.starting_after;
  const before = params.ending_before;
  if (typeof before === 'string') {
    const end = indexOf(items, before, 'ending_before');
    const start = Math.max(0, end - limit);
    return { object: 'list', url, has_more: start > 0, data: items.slice(start, end) };
  }
  const start = typeof after === 'string' ? indexOf(items, after, 'starting_after') + 1 : 0;
  return { object: 'list', url, has_more: items.length > start + limit, data: items.slice(start, start + limit) };
}

/** Whether `value` lies in a `created`-like range parameter. */
export function isInRange(value: number, range: Params[string]): boolean {
  if (range === undefined || range === null || typeof range !== 'object') return true;
  const { gt, gte, lt, lte } = range as Record<string, number | undefined>;
  return (
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  );
}

function indexOf(items: readonly { id: string }[], id: string, param: string): number {
  const index = items.findIndex((item) => item.id === id);
  if (index < 0) throw missing('object', id, param);
  return index;
}
