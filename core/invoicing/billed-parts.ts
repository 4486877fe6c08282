import type { Segment } from '../accounts/segments.ts';
import type { Subscription } from '../accounts/subscription.ts';
import type { BilledService } from './account-ledger.ts';

/** The segments of a period as the ledger and the evidence hold them: what is the same for most is left out. */
export function billedParts(
  { id, conversion }: Pick<Subscription, 'id' | 'conversion'>,
  segments: readonly Segment[],
): readonly BilledService[] {
  const running = segments.map(({ start, end }) => ({ start, end }));
  return segments.map(({ phase, plan, planVersion, start, end, share }) => ({
    ...{ subscription: id, plan, planVersion, start, end },
    ...(phase === 1 ? {} : { phase }),
    ...(share.start === start && share.end === end ? {} : { share }),
    ...(segments.length === 1 ? {} : { running }),
    ...(conversion === undefined ? {} : { conversion }),
  }));
}
