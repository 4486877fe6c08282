import { hash } from 'node:crypto';
import { invalid } from '../errors.ts';

/** How far a search has looked, in its own order: everything up to here is behind it. */
export interface SearchPosition {
  /** The append day; empty when the search knows its partitions by the event's id. */
  readonly day: string;
  /** Empty: the day has not been begun. */
  readonly partition: string;
  /** Chunks from this sequence on are behind; of this one itself, the events from `index` on are. */
  readonly sequence: number;
  readonly index: number;
}

/** The position as opaque text, bound to what is searched for: with another question it is refused. */
export function encodeSearchCursor(position: SearchPosition, question: unknown): string {
  const { day, partition, sequence, index } = position;
  return Buffer.from(JSON.stringify([digestOf(question), day, partition, sequence, index])).toString('base64url');
}

/** The inverse of `encodeSearchCursor`. Throws `cursor_invalid` for text that it did not make for this question. */
export function decodeSearchCursor(text: string, question: unknown): SearchPosition {
  try {
    const [digest, day, partition, sequence, index] = JSON.parse(
      Buffer.from(text, 'base64url').toString(),
    ) as unknown[];
    const isWhole =
      digest === digestOf(question) &&
      typeof day === 'string' &&
      typeof partition === 'string' &&
      Number.isSafeInteger(sequence) &&
      Number.isSafeInteger(index);
    if (isWhole) return { day, partition, sequence: Number(sequence), index: Number(index) };
  } catch {
    // Not even JSON: refused like every other text that is not ours.
  }
  throw invalid(
    'cursor_invalid',
    'Got a cursor of another search; expected the cursor of the previous page of this one, with the same filters.',
    [{ field: 'cursor', code: 'cursor_invalid', detail: 'Not a cursor of this search.', got: text.slice(0, 64) }],
  );
}

function digestOf(question: unknown): string {
  return hash('sha256', JSON.stringify(question), 'base64url').slice(0, 12);
}
