/** What an environment (local/lambda/environment.ts) and its worker thread (worker-main.ts) say to each other. */
export interface WorkerSetup {
  readonly codeFolder: string;
  /** `file.export`. */
  readonly handler: string;
  /** Offset of the shared clock (see local/parts/clock.ts). */
  readonly clock: SharedArrayBuffer;
}

export interface InvokeMessage {
  readonly id: number;
  /** The event, as JSON text. */
  readonly payload: string;
  readonly requestId: string;
  /** Real time, ms since the epoch. */
  readonly deadline: number;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMegabytes: number;
}

/** What went wrong inside the function, in Lambda's own words. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'broken'; readonly error: FunctionError }
  /** `cpuMicros`: thread CPU of this invocation. */
  | { readonly kind: 'done'; readonly id: number; readonly payload: string; readonly cpuMicros: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: FunctionError; readonly cpuMicros: number };
