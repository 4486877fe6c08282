/**
 * The synthesized app, running on this machine: starts the parts, makes what the templates declare, loads the functions and
 * wires what invokes them. Owns the order of starting and stopping, and nothing else.
 */
import path from 'node:path';
import type { CallRecord } from './gateway/call-handling.ts';
import type { Gateway } from './gateway/gateway.ts';
import { type HttpApi, startHttpApi } from './http/http-api.ts';
import { startEventSources } from './lambda/event-sources.ts';
import type { InvocationRecord } from './lambda/function-runner.ts';
import type { LambdaRuntime } from './lambda/lambda-runtime.ts';
import { LocalClock } from './parts/clock.ts';
import { MetricsSink } from './parts/metrics.ts';
import type { LoggedEvent } from './parts/put-events.ts';
import { type Compute, invokeOrThrow, loadCompute } from './stack-compute.ts';
import { type StackParts, startParts } from './stack-parts.ts';
import { lockState } from './state-lock.ts';
import type { StateMachines } from './stepfunctions/state-machines.ts';
import { statesBackend } from './stepfunctions/states-backend.ts';
import { expireItems } from './template/expire-items.ts';
import type { AppModel } from './template/model.ts';
import { provision } from './template/provision.ts';
import { readApp } from './template/read-app.ts';

export interface StackOptions {
  /** Folder of the cloud assembly. */
  readonly cdkOut: string;
  /** Where tables, queues, objects, positions, executions and logs live over restarts. */
  readonly stateDir: string;
  /** By default the clock kept in the state folder; it goes on where it stood. */
  readonly clock?: LocalClock;
  /** 0 or nothing: any free port. */
  readonly ports?: { readonly api?: number; readonly gateway?: number };
  /** Environments of one function at a time. */
  readonly maxEnvironments?: number;
  readonly onProgress?: (step: string) => void;
  /** What went wrong outside of a handler: a refused permission, a record given up. Also in `<stateDir>/logs`. */
  readonly onProblem?: (problem: string) => void;
  readonly onCall?: (record: CallRecord) => void;
  readonly onInvocation?: (record: InvocationRecord) => void;
  /** Called when everything stands and nothing has begun to work: no poller, no schedule, no execution of before. */
  readonly beforeWork?: (stack: Pick<LocalStack, 'gateway' | 'parts' | 'principalOf'>) => void;
}

export interface LocalStack {
  readonly apiUrl: string;
  readonly gatewayUrl: string;
  readonly app: AppModel;
  readonly clock: LocalClock;
  readonly gateway: Gateway;
  readonly parts: StackParts;
  readonly lambda: LambdaRuntime;
  readonly machines: StateMachines;
  readonly metrics: MetricsSink;
  /** Runs a function by name (`append-usage`) and returns what it answered. @throws Error named like the function's */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** Ends a function's environments at once, running invocations included. Returns how many. */
  kill(name: string): Promise<number>;
  /** The principal a function calls as: its role's name, as the gateway's records and faults spell it. */
  principalOf(functionName: string): string;
  /** Events on the buses so far, oldest first. */
  events(): readonly LoggedEvent[];
  /** Removes the items whose TTL has passed on the stack's clock. Returns how many. */
  expireItems(): Promise<number>;
  /** Ends every process, thread and timer of the stack. State stays in its folder. */
  stop(): Promise<void>;
}

/** How long running invocations may take to end when the stack stops, in ms. */
const GRACE_MS = 3_000;

