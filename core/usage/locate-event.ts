import type { ProjectId } from '../ids.ts';
import { bornMillisOf } from './event-id.ts';
import { fingerprintHex, fingerprintOf } from './identity.ts';
import { partitionName, shardOf } from './log-partition.ts';
import type { UsageClaims } from './ports.ts';

/** Where in the log an event must be if it is anywhere: a pure question of its identity, its claim and the header of its hour. */
export interface EventIdentity {
  readonly project: ProjectId;
  readonly id: string;
  readonly customer?: string | undefined;
  /** Empty unless the event named one. */
  readonly source?: string | undefined;
}

export type EventPlaces =
  /** The event can only be in one of these partitions; one alone when its customer is known. */
  | { readonly kind: 'located'; readonly bornMillis: number; readonly partitions: readonly string[] }
  /** Nothing under this identity was ever accepted, or it has expired. */
  | { readonly kind: 'never_seen' }
  /** The id carries no time, and without its customer its claim has no name. */
  | { readonly kind: 'customer_needed' };

export type LocateDeps = Pick<UsageClaims, 'findHeader' | 'findClaim'>;

/** Finds the partitions of an event by at most two small reads. */
export async function locateEvent(identity: EventIdentity, claims: LocateDeps): Promise<EventPlaces> {
  const { project, id, customer, source = '' } = identity;
  let bornMillis = bornMillisOf(source, id);
  if (bornMillis === null) {
    if (customer === undefined) return { kind: 'customer_needed' };
    const claimed = await claims.findClaim(project, fingerprintHex(fingerprintOf(project, { customer, source, id })));
    if (claimed === undefined) return { kind: 'never_seen' };
    bornMillis = claimed;
  }
  const header = await claims.findHeader(project, bornMillis);
  if (header === undefined) return { kind: 'never_seen' };
  const born = bornMillis;
  const shards =
    customer === undefined
      ? Array.from({ length: header.shards }, (_, shard) => shard)
      : [shardOf(header, customer, id)];
  return { kind: 'located', bornMillis, partitions: shards.map((shard) => partitionName(header, shard, born)) };
}
