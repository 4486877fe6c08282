/**
 * One function: its warm environments, and the queue of invocations waiting for one. Starts more environments under
 * concurrency up to a cap, reuses the warm ones, lets idle ones go.
 */
import { randomUUID } from 'node:crypto';
import type { FunctionModel } from '../template/model.ts';
import { Environment, type Outcome } from './environment.ts';

/** Lambda's limits on a synchronous invocation, both ways, in bytes. */
export const SYNC_PAYLOAD_BYTES = 6_291_556;
const IDLE_MS = 5 * 60_000;

export interface InvocationRecord {
  readonly functionName: string;
  readonly requestId: string;
  readonly isCold: boolean;
  readonly durationMs: number;
  readonly cpuMicros: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Undefined when the invocation succeeded. */
  readonly errorType: string | undefined;
}

export interface FunctionRunnerOptions {
  readonly fn: FunctionModel;
  readonly variables: Readonly<Record<string, string>>;
  readonly clock: SharedArrayBuffer;
  /** Environments at a time; AWS would give up to 1,000, a laptop has few cores. */
  readonly maxEnvironments: number;
  readonly onLine: (line: string) => void;
  readonly onInvocation: (record: InvocationRecord) => void;
}

export class FunctionRunner {
  readonly #options: FunctionRunnerOptions;
  readonly #idle: { readonly environment: Environment; readonly since: number }[] = [];
  readonly #busy = new Set<Environment>();
  readonly #waiting: (() => void)[] = [];
  readonly #reaper: NodeJS.Timeout;
  #isStopped = false;

  constructor(options: FunctionRunnerOptions) {
    this.#options = options;
    this.#reaper = setInterval(() => this.#reap(), IDLE_MS / 5);
    this.#reaper.unref();
  }

  /**
   * Runs the handler once with `payload` (JSON text, at most 6 MB) and waits for its end. Never rejects for what happens
   * inside the function.
   * @throws Error when the function was stopped
   */
  async invoke(payload: string): Promise<Outcome> {
    const requestId = randomUUID();
    const requestBytes = Buffer.byteLength(payload);
    if (requestBytes > SYNC_PAYLOAD_BYTES) {
      return failure('RequestEntityTooLargeException', `Request must be smaller than ${SYNC_PAYLOAD_BYTES} bytes`);
    }
    const environment = await this.#take();
    const isCold = environment.isCold;
    const started = performance.now();
    const outcome = limitResponse(await environment.invoke(payload, requestId));
    this.#release(environment);
    this.#options.onInvocation({
      functionName: this.#options.fn.name,
      requestId,
      isCold,
      durationMs: performance.now() - started,
      cpuMicros: outcome.cpuMicros,
      requestBytes,
      responseBytes: outcome.kind === 'ok' ? Buffer.byteLength(outcome.payload) : 0,
      errorType: outcome.kind === 'error' ? outcome.error.errorType : undefined,
    });
    return outcome;
  }

  /** Ends every environment at once, as a dying machine would; running invocations fail. Returns how many there were. */
  async kill(): Promise<number> {
    const all = [...this.#busy, ...this.#idle.splice(0).map((entry) => entry.environment)];
    await Promise.all(all.map((environment) => environment.stop()));
    return all.length;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#reaper);
    for (const wake of this.#waiting.splice(0)) wake();
    await this.kill();
  }

  async #take(): Promise<Environment> {
    for (;;) {
      if (this.#isStopped) throw new Error(`${this.#options.fn.name} is stopped`);
      const warm = this.#idle.pop()?.environment;
      if (warm?.isUsable === true) {
        this.#busy.add(warm);
        return warm;
      }
      if (warm !== undefined) continue;
      if (this.#busy.size < this.#options.maxEnvironments) {
        const { fn, variables, clock, onLine } = this.#options;
        const fresh = new Environment({ fn, variables, clock, onLine });
        this.#busy.add(fresh);
        return fresh;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #release(environment: Environment): void {
    this.#busy.delete(environment);
    if (environment.isUsable && !this.#isStopped) this.#idle.push({ environment, since: performance.now() });
    this.#waiting.shift()?.();
  }

  #reap(): void {
    const limit = performance.now() - IDLE_MS;
    while (this.#idle[0] !== undefined && this.#idle[0].since < limit) void this.#idle.shift()?.environment.stop();
  }
}

function limitResponse(outcome: Outcome): Outcome {
  if (outcome.kind === 'error' || Buffer.byteLength(outcome.payload) <= SYNC_PAYLOAD_BYTES) return outcome;
  const message = `Response payload size exceeded maximum allowed payload size (${SYNC_PAYLOAD_BYTES} bytes).`;
  return { ...failure('Function.ResponseSizeTooLarge', message), cpuMicros: outcome.cpuMicros };
}

function failure(errorType: string, errorMessage: string): Outcome {
  return { kind: 'error', error: { errorType, errorMessage, trace: [] }, cpuMicros: 0 };
}
