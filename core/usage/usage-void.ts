import { invariantBroken } from '../errors.ts';

/**
 * A void: the word that one event, named by its identity, does not count. The event stays in the log as it was accepted; a
 * void of the same identity a second time says nothing new. It lives in its target's log partition, so that the two meet
 * whatever their order, and it has no fingerprint but its target's, in a space of its own: no id a client sends can be
 * taken for one.
 */
export interface UsageVoid {
  /** Position in the request, from 0. */
  readonly index: number;
  /** The identity of the event that is voided. */
  readonly customer: string;
  readonly source: string;
  readonly id: string;
  /** In the words of whoever asked; may be empty. */
  readonly reason: string;
  /** Who asked: the id of the API key, or of the job. */
  readonly by: string;
}

/** A void as the log keeps it. */
export interface LoggedVoid extends UsageVoid {
  /** When it was asked for (ms since 1970). */
  readonly requestedAtMillis: number;
  /**
   * Whether its event lies in an earlier chunk of the partition: then folding takes out what the event had added. Otherwise
   * the event, if it ever comes, is stored dead, and there is nothing to undo.
   */
  readonly isUndoing: boolean;
}

/** A void as its row of a chunk or, less the last two, of a message. */
export type VoidRow = [number, string, string, string, string, string, number, 0 | 1];

export function voidRow(entry: LoggedVoid): VoidRow {
  const { index, customer, source, id, reason, by, requestedAtMillis, isUndoing } = entry;
  return [index, customer, source, id, reason, by, requestedAtMillis, isUndoing ? 1 : 0];
}

/** The inverse of `voidRow`. Throws `invariant-broken` (code `chunk_damaged`) on a row we did not write. */
export function loggedVoidOf(row: VoidRow): LoggedVoid {
  if (!Array.isArray(row) || row.length !== 8)
    throw invariantBroken('chunk_damaged', 'A void in a chunk does not have its eight fields.');
  const [index, customer, source, id, reason, by, requestedAtMillis, isUndoing] = row;
  return { index, customer, source, id, reason, by, requestedAtMillis, isUndoing: isUndoing === 1 };
}
