import { deriveId, type ProjectId } from '../ids.ts';
import type { Instant } from '../time/instant.ts';
import type { EventData, EventType } from './event-schemas.ts';

/**
 * One event of the product. Its id derives from what it tells, so that the same fact told twice is the same event: consumers
 * drop what they have seen by id. `data` is in wire form (see event-schemas.ts) and is published as it stands.
 */
export interface ProductEvent<T extends EventType = EventType> {
  readonly id: string;
  readonly type: T;
  readonly version: 1;
  readonly project: ProjectId;
  readonly occurredAt: Instant;
  readonly data: EventData<T>;
}

export interface ProductEventInput<T extends EventType> {
  readonly type: T;
  readonly project: ProjectId;
  readonly occurredAt: Instant;
  /** What makes this fact one of its kind, such as an invoice id, or an invoice id and an attempt. */
  readonly subject: readonly string[];
  readonly data: EventData<T>;
}

/** The event of a fact. The same type, project and subject always give the same id. */
export function productEvent<T extends EventType>(input: ProductEventInput<T>): ProductEvent<T> {
  return {
    id: deriveId('event', input.project, input.type, ...input.subject),
    type: input.type,
    version: 1,
    project: input.project,
    occurredAt: input.occurredAt,
    data: input.data,
  };
}

/** The envelope that goes on the bus. */
export function envelopeOf(event: ProductEvent): Readonly<Record<string, unknown>> {
  return {
    id: event.id,
    version: event.version,
    project: event.project,
    occurred_at: event.occurredAt,
    type: event.type,
    data: event.data,
  };
}
