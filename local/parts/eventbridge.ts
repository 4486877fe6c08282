import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Backend, jsonBackend } from '../gateway/backend.ts';
import type { LocalClock } from './clock.ts';
import { compilePattern, type Match } from './event-pattern.ts';
import { type DeliveredEvent, type LoggedEvent, putEvents } from './put-events.ts';

/**
 * EventBridge: PutEvents, rules with patterns, delivery to targets, and a log of every event, for tests and `npm start`.
 *
 * Owns: matching, delivery with repeats, the log. An accepted event is in the log (and its file) before
 * PutEvents answers; its deliveries happen after the answer and are not repeated after a restart: on AWS they would be.
 * Does not own: the entries of PutEvents and their limits (put-events.ts), what a target does (a callback), schedules.
 */
export interface RuleTarget {
  readonly name: string;
  /** Resolves when the target has taken the event; a rejection is repeated three times. */
  deliver(event: DeliveredEvent): Promise<void>;
}

export interface Rule {
  readonly name: string;
  readonly bus: string;
  readonly pattern: unknown;
  readonly targets: readonly RuleTarget[];
}

export interface FailedDelivery {
  readonly rule: string;
  readonly target: string;
  readonly eventId: string;
  readonly reason: string;
}

export interface EventBridgePart {
  readonly handle: Backend;
  createBus(name: string): void;
  /** Adds a rule. Throws for a pattern that is not understood, and for an unknown bus. */
  putRule(rule: Rule): void;
  /** Every event that was accepted, oldest first. */
  readonly log: readonly LoggedEvent[];
  readonly failures: readonly FailedDelivery[];
  /** Told about each event as it is accepted; returns the way to leave. */
  onEvent(listener: (logged: LoggedEvent) => void): () => void;
  /** Resolves when nothing is being delivered. */
  settled(): Promise<void>;
}

const REPEAT_AFTER_MS = [50, 500, 2_000];

/** `file` keeps the log (one JSON a line) over restarts. */
export function openEventBridge(options: { clock: Pick<LocalClock, 'now'>; file?: string }): EventBridgePart {
  const buses = new Set(['default']);
  const rules: (Rule & { match: Match })[] = [];
  const log = savedLog(options.file);
  const failures: FailedDelivery[] = [];
  const listeners = new Set<(logged: LoggedEvent) => void>();
  const running = new Set<Promise<void>>();

  const accept = (logged: LoggedEvent) => {
    if (options.file !== undefined) appendFileSync(options.file, `${JSON.stringify(logged)}\n`);
    log.push(logged);
    for (const listener of listeners) listener(logged);
    for (const rule of rules.filter(({ bus, match }) => bus === logged.bus && match(logged.event))) {
      for (const target of rule.targets) {
        const delivery = deliver(rule, target, logged.event, failures).finally(() => running.delete(delivery));
        running.add(delivery);
      }
    }
  };

  return {
    handle: jsonBackend({ PutEvents: (input) => putEvents(input, { buses, now: options.clock.now(), accept }) }),
    createBus: (name) => void buses.add(name),
    putRule: (rule) => {
      if (!buses.has(rule.bus))
        throw new Error(`The rule ${rule.name} is on the bus ${rule.bus}, which does not exist.`);
      rules.push({ ...rule, match: compilePattern(rule.pattern) });
    },
    log,
    failures,
    onEvent: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    settled: async () => {
      while (running.size > 0) await Promise.allSettled([...running]);
    },
  };
}

async function deliver(
  rule: Rule,
  target: RuleTarget,
  event: DeliveredEvent,
  failures: FailedDelivery[],
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await target.deliver(event);
    } catch (error) {
      const wait = REPEAT_AFTER_MS[attempt];
      if (wait === undefined) {
        failures.push({ rule: rule.name, target: target.name, eventId: event.id, reason: String(error) });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

function savedLog(file: string | undefined): LoggedEvent[] {
  if (file === undefined) return [];
  mkdirSync(dirname(file), { recursive: true });
  if (!existsSync(file)) return [];
  const saved = readFileSync(file, 'utf8');
  const whole = saved.slice(0, saved.lastIndexOf('\n') + 1);
  // A kill in the middle of a write leaves a last line without its end; that event was never answered for.
  if (whole.length < saved.length) writeFileSync(file, whole);
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LoggedEvent);
}
