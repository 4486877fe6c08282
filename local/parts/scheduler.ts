import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LocalClock } from './clock.ts';
import { type Occurrences, parseSchedule } from './schedule-expression.ts';

/**
 * EventBridge Scheduler (and scheduled rules) on the local clock.
 *
 * Owns: when a schedule fires, and remembering what it fired last, over restarts. A firing counts as done when its target
 * has answered, so one that a kill cut off is fired again: at least once, as on AWS. When the clock is moved past several
 * occurrences, only the last of them fires, like on a machine that slept; move in smaller steps to see each one.
 * Does not own: what the target does (a callback), the template (local/template).
 */
export interface Schedule {
  readonly name: string;
  /** rate(...), cron(...) or at(...). */
  readonly expression: string;
  /** IANA name, UTC by default. */
  readonly timeZone?: string;
  /** Called with the instant for which it fires (RFC 3339, whole seconds). A rejection is repeated, then given up. */
  invoke(scheduledTime: string): Promise<void>;
}

export interface FailedFiring {
  readonly schedule: string;
  readonly scheduledTime: string;
  readonly reason: string;
}

export interface SchedulerPart {
  /** Adds a schedule; it starts to count now, or where it was before a restart. Throws for a bad expression. */
  add(schedule: Schedule): void;
  /** When it fires next, in ms since the epoch; null when never again. Throws for an unknown name. */
  nextFiring(name: string): number | null;
  readonly failures: readonly FailedFiring[];
  /** Resolves when no target is running. */
  settled(): Promise<void>;
  /** Fires nothing any more; running targets end by themselves. */
  close(): void;
}

interface Saved {
  /** Expression and time zone; another one starts the schedule anew. */
  readonly spelled: string;
  /** When it started to count, and what it fired last: ms since the epoch. */
  readonly base: number;
  readonly last: number;
}

interface Active {
  readonly schedule: Schedule;
  readonly occurrences: Occurrences;
  cancel: () => void;
}

const REPEAT_AFTER_MS = [100, 1_000];

/** `file` keeps what fired last over restarts. */
export function openScheduler(options: { clock: LocalClock; file?: string }): SchedulerPart {
  return new LocalScheduler(options.clock, options.file);
}

class LocalScheduler implements SchedulerPart {
  readonly failures: FailedFiring[] = [];
  readonly #clock: LocalClock;
  readonly #file: string | undefined;
  readonly #saved: Map<string, Saved>;
  readonly #active = new Map<string, Active>();
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(clock: LocalClock, file: string | undefined) {
    this.#clock = clock;
    this.#file = file;
    if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
    const saved = file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '{}';
    this.#saved = new Map(Object.entries(JSON.parse(saved) as Record<string, Saved>));
  }

  add(schedule: Schedule): void {
    const timeZone = schedule.timeZone ?? 'UTC';
    const spelled = `${schedule.expression} ${timeZone}`;
    const old = this.#saved.get(schedule.name);
    const now = this.#clock.now();
    const saved = old?.spelled === spelled ? old : { spelled, base: now, last: now };
    const occurrences = parseSchedule(schedule.expression, timeZone, saved.base);
    this.#active.get(schedule.name)?.cancel();
    this.#save(schedule.name, saved);
    const active: Active = { schedule, occurrences, cancel: () => undefined };
    this.#active.set(schedule.name, active);
    this.#arm(active);
  }

  nextFiring(name: string): number | null {
    const active = this.#active.get(name);
    if (active === undefined) throw new Error(`There is no schedule ${name}.`);
    return active.occurrences.next(this.#last(name));
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
  }

  close(): void {
    this.#isClosed = true;
    for (const active of this.#active.values()) active.cancel();
  }

  #last(name: string): number {
    return this.#saved.get(name)?.last ?? this.#clock.now();
  }

  #arm(active: Active): void {
    const next = active.occurrences.next(this.#last(active.schedule.name));
    if (next === null || this.#isClosed) return;
    active.cancel = this.#clock.at(next, () => {
      const firing = this.#fire(active).finally(() => this.#running.delete(firing));
      this.#running.add(firing);
    });
  }

  async #fire(active: Active): Promise<void> {
    const { name } = active.schedule;
    const due = active.occurrences.latest(this.#last(name), this.#clock.now());
    if (due !== null) {
      await this.#invoke(active.schedule, `${new Date(due).toISOString().slice(0, 19)}Z`);
      const saved = this.#saved.get(name);
      if (saved !== undefined && !this.#isClosed) this.#save(name, { ...saved, last: due });
    }
    if (this.#active.get(name) === active) this.#arm(active);
  }

  async #invoke(schedule: Schedule, scheduledTime: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await schedule.invoke(scheduledTime);
      } catch (error) {
        const wait = REPEAT_AFTER_MS[attempt];
        if (wait === undefined || this.#isClosed) {
          this.failures.push({ schedule: schedule.name, scheduledTime, reason: String(error) });
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  #save(name: string, saved: Saved): void {
    this.#saved.set(name, saved);
    if (this.#file === undefined) return;
    writeFileSync(`${this.#file}.new`, JSON.stringify(Object.fromEntries(this.#saved)));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
