import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What the double remembers, by kind and id. */
export type Collection =
  | 'meta'
  | 'customer'
  | 'invoice'
  | 'line'
  | 'payment_method'
  | 'payment_intent'
  | 'invoice_payment'
  | 'event'
  | 'idempotency'
  | 'delivery';

type Change = readonly [Collection, string, unknown];

/**
 * The double's memory and its file. Changes gather during one request and are written as one line by `commit`: a kill leaves
 * a request wholly done or not done. A last line cut short by a kill is dropped when the file is read again.
 */
export class Journal {
  readonly #kept = new Map<Collection, Map<string, unknown>>();
  readonly #file: string | undefined;
  #changes: Change[] = [];

  constructor(file: string | undefined) {
    this.#file = file;
    if (file !== undefined && existsSync(file)) {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        if (line !== '' && !this.#replay(line)) break;
      }
      this.#compact(file);
    }
  }

  get<T>(collection: Collection, id: string): T | undefined {
    const changed = this.#changes.findLast(([kind, changedId]) => kind === collection && changedId === id);
    const value = changed === undefined ? this.#of(collection).get(id) : changed[2];
    return value === undefined || value === null ? undefined : (structuredClone(value) as T);
  }

  put(collection: Collection, id: string, value: unknown): void {
    this.#changes.push([collection, id, structuredClone(value)]);
  }

  remove(collection: Collection, id: string): void {
    this.#changes.push([collection, id, null]);
  }

  /** Everything of one kind that `keep` takes, oldest first, uncommitted changes included. */
  all<T>(collection: Collection, keep: (value: T) => boolean = () => true): T[] {
    const merged = new Map(this.#of(collection));
    for (const [kind, id, value] of this.#changes) {
      if (kind !== collection) continue;
      if (value === null) merged.delete(id);
      else merged.set(id, value);
    }
    return [...merged.values()].filter((value) => keep(value as T)).map((value) => structuredClone(value) as T);
  }

  commit(): void {
    if (this.#changes.length === 0) return;
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(this.#changes)}\n`);
    this.#apply(this.#changes);
    this.#changes = [];
  }

  discard(): void {
    this.#changes = [];
  }

  #of(collection: Collection): Map<string, unknown> {
    const found = this.#kept.get(collection) ?? new Map<string, unknown>();
    this.#kept.set(collection, found);
    return found;
  }

  #apply(changes: readonly Change[]): void {
    for (const [collection, id, value] of changes) {
      if (value === null) this.#of(collection).delete(id);
      else this.#of(collection).set(id, value);
    }
  }

  #replay(line: string): boolean {
    try {
      this.#apply(JSON.parse(line) as Change[]);
      return true;
    } catch {
      return false;
    }
  }

  #compact(file: string): void {
    const lines: string[] = [];
    for (const [collection, items] of this.#kept) {
      for (const [id, value] of items) lines.push(JSON.stringify([[collection, id, value]]));
    }
    writeFileSync(`${file}.new`, lines.map((line) => `${line}\n`).join(''));
    renameSync(`${file}.new`, file);
  }
}
