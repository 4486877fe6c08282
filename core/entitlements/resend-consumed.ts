import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import type { UsageQueue } from '../usage/ports.ts';
import type { ReservationStore } from './ports.ts';

export interface ResendDeps {
  readonly reservations: Pick<ReservationStore, 'allUnsent' | 'sent'>;
  readonly queue: UsageQueue;
  readonly clock: Clock;
}

/** A consumption sends its own message; what still waits after this long belongs to one that died. */
const WAIT_MILLIS = 60_000;

export interface Resent {
  readonly sent: number;
  /** How long the longest-waiting message had waited, in ms; 0 for none. */
  readonly oldestMillis: number;
}

/** Sends what was consumed and perhaps never sent. A message that is sent twice is counted once, by its batch and its event. */
export async function resendConsumed(project: ProjectId, deps: ResendDeps): Promise<Resent> {
  const now = millisOf(deps.clock.now());
  const waiting = await deps.reservations.allUnsent(project);
  const due = waiting.filter(({ madeAtMillis }) => now - madeAtMillis >= WAIT_MILLIS);
  for (const { identity, message } of due) {
    await deps.queue.send([message]);
    await deps.reservations.sent(project, identity);
  }
  return {
    sent: due.length,
    oldestMillis: due.reduce((most, { madeAtMillis }) => Math.max(most, now - madeAtMillis), 0),
  };
}
