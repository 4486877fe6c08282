import type { PageRequest } from '../accounts/ports.ts';
import { invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import {
  type AuditCounts,
  type AuditedConflict,
  addCounts,
  auditPartition,
  NO_COUNTS,
  type PartitionAudit,
} from './audit-partition.ts';
import { hourKey, partitionsOfHour } from './log-partition.ts';
import type { ParkedMessage, ParkingDesk, UsageClaims, UsageLog } from './ports.ts';
import { bornHourEnd, logExpirySeconds } from './retention.ts';
import { decodeUsageBatch } from './usage-batch.ts';

/** The books of one born hour: what became of every event that was accepted under an id of that hour. */
export interface AuditDeps {
  readonly log: Pick<UsageLog, 'readChunks' | 'oldestAbove'>;
  readonly headers: Pick<UsageClaims, 'findHeader'>;
  readonly desk: Pick<ParkingDesk, 'page' | 'decisions'>;
  readonly clock: Clock;
}

export interface UsageAudit {
  readonly partitions: readonly (Omit<PartitionAudit, 'batches' | 'conflicts'> & { readonly balances: boolean })[];
  readonly total: AuditCounts;
  readonly balances: boolean;
  readonly conflicts: readonly AuditedConflict[];
  /** Whether the whole parking lot and all decisions were looked through; if not, more may be parked than is said. */
  readonly isParkingWhole: boolean;
  /** The last partition of this page; null when it was the last of all. */
  readonly cursor: string | null;
}

/** A partition is at most about 32 MB by design; after this many chunks (350 KB at most each) a page ends. */
const CHUNKS_A_PAGE = 100;
const PARTITIONS_A_PAGE = 60;
const CONFLICTS_SHOWN = 100;
const PARKING_PAGES = 10;

/**
 * Audits the partitions of the hour that begins at `hourMillis`, page by page after `cursor`. Throws `hour_expired` once the
 * log of the hour may be gone, and `cursor_invalid`.
 */
export async function auditUsage(
  input: { readonly project: ProjectId; readonly hourMillis: number; readonly cursor?: string | undefined },
  deps: AuditDeps,
): Promise<UsageAudit> {
  const { project, hourMillis, cursor } = input;
  if (millisOf(deps.clock.now()) / 1000 > logExpirySeconds(bornHourEnd(hourMillis)))
    throw invalid('hour_expired', `The log of the hour ${hourKey(hourMillis)} has expired; it lives for 80 days.`);
  const names = await partitionsOf(project, hourMillis, deps);
  const first = cursor === undefined ? 0 : names.indexOf(cursor) + 1;
  if (cursor !== undefined && first === 0) throw invalid('cursor_invalid', 'Got a cursor of another hour.');
  const audits: PartitionAudit[] = [];
  let chunks = 0;
  for (const partition of names.slice(first, first + PARTITIONS_A_PAGE)) {
    if (chunks >= CHUNKS_A_PAGE) break;
    const audit = await auditPartition({ project, partition }, CONFLICTS_SHOWN, deps);
    audits.push(audit);
    chunks += audit.chunks;
  }
  const last = first + audits.length;
  const { isWhole, waiting } = await parkedOf(project, audits, deps);
  const partitions = audits.map(({ batches: _batches, conflicts: _conflicts, ...audit }) => {
    const counts = addCounts(audit.counts, waiting.get(audit.partition) ?? NO_COUNTS);
    return { ...audit, counts, balances: audit.differences.length === 0 };
  });
  return {
    partitions,
    total: partitions.reduce((sum, { counts }) => addCounts(sum, counts), NO_COUNTS),
    balances: partitions.every(({ balances }) => balances),
    conflicts: audits.flatMap(({ conflicts }) => conflicts).slice(0, CONFLICTS_SHOWN),
    isParkingWhole: isWhole,
    cursor: last < names.length ? (names[last - 1] ?? null) : null,
  };
}

/** All partitions of the hour, under its pinned header; none when no event of the hour was ever accepted. */
async function partitionsOf(project: ProjectId, hourMillis: number, { headers }: AuditDeps): Promise<string[]> {
  const header = await headers.findHeader(project, hourMillis);
  return header === undefined ? [] : partitionsOfHour(header, hourMillis);
}

/** Events of these partitions that are parked or were discarded before they were appended, by partition. */
async function parkedOf(project: ProjectId, audits: readonly PartitionAudit[], { desk }: AuditDeps) {
  const settled = new Map(audits.map(({ partition, batches }) => [partition, batches]));
  const waiting = new Map<string, AuditCounts>();
  const seen = new Set<string>();
  const enter = ({ reason, body }: Pick<ParkedMessage, 'reason' | 'body'>, kind: 'parked' | 'discarded') => {
    if (reason !== 'undeliverable' && reason !== 'append_deadline') return;
    const { batchId, events, voids = [] } = decodeUsageBatch(body);
    for (const [partition, list] of Map.groupBy([...events, ...voids], (entry) => entry.partition)) {
      const key = `${partition}/${batchId}`;
      // A message that was parked after it had been settled here, or parked twice, counts once.
      if (settled.get(partition)?.has(batchId) !== false || seen.has(key)) continue;
      seen.add(key);
      const more = { ...NO_COUNTS, accepted: list.length, [kind]: list.length };
      waiting.set(partition, addCounts(waiting.get(partition) ?? NO_COUNTS, more));
    }
  };
  const isLotWhole = await eachOf(
    (page) => desk.page(project, page),
    (message) => enter(message, 'parked'),
  );
  const areDecisionsWhole = await eachOf(
    (page) => desk.decisions(project, page),
    ({ body, reason }) => body !== null && enter({ reason, body }, 'discarded'),
  );
  return { isWhole: isLotWhole && areDecisionsWhole, waiting };
}

/** Reads at most `PARKING_PAGES` pages; false when there are more. */
async function eachOf<T>(
  read: (page: PageRequest) => Promise<{ readonly items: readonly T[]; readonly cursor: string | null }>,
  take: (item: T) => unknown,
): Promise<boolean> {
  let cursor: string | undefined;
  for (let pages = 0; pages < PARKING_PAGES; pages++) {
    const page = await read({ limit: 100, cursor });
    for (const item of page.items) take(item);
    if (page.cursor === null) return true;
    cursor = page.cursor;
  }
  return false;
}
