import type { ProjectId } from '../ids.ts';
import type { ParkedMessage, ParkingLot, UsageQueue } from './ports.ts';

const NOT_REPLAYABLE: ReadonlySet<ParkedMessage['reason']> = new Set(['unfoldable', 'view_full', 'append_deadline']);

/** Whether replaying would do anything: see `replayParked`. */
export function isReplayable({ reason }: Pick<ParkedMessage, 'reason'>): boolean {
  return !NOT_REPLAYABLE.has(reason);
}

/**
 * Sends a parked message to the usage queue again and takes it out of the lot, in this order: a crash in between leaves it
 * parked and sent, and sending it once more counts nothing twice. Only whole messages can be replayed; events that folding
 * set aside are in the log already, and are put right by rebuilding their view. Nor can what came after its partition's append
 * deadline: append would park it again under the same name, and taking the first out of the lot would lose it. Its events go
 * in anew, through a backfill.
 */
export async function replayParked(
  project: ProjectId | 'system',
  message: ParkedMessage,
  deps: { parking: ParkingLot; queue: UsageQueue },
): Promise<'replayed' | 'not_replayable'> {
  if (!isReplayable(message)) return 'not_replayable';
  await deps.queue.send(message.body.split('\n'));
  await deps.parking.remove(project, message.name);
  return 'replayed';
}
