import type { ProjectId } from '../ids.ts';
import { DEFAULT_HEADER, hourKey, type PartitionHeader } from './log-partition.ts';
import type { UsageClaims } from './ports.ts';

export interface HeaderDeps {
  readonly claims: Pick<UsageClaims, 'pinHeader'>;
  /** Pinned placements this worker knows, by project and hour. They never change, so they never expire. */
  readonly headers: Map<string, PartitionHeader>;
}

const HEADERS_KEPT = 10_000;

/** The placement of the hour that `bornMillis` lies in; pins it if nobody has. */
export async function pinnedHeader(
  project: ProjectId,
  bornMillis: number,
  { claims, headers }: HeaderDeps,
): Promise<PartitionHeader> {
  const name = `${project}/${hourKey(bornMillis)}`;
  const known = headers.get(name);
  if (known !== undefined) return known;
  const header = await claims.pinHeader(project, bornMillis, DEFAULT_HEADER);
  if (headers.size >= HEADERS_KEPT) headers.clear();
  headers.set(name, header);
  return header;
}
