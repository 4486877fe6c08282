/**
 * One execution, parent or child of a distributed map: rewrites what the engine (aws-local-stepfunctions) would do in real
 * time or not at all into tasks of ours, runs it, and gives output or an AslError. Tasks carry their retries themselves, so
 * that pauses are on the stack's clock; Wait becomes a task that sleeps on it; a distributed map becomes a task as well.
 */
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { isObject, type Json, type JsonObject } from '../template/json.ts';
import { AslError, limitPayload, toAslError } from './asl-error.ts';
import { runDistributedMap } from './distributed-map.ts';
import { invokeFunction } from './lambda-task.ts';
import type { MachineRun } from './machine-ports.ts';
import { contextObject, withRenamedContext } from './run-context.ts';
import { type Retrier, withRetry, withTimeout } from './task-retry.ts';

type Handler = (input: Json) => Promise<Json>;

/** The engine's own limit on a task would be 60 s; ours are in the handlers. Seconds, below what setTimeout can take. */
const NEVER_SECONDS = 2_000_000;
const HANDLED_BY_US = 'arn:aws:lambda:us-east-1:000000000000:function:handled-by-the-adapter';

/** @throws AslError when the execution fails; the signal's reason when it was stopped */
export async function runMachine(run: MachineRun): Promise<Json> {
  const handlers: Record<string, Handler> = {};
  const states: Record<string, JsonObject> = {};
  for (const [name, state] of Object.entries(isObject(run.definition.States) ? run.definition.States : {})) {
    if (isObject(state)) states[name] = rewritten(name, withRenamedContext(state), run, handlers);
  }
  const definition = { StartAt: run.definition.StartAt, States: states } as unknown as StateMachineDefinition;
  const machine = new StateMachine(definition, { validationOptions: { noValidate: true } });
  const execution = machine.run(run.input as never, {
    overrides: { taskResourceLocalHandlers: handlers as never },
    context: contextObject(run.context, run.input),
  });
  const onAbort = () => execution.abort();
  run.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [result] = await Promise.all([execution.result, watch(execution, run)]);
    return result as Json;
  } catch (error) {
    run.signal.throwIfAborted();
    throw toAslError(error instanceof Error && error.name === 'ExecutionError' ? error.cause : error);
  } finally {
    run.signal.removeEventListener('abort', onAbort);
    execution.abort();
  }
}

/** Follows the execution's events: tells which state is entered, and ends it when a state's output is too large. */
async function watch(execution: ReturnType<StateMachine['run']>, run: MachineRun): Promise<void> {
  for await (const event of execution.eventLogs) {
    if (event.type === 'StateEntered' && 'state' in event) run.onState?.(event.state.name);
    if (event.type === 'StateExited' && 'state' in event) {
      limitPayload(`The output of ${event.state.name}`, event.state.output);
    }
  }
}

function rewritten(name: string, state: JsonObject, run: MachineRun, handlers: Record<string, Handler>): JsonObject {
  if (state.Type === 'Wait') {
    const { Seconds, Timestamp, SecondsPath, TimestampPath, ...rest } = state;
    handlers[name] = (given) => sleep(given, run);
    const parameters = {
      ...(Seconds === undefined ? {} : { seconds: Seconds }),
      ...(Timestamp === undefined ? {} : { timestamp: Timestamp }),
      ...(SecondsPath === undefined ? {} : { 'seconds.$': SecondsPath }),
      ...(TimestampPath === undefined ? {} : { 'timestamp.$': TimestampPath }),
      'input.$': '$',
    };
    return { ...rest, Type: 'Task', Resource: HANDLED_BY_US, TimeoutSeconds: NEVER_SECONDS, Parameters: parameters };
  }
  if (state.Type !== 'Task' && state.Type !== 'Map') return state;
  const { Retry, TimeoutSeconds, ...rest } = state;
  const retriers = (Array.isArray(Retry) ? Retry : []) as unknown as Retrier[];
  const seconds = typeof TimeoutSeconds === 'number' ? TimeoutSeconds : undefined;
  const once =
    state.Type === 'Map'
      ? (input: Json) => runDistributedMap({ name, state, input, run, runChild: runMachine })
      : taskOf(state, run);
  handlers[name] = (input) =>
    withRetry(retriers, () => withTimeout(seconds, () => once(input)), { clock: run.ports.clock, signal: run.signal });
  const kept = state.Type === 'Map' ? mapAsTask(rest) : rest;
  return { ...kept, Type: 'Task', Resource: HANDLED_BY_US, TimeoutSeconds: NEVER_SECONDS };
}

/** Of a map the engine keeps paths, ResultSelector and Catch; the rest is the handler's. */
function mapAsTask(state: JsonObject): JsonObject {
  const kept = ['Comment', 'InputPath', 'OutputPath', 'ResultSelector', 'ResultPath', 'Catch', 'Next', 'End'];
  return Object.fromEntries(Object.entries(state).filter(([field]) => kept.includes(field)));
}

function taskOf(state: JsonObject, run: MachineRun): Handler {
  const resource = String(state.Resource);
  if (!resource.endsWith(':states:::lambda:invoke')) return (input) => invokeFunction(resource, input, run.ports);
  return async (input) => {
    const parameters = isObject(input) ? input : {};
    const payload = await invokeFunction(String(parameters.FunctionName), parameters.Payload ?? {}, run.ports);
    return { ExecutedVersion: '$LATEST', Payload: payload, StatusCode: 200 };
  };
}

async function sleep(given: Json, run: MachineRun): Promise<Json> {
  const { seconds, timestamp, input = null } = isObject(given) ? given : {};
  const { clock } = run.ports;
  if (typeof timestamp === 'string') {
    const due = Date.parse(timestamp);
    if (Number.isNaN(due)) throw new AslError('States.Runtime', `${timestamp} is not an RFC 3339 time`);
    await clock.sleepUntil(due, run.signal);
  } else {
    await clock.sleep(Number(seconds) * 1000, run.signal);
  }
  return input;
}
