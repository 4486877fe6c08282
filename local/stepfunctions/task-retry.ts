/** Runs a task by its Retry field, with pauses on the stack's clock, and by its TimeoutSeconds, in real time. */
import type { LocalClock } from '../parts/clock.ts';
import { AslError, isMatch, toAslError } from './asl-error.ts';

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'NONE' | 'FULL';
}

export interface RetryContext {
  readonly clock: LocalClock;
  readonly signal: AbortSignal;
}

/**
 * @param attempt runs the task once
 * @throws AslError the last error, once no retrier takes it any more
 */
export async function withRetry<T>(
  retriers: readonly Retrier[],
  attempt: () => Promise<T>,
  { clock, signal }: RetryContext,
): Promise<T> {
  const used = retriers.map(() => 0);
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toAslError(thrown);
      const index = retriers.findIndex((retrier) => isMatch(retrier.ErrorEquals, error));
      const retrier = retriers[index];
      const count = used[index] ?? 0;
      // Only the first retrier that names the error counts, even when its attempts are used up.
      if (retrier === undefined || count >= (retrier.MaxAttempts ?? 3)) throw error;
      used[index] = count + 1;
      await clock.sleep(pauseMs(retrier, count), signal);
    }
  }
}

function pauseMs(retrier: Retrier, count: number): number {
  const seconds = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** count;
  const limited = Math.min(seconds, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return Math.round(limited * 1000 * (retrier.JitterStrategy === 'FULL' ? Math.random() : 1));
}

/** @throws AslError `States.Timeout` when `work` takes longer; the work itself runs on, as on AWS. */
export function withTimeout<T>(seconds: number | undefined, work: () => Promise<T>): Promise<T> {
  if (seconds === undefined) return work();
  return new Promise<T>((resolve, reject) => {
    const late = () => reject(new AslError('States.Timeout', `The task took longer than ${seconds} seconds.`));
    const timer = setTimeout(late, seconds * 1000);
    work()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
