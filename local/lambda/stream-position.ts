/** How far an event source has read its stream: kept in a file, so that a restart goes on where the last one stood. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export class StreamPosition {
  readonly #file: string;
  readonly #shards: Map<string, string>;

  constructor(file: string) {
    this.#file = file;
    mkdirSync(path.dirname(file), { recursive: true });
    this.#shards = existsSync(file)
      ? new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>))
      : new Map();
  }

  /** True when nothing was ever read: the mapping's starting position decides. */
  get isNew(): boolean {
    return this.#shards.size === 0;
  }

  /** Sequence number of the last record done with; undefined before the first. */
  after(shardId: string): string | undefined {
    const position = this.#shards.get(shardId);
    return position === FINISHED ? undefined : position;
  }

  isFinished(shardId: string): boolean {
    return this.#shards.get(shardId) === FINISHED;
  }

  advance(shardId: string, sequenceNumber: string): void {
    this.#shards.set(shardId, sequenceNumber);
    this.#save();
  }

  /** The shard was closed and read to its end. */
  finish(shardId: string): void {
    this.#shards.set(shardId, FINISHED);
    this.#save();
  }

  /** Forgets shards the stream no longer has. */
  keepOnly(shardIds: ReadonlySet<string>): void {
    const gone = [...this.#shards.keys()].filter((id) => !shardIds.has(id));
    for (const id of gone) this.#shards.delete(id);
    if (gone.length > 0) this.#save();
  }

  #save(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(Object.fromEntries(this.#shards)));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

const FINISHED = 'finished';
