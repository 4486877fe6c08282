import type { RatingInput } from './rate.ts';

/**
 * What the keys of all lines of a service begin with: `<subscription>`, from its second phase on `<subscription>/phase-<n>`, and
 * for what the price list bills beside the plan `<subscription>/list`.
 */
export function lineKeyPrefix({
  subscription,
  phase = 1,
  list,
}: Pick<RatingInput, 'subscription' | 'phase' | 'list'>): string {
  const id = escaped(subscription);
  const prefix = phase === 1 ? id : `${id}/phase-${phase}`;
  if (list === undefined) return prefix;
  return list === 1 ? `${prefix}/list` : `${prefix}/list-${list}`;
}

/** An id is the operator's and may hold slashes: without this the id `a/phase-2` would have the keys of the second phase of `a`. */
function escaped(subscription: string): string {
  return subscription.replaceAll('%', '%25').replaceAll('/', '%2F');
}
