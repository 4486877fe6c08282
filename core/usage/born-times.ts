import type { ProjectId } from '../ids.ts';
import { BACKFILL_SOURCE_PREFIX } from './event-id.ts';
import { fingerprintHex, fingerprintOf } from './identity.ts';
import type { UsageClaims } from './ports.ts';
import type { ReadEvent } from './usage-event.ts';

/**
 * The born time of each event, in order: from its id, or from the claim on its identity. The claims of a backfill, which come
 * by the thousand, go a hundred in a call: twice the price of a write, and a tenth of the time of a hundred calls. All others
 * go one by one.
 */
export async function bornTimes(
  project: ProjectId,
  read: readonly ReadEvent[],
  nowMillis: number,
  claims: UsageClaims,
): Promise<number[]> {
  const single = new Set<string>();
  const bulk = new Set<string>();
  const identities = read.map(({ event, bornMillis }) => {
    if (bornMillis !== null) return null;
    const identity = fingerprintHex(fingerprintOf(project, event));
    (event.source.startsWith(BACKFILL_SOURCE_PREFIX) ? bulk : single).add(identity);
    return identity;
  });
  const known = await claimedTogether(project, [...bulk], nowMillis, claims);
  for (const identity of bulk) if (!known.has(identity)) single.add(identity);
  const queue = [...single];
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      known.set(next, await claims.claim(project, next, nowMillis));
    }
  };
  await Promise.all(Array.from({ length: Math.min(CLAIMS_AT_ONCE, queue.length) }, lane));
  return read.map(({ bornMillis }, i) => bornMillis ?? known.get(identities[i] ?? '') ?? nowMillis);
}

const CLAIMS_AT_ONCE = 32;
const CLAIMS_TOGETHER = 100;
const CALLS_AT_ONCE = 4;

/** What calls of a hundred claims learn. What was there already keeps a call from taking effect; the rest is tried once more. */
async function claimedTogether(
  project: ProjectId,
  identities: readonly string[],
  nowMillis: number,
  claims: UsageClaims,
): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  const groups: (readonly string[])[] = [];
  for (let from = 0; from < identities.length; from += CLAIMS_TOGETHER) {
    groups.push(identities.slice(from, from + CLAIMS_TOGETHER));
  }
  const attempt = async (group: readonly string[]): Promise<readonly string[]> => {
    const claimed = await claims.claimTogether(project, group, nowMillis);
    return group.filter((identity, i) => {
      const millis = claimed[i];
      if (millis !== undefined) known.set(identity, millis);
      return millis === undefined;
    });
  };
  const lane = async () => {
    for (let next = groups.shift(); next !== undefined; next = groups.shift()) {
      const open = await attempt(next);
      if (open.length > 0 && open.length < next.length) await attempt(open);
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, lane));
  return known;
}