/** @throws Error with one sentence: what is missing on this machine, or what in the template cannot be run truthfully */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const closers: (() => unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await start(options, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function start(
  options: StackOptions,
  closers: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<LocalStack> {
  const { stateDir } = options;
  // As on Lambda; worker threads take it over.
  process.env.TZ = 'UTC';
  closers.push(lockState(stateDir));
  const clock = options.clock ?? LocalClock.open(path.join(stateDir, 'clock.json'));
  if (options.clock === undefined) closers.push(() => clock.close());
  const full: StartOptions = { ...SILENT, ...options, clock, metrics: new MetricsSink() };
  const { app, parts } = await provisionedParts(full, closers);
  full.onProgress(`loading ${app.functions.length} functions and ${app.stateMachines.length} state machine`);
  const compute = loadCompute(app, parts, full);
  const { lambda, machines } = compute;
  parts.gateway.setBackend('states', statesBackend(machines));
  closers.push(
    () => lambda.stop(),
    () => machines.stop(),
  );
  const principalOf = (name: string) => lambda.find(name).roleArn.split('/').at(-1) ?? '';
  full.beforeWork({ gateway: parts.gateway, parts, principalOf });
  full.onProgress('connecting queues, streams, schedules and rules');
  await connect({ app, parts, compute, options: full, closers });
  machines.resume();
  const api = await openApi(app, lambda, full);
  closers.push(() => api.stop());
  full.onProgress(`listening on ${api.url}`);
  return {
    ...{
      apiUrl: api.url,
      gatewayUrl: parts.gateway.url,
      app,
      clock,
      gateway: parts.gateway,
      parts,
      lambda,
      machines,
      stop,
    },
    metrics: full.metrics,
    invoke: (name, event) => invokeOrThrow(lambda, name, event),
    kill: (name) => lambda.kill(name),
    principalOf,
    events: () => parts.bridge.log,
    expireItems: () => expireItems(app.tables, parts.dynamodb, clock.now()),
  };
}

const SILENT = {
  maxEnvironments: 3,
  onProgress: () => undefined,
  onProblem: () => undefined,
  onCall: () => undefined,
  onInvocation: () => undefined,
  beforeWork: () => undefined,
};

type StartOptions = Required<Omit<StackOptions, 'ports'>> &
  Pick<StackOptions, 'ports'> & { readonly metrics: MetricsSink };

async function provisionedParts(
  options: StartOptions,
  closers: (() => unknown)[],
): Promise<{ app: AppModel; parts: StackParts }> {
  const { cdkOut, stateDir, clock, onProgress } = options;
  onProgress('reading the templates');
  const unbound = readApp(cdkOut, 'http://127.0.0.1');
  onProgress('starting the local parts');
  const parts = await startParts({
    app: unbound,
    stateDir,
    clock,
    gatewayPort: options.ports?.gateway ?? 0,
    onCall: options.onCall,
    onStarted: (close) => closers.push(close),
  });
  // Queue URLs start with the gateway's address, which is known only now.
  const app = readApp(cdkOut, parts.gateway.url);
  onProgress(
    `${app.tables.length} tables, ${app.queues.length} queues, buckets, secrets, a bus: made where they are missing`,
  );
  await provision(app, {
    dynamodb: parts.dynamodb,
    sqs: parts.sqs,
    createBucket: (name) => parts.s3.objects.createBucket(name),
    createBus: (name) => parts.bridge.createBus(name),
    ensureSecret: (name, value) => void parts.secrets.ensure(name, value),
  });
  return { app, parts };
}

interface Wiring {
  readonly app: AppModel;
  readonly parts: StackParts;
  readonly compute: Compute;
  readonly options: StartOptions;
  readonly closers: (() => unknown)[];
}

async function connect({ app, parts, compute, options, closers }: Wiring): Promise<void> {
  const { lambda, delivery } = compute;
  const { clock, stateDir, onProblem } = options;
  const { scheduler, bridge, sqsOf, streams, refusal } = parts;
  const positionFolder = path.join(stateDir, 'streams');
  const sources = await startEventSources({
    app,
    lambda,
    delivery,
    clock,
    sqsOf,
    streams,
    refusal,
    positionFolder,
    onProblem,
  });
  closers.push(() => Promise.race([sources.stop(), new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]));
  closers.push(() => scheduler.close());
  for (const schedule of app.schedules.filter((candidate) => candidate.isEnabled)) {
    const { name, expression, timeZone } = schedule;
    scheduler.add({ name, expression, timeZone, invoke: (time) => delivery.fire(schedule, time) });
  }
  for (const rule of app.rules.filter((candidate) => candidate.isEnabled)) {
    if (rule.pattern === undefined) throw new Error(`rule ${rule.name}: only rules with a pattern are known locally`);
    const targets = rule.targets.map((target) => ({
      name: target.id,
      deliver: (event: object) => delivery.forward(rule, target, event),
    }));
    bridge.putRule({ name: rule.name, bus: rule.busName, pattern: rule.pattern, targets });
  }
}

function openApi(app: AppModel, lambda: LambdaRuntime, options: StartOptions): Promise<HttpApi> {
  const [api] = app.httpApis;
  if (api === undefined || app.httpApis.length > 1) throw new Error('the local stack serves exactly one HTTP API');
  return startHttpApi({
    api,
    permissions: app.invokePermissions,
    invoke: (arn, payload) => lambda.invoke(arn, payload),
    now: () => options.clock.now(),
    onProblem: options.onProblem,
    port: options.ports?.api ?? 0,
  });
}
