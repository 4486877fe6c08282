/**
 * All functions of the app: finds them by name, runs them, keeps their logs apart from their metrics, and delivers
 * asynchronous invocations with Lambda's retries.
 */
import type { LocalClock } from '../parts/clock.ts';
import type { FunctionModel } from '../template/model.ts';
import type { Outcome } from './environment.ts';
import { FunctionRunner, type InvocationRecord } from './function-runner.ts';
import { type Credentials, functionVariables } from './function-variables.ts';
import { type FunctionLog, openFunctionLog } from './log-lines.ts';

export interface LambdaRuntimeOptions {
  readonly functions: readonly FunctionModel[];
  readonly region: string;
  /** The gateway. */
  readonly endpoint: string;
  readonly clock: LocalClock;
  readonly credentialsOf: (roleArn: string) => Credentials;
  readonly logFolder: string;
  /** Environments of one function at a time. */
  readonly maxEnvironments: number;
  /** Takes a line of output if it is a metric, and says whether it was one. */
  readonly takeMetric: (functionName: string, line: string) => boolean;
  readonly onInvocation: (record: InvocationRecord) => void;
  /** Delivers the record of an asynchronous invocation that failed for good. */
  readonly onAsyncFailure: (fn: FunctionModel, payload: string, outcome: Outcome) => Promise<void>;
}

/** Lambda waits one minute before the first retry of an asynchronous invocation and two before the second. */
const ASYNC_RETRY_DELAYS_MS = [60_000, 120_000] as const;

interface Entry {
  readonly fn: FunctionModel;
  readonly runner: FunctionRunner;
  readonly log: FunctionLog;
}

export class LambdaRuntime {
  readonly #options: LambdaRuntimeOptions;
  readonly #entries: readonly Entry[];
  readonly #stopping = new AbortController();
  readonly #background = new Set<Promise<void>>();

  constructor(options: LambdaRuntimeOptions) {
    this.#options = options;
    this.#entries = options.functions.map((fn) => {
      const log = openFunctionLog(options.logFolder, fn.name);
      const runner = new FunctionRunner({
        fn,
        variables: functionVariables(fn, options.region, options.endpoint, options.credentialsOf(fn.roleArn)),
        clock: options.clock.buffer,
        maxEnvironments: Math.min(options.maxEnvironments, fn.reservedConcurrency ?? options.maxEnvironments),
        onLine: (line) => {
          if (!options.takeMetric(fn.name, line)) log.write(line);
        },
        onInvocation: (record) => {
          if (record.errorType !== undefined) log.write(`${record.requestId} failed: ${record.errorType}`);
          options.onInvocation(record);
        },
      });
      return { fn, runner, log };
    });
  }

  /** By ARN, physical name, or the name of its construct in any spelling (`append-usage`, `AppendUsage`), or its end. */
  find(name: string): FunctionModel {
    return this.#entry(name).fn;
  }

  /**
   * Runs a function and waits for its end. What happens inside is in the outcome.
   * @throws Error when there is no such function
   */
  invoke(name: string, payload: string): Promise<Outcome> {
    return this.#entry(name).runner.invoke(payload);
  }

  /**
   * Runs an asynchronous invocation with Lambda's retries, on the stack's clock. Not durable: who needs it after a restart
   * sends it again, so it tells when the first attempt is over (`attempted`) and when it succeeded or was given up (`settled`).
   */
  invokeAsync(name: string, payload: string): { readonly attempted: Promise<void>; readonly settled: Promise<void> } {
    const entry = this.#entry(name);
    const attempted = Promise.withResolvers<void>();
    const settled = this.#deliver(entry, payload, attempted.resolve).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) entry.log.write(`asynchronous invocation lost: ${String(error)}`);
    });
    this.#background.add(settled);
    void settled.finally(() => this.#background.delete(settled));
    return { attempted: attempted.promise, settled };
  }

  /** Ends every environment of a function at once; what runs in them fails. Returns how many there were. */
  kill(name: string): Promise<number> {
    return this.#entry(name).runner.kill();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the local Lambda stops'));
    await Promise.all(this.#entries.map((entry) => entry.runner.stop()));
    await Promise.all(this.#background);
    await Promise.all(this.#entries.map((entry) => entry.log.close()));
  }

  async #deliver(entry: Entry, payload: string, onAttempt: () => void): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await entry.runner.invoke(payload);
      // An attempt that the end of the stack cut off does not count as one.
      if (!this.#stopping.signal.aborted) onAttempt();
      if (outcome.kind === 'ok') return;
      const delay = ASYNC_RETRY_DELAYS_MS[attempt];
      if (attempt >= entry.fn.asyncRetries || delay === undefined) {
        await this.#options.onAsyncFailure(entry.fn, payload, outcome);
        return;
      }
      await this.#options.clock.sleep(delay, this.#stopping.signal);
    }
  }

  #entry(name: string): Entry {
    const exact = this.#entries.find(({ fn }) => fn.arn === name || fn.name === name || `${fn.arn}:$LATEST` === name);
    if (exact !== undefined) return exact;
    const plain = plainName(name);
    const named = (matches: (part: string) => boolean) =>
      this.#entries.filter(({ fn }) => fn.constructPath.split('/').some((part) => matches(plainName(part))));
    const same = named((part) => part === plain);
    const similar = same.length > 0 ? same : named((part) => part.endsWith(plain));
    const [only] = similar;
    if (only !== undefined && similar.length === 1) return only;
    const names = this.#entries.map(({ fn }) => fn.name).join(', ');
    throw new Error(`${similar.length === 0 ? 'no' : 'more than one'} function is called ${name}; there are ${names}`);
  }
}

function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase();
}
