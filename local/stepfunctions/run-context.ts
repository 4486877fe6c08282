/**
 * The context object. The engine overwrites `$$.Execution` with its own (and the real time), so ours stands under another
 * name and the definition's paths are renamed. Also evaluates payload templates that are not fields of an engine's state.
 */
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { isObject, type Json, type JsonObject } from '../template/json.ts';
import type { ExecutionContext } from './machine-ports.ts';

/** `$$.Execution.Name` becomes `$$.Run.Name`, everywhere in the value. */
export function withRenamedContext<T extends Json>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('$$.Execution.', '$$$$.Run.') as T;
  if (Array.isArray(value)) return value.map((item: Json) => withRenamedContext(item)) as unknown as T;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withRenamedContext(item)]),
  ) as unknown as T;
}

export function contextObject(context: ExecutionContext, input: Json, more: JsonObject = {}): Record<string, unknown> {
  return {
    Run: {
      Id: context.executionArn,
      Name: context.executionName,
      Input: input,
      RoleArn: context.roleArn,
      StartTime: context.startTime,
    },
    StateMachine: { Id: context.machineArn, Name: context.machineName },
    ...more,
  };
}

/** A payload template (`{"a.$": "$.b"}`) over an input; its context paths are renamed already. */
export async function fillTemplate(template: Json, input: Json, context: Record<string, unknown>): Promise<Json> {
  const definition = { StartAt: 'Fill', States: { Fill: { Type: 'Pass', Parameters: template, End: true } } };
  const machine = new StateMachine(definition as unknown as StateMachineDefinition, {
    validationOptions: { noValidate: true },
  });
  return (await machine.run(input as never, { context }).result) as Json;
}
