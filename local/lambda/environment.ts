/**
 * One Lambda environment: a worker thread with a handler in it. Serves one invocation at a time, is killed when one
 * outlives the function's timeout, and is of no further use once it crashed.
 */
import { Worker } from 'node:worker_threads';
import type { FunctionModel } from '../template/model.ts';
import { linesOf } from './log-lines.ts';
import type { FunctionError, InvokeMessage, WorkerMessage, WorkerSetup } from './worker-messages.ts';

export type Outcome =
  | { readonly kind: 'ok'; readonly payload: string; readonly cpuMicros: number }
  /** The handler threw, or could not be loaded; or the platform ended it: timeout, exit, response too large. */
  | { readonly kind: 'error'; readonly error: FunctionError; readonly cpuMicros: number };

export interface EnvironmentOptions {
  readonly fn: FunctionModel;
  readonly variables: Readonly<Record<string, string>>;
  readonly clock: SharedArrayBuffer;
  readonly onLine: (line: string) => void;
}

/** Lambda gives the init phase ten seconds; on two shared cores it needs more patience. */
const INIT_TIMEOUT_MS = 60_000;
const MAIN = new URL('./worker-main.ts', import.meta.url);

interface Pending {
  readonly id: number;
  readonly requestId: string;
  readonly settle: (outcome: Outcome) => void;
}

export class Environment {
  readonly #options: EnvironmentOptions;
  readonly #worker: Worker;
  readonly #ready: Promise<FunctionError | undefined>;
  #pending: Pending | undefined;
  #isGone = false;
  #invocations = 0;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    const setup: WorkerSetup = { codeFolder: options.fn.codeFolder, handler: options.fn.handler, clock: options.clock };
    this.#worker = new Worker(MAIN, {
      workerData: setup,
      env: { ...options.variables },
      execArgv: ['--enable-source-maps', '--disable-warning=ExperimentalWarning'],
      stdout: true,
      stderr: true,
      // Node's own parts share the worker's heap; what Lambda counts as memory is a little more than the heap.
      resourceLimits: { maxOldGenerationSizeMb: Math.max(64, options.fn.memoryMegabytes) },
    });
    linesOf(this.#worker.stdout, options.onLine);
    linesOf(this.#worker.stderr, options.onLine);
    this.#ready = this.#untilReady();
    this.#worker.on('message', (message: WorkerMessage) => this.#hear(message));
    this.#worker.on('error', (error: Error) => this.#lost(crashError(error)));
    this.#worker.on('exit', (code) => this.#lost(exitError(this.#pending?.requestId, code)));
  }

  /** False once the worker ended; a new environment is needed. */
  get isUsable(): boolean {
    return !this.#isGone;
  }

  /** True before the first invocation: the next one is a cold start. */
  get isCold(): boolean {
    return this.#invocations === 0;
  }

  /** Never rejects. The caller sees to it that only one invocation runs at a time. */
  async invoke(payload: string, requestId: string): Promise<Outcome> {
    const broken = await this.#ready;
    if (broken !== undefined) {
      await this.stop();
      return { kind: 'error', error: broken, cpuMicros: 0 };
    }
    const { fn } = this.#options;
    const id = ++this.#invocations;
    const timeoutMs = fn.timeoutSeconds * 1000;
    return new Promise<Outcome>((resolve) => {
      const timer = setTimeout(() => this.#timeOut(requestId), timeoutMs);
      const settle = (outcome: Outcome) => {
        clearTimeout(timer);
        this.#pending = undefined;
        resolve(outcome);
      };
      if (this.#isGone) return settle({ kind: 'error', error: exitError(requestId, 1), cpuMicros: 0 });
      this.#pending = { id, requestId, settle };
      const message: InvokeMessage = {
        id,
        payload,
        requestId,
        deadline: Date.now() + timeoutMs,
        functionName: fn.name,
        functionArn: fn.arn,
        memoryMegabytes: fn.memoryMegabytes,
      };
      this.#worker.postMessage(message);
    });
  }

  /** Ends the thread at once; an invocation in it fails like a crash. */
  async stop(): Promise<void> {
    this.#isGone = true;
    await this.#worker.terminate();
  }

  #untilReady(): Promise<FunctionError | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve({ errorType: 'Sandbox.Timedout', errorMessage: 'the init phase took too long', trace: [] });
        void this.stop();
      }, INIT_TIMEOUT_MS);
      const end = (error: FunctionError | undefined) => {
        clearTimeout(timer);
        resolve(error);
      };
      this.#worker.once('message', (message: WorkerMessage) =>
        end(message.kind === 'broken' ? message.error : undefined),
      );
      this.#worker.once('error', (error: Error) => end(crashError(error)));
      this.#worker.once('exit', (code) => end(exitError(undefined, code)));
    });
  }

  #hear(message: WorkerMessage): void {
    if (message.kind === 'ready' || message.kind === 'broken' || message.id !== this.#pending?.id) return;
    const { cpuMicros } = message;
    this.#pending.settle(
      message.kind === 'done'
        ? { kind: 'ok', payload: message.payload, cpuMicros }
        : { kind: 'error', error: message.error, cpuMicros },
    );
  }

  #timeOut(requestId: string): void {
    const seconds = this.#options.fn.timeoutSeconds.toFixed(2);
    this.#lost({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
      trace: [],
    });
    void this.stop();
  }

  #lost(error: FunctionError): void {
    this.#isGone = true;
    this.#pending?.settle({ kind: 'error', error, cpuMicros: 0 });
  }
}

function exitError(requestId: string | undefined, code: number): FunctionError {
  return {
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId ?? 'none'} Error: Runtime exited with error: exit status ${code}`,
    trace: [],
  };
}

/** An error outside of the handler's promise ends the process on Lambda, too. */
function crashError(error: Error & { code?: string }): FunctionError {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { errorType: 'Runtime.OutOfMemory', errorMessage: 'Runtime exited with error: signal: killed', trace: [] };
  }
  const trace = (error.stack ?? '').split('\n');
  return { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: String(error.message), trace };
}
