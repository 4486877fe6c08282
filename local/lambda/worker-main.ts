/**
 * The inside of one Lambda environment: a worker thread that makes `Date` tell the shared clock's time, loads the bundled
 * handler and then serves one invocation after the other. It never sees the template; its environment variables are its own.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { LocalClock } from '../parts/clock.ts';
import type { FunctionError, InvokeMessage, WorkerMessage, WorkerSetup } from './worker-messages.ts';

type Handler = (event: unknown, context: object) => unknown;

const setup = workerData as WorkerSetup;
const realNow = Date.now.bind(Date);
const port = parentPort;
if (port === null) throw new Error('worker-main.ts runs in a worker thread only');
const say = (message: WorkerMessage) => port.postMessage(message);

patchDate(new LocalClock(setup.clock));
try {
  const handler = await loadHandler();
  port.on('message', (message: InvokeMessage) => void serve(handler, message));
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'broken', error: functionError(error) });
}

/** Before any handler code is loaded: `Date.now()`, `new Date()` and `Date()` tell the local time; the rest is untouched. */
function patchDate(clock: LocalClock): void {
  const RealDate = Date;
  RealDate.now = () => clock.now();
  const LocalDate = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [clock.now()] : args, newTarget) as Date,
    apply: () => new RealDate(clock.now()).toString(),
  });
  RealDate.prototype.constructor = LocalDate;
  globalThis.Date = LocalDate;
}

async function loadHandler(): Promise<Handler> {
  const dot = setup.handler.lastIndexOf('.');
  const [file, name] = [setup.handler.slice(0, dot), setup.handler.slice(dot + 1)];
  const found = ['.mjs', '.js', '.cjs']
    .map((end) => path.join(setup.codeFolder, file + end))
    .find((p) => existsSync(p));
  if (found === undefined) throw named('Runtime.ImportModuleError', `Cannot find module '${file}'`);
  const loaded = (await import(pathToFileURL(found).href)) as Record<string, unknown>;
  const handler = loaded[name];
  if (typeof handler !== 'function')
    throw named('Runtime.HandlerNotFound', `${setup.handler} is undefined or not exported`);
  return handler as Handler;
}

async function serve(handler: Handler, message: InvokeMessage): Promise<void> {
  const before = process.threadCpuUsage();
  const cpuMicros = () => {
    const used = process.threadCpuUsage(before);
    return used.user + used.system;
  };
  process.env._X_AMZN_TRACE_ID = `Root=1-00000000-${message.requestId.replaceAll('-', '').slice(0, 24)};Sampled=0`;
  try {
    const result = await handler(JSON.parse(message.payload), contextOf(message));
    const payload = JSON.stringify(result) ?? 'null';
    say({ kind: 'done', id: message.id, payload, cpuMicros: cpuMicros() });
  } catch (error) {
    say({ kind: 'failed', id: message.id, error: functionError(error), cpuMicros: cpuMicros() });
  }
}

function contextOf(message: InvokeMessage): object {
  return {
    awsRequestId: message.requestId,
    functionName: message.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: message.functionArn,
    memoryLimitInMB: String(message.memoryMegabytes),
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, message.deadline - realNow()),
  };
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** Lambda reports the error's `name` as errorType; a thrown value that is no Error becomes its type's name. */
function functionError(error: unknown): FunctionError {
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}
