import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * The one clock of the local stack: real time plus an offset that tests and the demo move.
 *
 * Owns: the offset (in shared memory, so that worker threads read the same time, and optionally in a file, so that it
 * survives a restart) and the timers that fire when the clock passes an instant, whether it ran there or was moved there.
 * Does not own: who patches `Date` in a worker (local/lambda does, from `buffer`).
 *
 * Timers belong to the thread that made them and see only moves made through their own instance; a worker attaches to
 * `buffer` in order to read `now()`.
 */
const realNow = Date.now.bind(Date);
/** setTimeout takes no more than 2^31-1 ms; longer waits are armed again. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

export class LocalClock {
  /** Hand this to worker threads; `new LocalClock(buffer)` there reads the same time. */
  readonly buffer: SharedArrayBuffer;
  readonly #offset: BigInt64Array;
  readonly #file: string | undefined;
  #timers: Timer[] = [];
  #made = 0;
  #armed: NodeJS.Timeout | undefined;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(8), file?: string) {
    this.buffer = buffer;
    this.#offset = new BigInt64Array(buffer);
    this.#file = file;
  }

  /** A clock whose offset is kept in `file`, so that a restarted stack goes on in its own time. */
  static open(file: string): LocalClock {
    const clock = new LocalClock(new SharedArrayBuffer(8), file);
    if (existsSync(file)) {
      const saved = JSON.parse(readFileSync(file, 'utf8')) as { offsetMs?: unknown };
      if (typeof saved.offsetMs !== 'number' || !Number.isSafeInteger(saved.offsetMs)) {
        throw new Error(`${file} does not hold the offset of a clock; delete it to start at the real time.`);
      }
      Atomics.store(clock.#offset, 0, BigInt(saved.offsetMs));
    }
    return clock;
  }

  /** Milliseconds since the epoch, whole. */
  now(): number {
    return realNow() + this.offsetMs();
  }

  /** How far this clock is ahead of the real one, in ms (negative: behind). */
  offsetMs(): number {
    return Number(Atomics.load(this.#offset, 0));
  }

  /** Moves the clock to an instant (ms since the epoch), forward or back; timers that it passes fire soon after. */
  set(ms: number): void {
    if (!Number.isSafeInteger(ms)) throw new Error(`a clock is set to whole milliseconds, got ${ms}`);
    this.#move(BigInt(ms - realNow()));
  }

  /** Moves the clock forward by `ms` (whole, 0 or more). */
  advance(ms: number): void {
    if (!Number.isSafeInteger(ms) || ms < 0) throw new Error(`a clock advances by whole milliseconds, got ${ms}`);
    this.#move(BigInt(this.offsetMs() + ms));
  }

  /** Calls `fire` once the clock has reached `due` (ms since the epoch). Returns the way to call it off. */
  at(due: number, fire: () => void): () => void {
    const timer: Timer = { due, order: this.#made++, fire };
    const place = this.#timers.findIndex((other) => other.due > due);
    this.#timers.splice(place === -1 ? this.#timers.length : place, 0, timer);
    this.#arm();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.#arm();
    };
  }

  /** Resolves once the clock has reached `due` (ms since the epoch); rejects with the signal's reason when aborted. */
  sleepUntil(due: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.at(due, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Resolves after `ms` of this clock's time. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.sleepUntil(this.now() + ms, signal);
  }

  /** Forgets all timers, so that the process may end. Sleepers never wake. */
  close(): void {
    this.#timers = [];
    this.#arm();
  }

  #move(offset: bigint): void {
    Atomics.store(this.#offset, 0, offset);
    if (this.#file !== undefined) {
      writeFileSync(`${this.#file}.new`, JSON.stringify({ offsetMs: Number(offset) }));
      renameSync(`${this.#file}.new`, this.#file);
    }
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#armed);
    this.#armed = undefined;
    const next = this.#timers[0];
    if (next === undefined) return;
    const wait = Math.min(Math.max(next.due - this.now(), 0), LONGEST_TIMEOUT_MS);
    this.#armed = setTimeout(() => this.#fireDue(), wait);
  }

  #fireDue(): void {
    const now = this.now();
    const due = this.#timers.filter((timer) => timer.due <= now);
    this.#timers = this.#timers.filter((timer) => timer.due > now);
    try {
      for (const timer of due) timer.fire();
    } finally {
      this.#arm();
    }
  }
}
