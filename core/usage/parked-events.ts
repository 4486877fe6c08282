import type { LogPartition } from './log-partition.ts';
import type { ParkedMessage } from './ports.ts';
import { decodeUsageBatch } from './usage-batch.ts';
import type { UsageEvent } from './usage-event.ts';

/** A parked event, with the log partition it was on its way to; null when the log holds it already. */
export interface ParkedEvent extends UsageEvent {
  readonly partition: LogPartition['partition'] | null;
}

/** The events of a parked message in their order; null for a body that is not one of ours. */
export function parkedEvents({ reason, body }: Pick<ParkedMessage, 'reason' | 'body'>): readonly ParkedEvent[] | null {
  try {
    if (reason === 'unfoldable' || reason === 'view_full')
      return [{ ...(JSON.parse(body) as UsageEvent), partition: null }];
    return body.split('\n').flatMap((message) => decodeUsageBatch(message).events);
  } catch {
    return null;
  }
}
