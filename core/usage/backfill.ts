import type { Page, PageRequest } from '../accounts/ports.ts';
import { conflict, invalid, notFound } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { BACKFILL_SOURCE_PREFIX } from './event-id.ts';
import { DAY_MILLIS, DEDUP_HORIZON_MILLIS } from './retention.ts';

/**
 * A named backfill: while it is open, events of its source may be older than the event-age limit. Its ids always take the
 * claim lane, so the same file sent twice counts once. It takes events for as long as ids are taken, counted from its first
 * opening: every claim of its source is then still there, and no row can be counted anew after its claim has expired.
 */
export interface Backfill {
  /** 1 to 64 of a-z, 0-9, `_`, `-`, `.`; for a file, the hash of its content. */
  readonly name: string;
  /** `backfill:<name>`: what its events carry as their source. */
  readonly source: string;
  /** The time of the oldest event it may bring, for people and reports. */
  readonly from: Instant;
  readonly status: 'open' | 'closed';
  readonly openedAt: Instant;
}

export interface BackfillStore {
  find(project: ProjectId, name: string): Promise<Backfill | undefined>;
  create(project: ProjectId, backfill: Backfill): Promise<'stored' | 'refused'>;
  /** The backfill as it then is; undefined when there is none. */
  setStatus(project: ProjectId, name: string, status: Backfill['status']): Promise<Backfill | undefined>;
  list(project: ProjectId, page: PageRequest): Promise<Page<Backfill>>;
}

const NAME_PATTERN = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/** Whether events of this backfill are taken now. */
export function isBackfillOpen(backfill: Backfill | undefined, now: Instant): boolean {
  return backfill?.status === 'open' && !isExpired(backfill, now);
}

function isExpired(backfill: Backfill, now: Instant): boolean {
  return millisOf(now) > millisOf(backfill.openedAt) + DEDUP_HORIZON_MILLIS;
}

/**
 * Opens a backfill; one that is there with the same `from` is opened again, so that an import can be repeated.
 * Throws `backfill_name_invalid`, `backfill_exists` or `backfill_expired`.
 */
export async function openBackfill(
  input: { project: ProjectId; name: string; from: Instant },
  deps: { backfills: BackfillStore; clock: Clock },
): Promise<Backfill> {
  const { project, name, from } = input;
  if (!NAME_PATTERN.test(name)) {
    throw invalid(
      'backfill_name_invalid',
      `Got the backfill name ${JSON.stringify(name.slice(0, 64))}; expected 1 to 64 of a-z, 0-9, "_", "-" and ".".`,
    );
  }
  const source = BACKFILL_SOURCE_PREFIX + name;
  const backfill: Backfill = { name, source, from, status: 'open', openedAt: deps.clock.now() };
  if ((await deps.backfills.create(project, backfill)) === 'stored') return backfill;
  const existing = await deps.backfills.find(project, name);
  if (existing && existing.from !== from) {
    throw conflict('backfill_exists', `The backfill ${name} exists with from ${existing.from}; choose another name.`);
  }
  if (existing && isExpired(existing, deps.clock.now())) {
    throw conflict(
      'backfill_expired',
      `The backfill ${name} was opened at ${existing.openedAt} and took events for ${DEDUP_HORIZON_MILLIS / DAY_MILLIS} days. Under another name the same events would be counted again.`,
    );
  }
  return (await deps.backfills.setStatus(project, name, 'open')) ?? backfill;
}

/** Closes a backfill: its source is refused from then on. Throws `backfill_not_found`. */
export async function closeBackfill(
  input: { project: ProjectId; name: string },
  deps: { backfills: BackfillStore },
): Promise<Backfill> {
  const closed = await deps.backfills.setStatus(input.project, input.name, 'closed');
  if (!closed) throw notFound('backfill_not_found', `No backfill ${input.name.slice(0, 64)} in this project.`);
  return closed;
}
