import type { Meter, MeterRevision } from '../catalog/meter.ts';
import type { MeterStore } from '../catalog/ports.ts';
import { BillingError } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { millisOf } from '../time/instant.ts';
import type { LoggedEvent } from './chunk.ts';
import { dayStartMillis } from './log-partition.ts';
import { DAY_MILLIS } from './retention.ts';

/**
 * The meters a fold knows: revisions by number, which never change, and the meters that also count events accepted before
 * there were those meters.
 */
export class Revisions extends Map<number, MeterRevision> {
  readonly backfilled: readonly Meter[];

  private constructor(backfilled: readonly Meter[]) {
    super();
    this.backfilled = backfilled;
  }

  /** Reads strongly, at the beginning of a fold, which meters look back. */
  static async asOfNow(project: ProjectId | undefined, { meters }: RevisionDeps): Promise<Revisions> {
    if (project === undefined) return new Revisions([]);
    const newest = await meters.newest(project, 'fresh');
    return new Revisions(newest.meters.filter(({ backfill }) => backfill !== undefined));
  }
}

export interface RevisionDeps {
  readonly meters: Pick<MeterStore, 'revision' | 'newest'>;
}

/** The meters that count events of a UTC day (`20261121`) which were accepted before there were those meters. */
export function backfilledOn(day: string, meters: readonly Meter[]): string[] {
  const start = dayStartMillis(day);
  return meters.flatMap(({ key, backfill }) =>
    backfill !== undefined && millisOf(backfill.from) < start + DAY_MILLIS && millisOf(backfill.until) > start
      ? [key]
      : [],
  );
}

/**
 * Reads the revisions that events were accepted under and that are not known yet. One that does not exist stays out, and no
 * meter counts its events.
 */
export async function readRevisions(
  project: ProjectId,
  events: readonly Pick<LoggedEvent, 'meterRevision'>[],
  revisions: Map<number, MeterRevision>,
  deps: { readonly meters: Pick<MeterStore, 'revision'> },
): Promise<void> {
  for (const revision of new Set(events.map((event) => event.meterRevision))) {
    if (revisions.has(revision)) continue;
    try {
      revisions.set(revision, await deps.meters.revision(project, revision));
    } catch (error) {
      if (!(error instanceof BillingError) || error.code !== 'meter_revision_missing') throw error;
    }
  }
}
