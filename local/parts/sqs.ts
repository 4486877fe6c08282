import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/**
 * SQS: fauxqs in a process of its own. With a folder, queues and messages survive SIGKILL.
 *
 * Owns: the process. Does not own: queues (local/template makes them with CreateQueue), pollers (local/lambda), access
 * (local/gateway). Known gap of fauxqs: with a folder, ChangeMessageVisibility to 0 fails; wait for the timeout instead.
 * Its visibility timeouts run on the real clock.
 */
export interface SqsPart {
  /** Such as `http://127.0.0.1:41235`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the process, within 5 s. */
  stop(): Promise<void>;
}

export interface SqsOptions {
  /** Folder of the data; made when missing. Without it messages live in memory. */
  readonly folder?: string;
  /** How long to wait until it answers, in ms. */
  readonly startTimeoutMs?: number;
}

const STOP_TIMEOUT_MS = 5_000;

/** Starts the process and resolves once it listens. Throws one sentence with what it said when it does not. */
export async function startSqs(options: SqsOptions = {}): Promise<SqsPart> {
  const child = fork(
    join(import.meta.dirname, 'sqs-process.ts'),
    options.folder === undefined ? [] : [options.folder],
    {
      // Without the parent's own flags (a test runner's loader, an inspector's port).
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A group of its own: a terminal's Ctrl-C must not end it before the handlers that still write.
      detached: true,
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await untilListening(child, options.startTimeoutMs ?? 30_000);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.send('stop', () => undefined);
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function untilListening(child: ChildProcess, timeoutMs: number): Promise<number> {
  let said = '';
  return new Promise((resolve, reject) => {
    const fail = (message: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(message));
    };
    const timer = setTimeout(
      () => fail(`The SQS part did not listen within ${timeoutMs / 1000} s. ${said}`),
      timeoutMs,
    );
    const onExit = (code: number | null) => fail(`The SQS part ended with code ${code} before it listened. ${said}`);
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000);
    });
    child.once('exit', onExit);
    child.once('message', (message: { port: number }) => {
      clearTimeout(timer);
      child.removeListener('exit', onExit);
      resolve(message.port);
    });
  });
}
