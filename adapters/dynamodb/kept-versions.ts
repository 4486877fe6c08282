/**
 * Versions that were read, kept for as long as the environment lives: what is numbered never changes, so an account rated
 * after another on the same plan version gets the same object, and with it everything rating has worked out of it. The
 * versions used longest ago make room. Frozen, because many accounts share them. What was not found is asked for again.
 */
export class KeptVersions<T extends object> {
  readonly #most: number;
  readonly #kept = new Map<string, T>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The version of that name, read by `read` when it is not kept. Throws as `read` does; then nothing is kept. */
  async get(name: string, read: () => Promise<T | null>): Promise<T | null> {
    const known = this.#kept.get(name);
    const version = known ?? (await read());
    if (version === null) return null;
    // Taken out and put in again: a Map lists what was put in last at its end.
    this.#kept.delete(name);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= this.#most && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, known ?? frozen(version));
    return version;
  }
}

function frozen<T extends object>(value: T): T {
  for (const entry of Object.values(value)) if (typeof entry === 'object' && entry !== null) frozen(entry);
  return Object.freeze(value);
}
