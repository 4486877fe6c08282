import type { ProjectId } from '../ids.ts';
import type { EventBus, Outbox } from './ports.ts';

const EVENTS_PER_CALL = 10;

export interface PublishedOutbox {
  readonly published: number;
  /** Refused by the bus; they stay in the outbox and are tried again by the next call. */
  readonly kept: number;
  /** When the oldest event that stays became true; null when nothing stays. */
  readonly oldestKept: string | null;
}

/**
 * Publishes what waits in a project's outbox, oldest first, in tens. An entry is removed only after the bus took it, so a
 * crash in between publishes it again under the same id: at least once. Refused entries stay and do not hold up later ones.
 * Publishes at most `limit` events (default 5,000), so that a call ends in time; the next one goes on.
 */
export async function publishOutbox(
  input: { readonly project: ProjectId; readonly limit?: number },
  deps: { readonly outbox: Outbox; readonly bus: EventBus },
): Promise<PublishedOutbox> {
  const limit = input.limit ?? 5_000;
  let after: string | null = null;
  let published = 0;
  let kept = 0;
  let oldestKept: string | null = null;
  while (published + kept < limit) {
    const page = await deps.outbox.waiting(input.project, after, EVENTS_PER_CALL);
    if (page.length === 0) break;
    const taken = await deps.bus.publish(page.map((waiting) => waiting.event));
    const done = page.filter((_waiting, index) => taken[index] === true);
    const refused = page.filter((_waiting, index) => taken[index] !== true);
    await deps.outbox.remove(
      input.project,
      done.map((waiting) => waiting.entry),
    );
    published += done.length;
    kept += refused.length;
    oldestKept ??= refused[0]?.event.occurredAt ?? null;
    after = page.at(-1)?.entry ?? after;
  }
  return { published, kept, oldestKept };
}
