import type { ProjectId } from '../ids.ts';
import type { ProductEvent } from './product-event.ts';

export interface WaitingEvent {
  readonly event: ProductEvent;
  /** The outbox's own name of the entry; it is removed by it. */
  readonly entry: string;
}

/** Events written in the transactions that made them true, oldest first. */
export interface Outbox {
  /** Up to `limit` waiting events after the entry `after` (null: from the oldest), read strongly. */
  waiting(project: ProjectId, after: string | null, limit: number): Promise<readonly WaitingEvent[]>;
  /** Removes published entries; removing one that is gone is no error. */
  remove(project: ProjectId, entries: readonly string[]): Promise<void>;
}

/** The company's event bus. */
export interface EventBus {
  /** Publishes 1 to 10 events; answers, in the same order, whether each was taken. */
  publish(events: readonly ProductEvent[]): Promise<readonly boolean[]>;
}
