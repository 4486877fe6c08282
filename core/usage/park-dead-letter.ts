import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import type { ParkingLot } from './ports.ts';
import { decodeUsageBatch } from './usage-batch.ts';

export interface ParkDeps {
  readonly parking: ParkingLot;
  readonly clock: Clock;
}

/** SQS takes 1 MiB, an item 400 KB: of a stranger's larger message the beginning is kept, so that it can be parked at all. */
const MAX_UNREADABLE_BYTES = 350_000;

/**
 * Parks a message that was tried too often. One that can be read waits in its project under its batch id; one that cannot
 * waits under `system` and its message id.
 */
export async function parkDeadLetter(
  message: { readonly messageId: string; readonly body: string },
  deps: ParkDeps,
): Promise<{ project: ProjectId | 'system'; name: string }> {
  const { messageId, body } = message;
  const parkedAtMillis = millisOf(deps.clock.now());
  const batch = readable(body);
  if (batch === null) {
    const name = `unreadable:${messageId}`;
    const bytes = Buffer.from(body);
    const detail = `The message (${bytes.length} bytes) is not one that ingest wrote. Look at its body; discard it, or correct and replay it.`;
    const kept = bytes.length > MAX_UNREADABLE_BYTES ? bytes.subarray(0, MAX_UNREADABLE_BYTES).toString() : body;
    await deps.parking.park('system', {
      name,
      reason: 'unreadable',
      detail,
      body: kept,
      events: 0,
      parkedAtMillis,
    });
    return { project: 'system', name };
  }
  const name = `undeliverable:${batch.batchId}`;
  const detail = 'Append failed on every try; the log of append-usage says why. Replay it once the cause is gone.';
  await deps.parking.park(batch.project, {
    name,
    reason: 'undeliverable',
    detail,
    body,
    events: batch.events.length + (batch.voids?.length ?? 0),
    parkedAtMillis,
  });
  return { project: batch.project, name };
}

function readable(body: string): ReturnType<typeof decodeUsageBatch> | null {
  try {
    return decodeUsageBatch(body);
  } catch {
    return null;
  }
}
