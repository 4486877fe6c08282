/**
 * Refuses at load what the local engine would not do as AWS does: the engine ignores fields it does not know, and a silent
 * difference in the machine that bills is the worst kind. Knows the subset of the language that is handled, field by field.
 */
import aslValidator from 'asl-validator';
import { isObject, type Json, type JsonObject } from '../template/json.ts';

const IO = ['InputPath', 'OutputPath'];
const RESULT = ['Parameters', 'ResultSelector', 'ResultPath', 'Retry', 'Catch', 'TimeoutSeconds'];
const ALWAYS = ['Type', 'Comment'];
const STEP = ['Next', 'End'];

/** Every field of every state type that is handled; another one is an error. */
const FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  Task: new Set([...ALWAYS, ...STEP, ...IO, ...RESULT, 'Resource']),
  Pass: new Set([...ALWAYS, ...STEP, ...IO, 'Parameters', 'Result', 'ResultPath']),
  Wait: new Set([...ALWAYS, ...STEP, ...IO, 'Seconds', 'Timestamp', 'SecondsPath', 'TimestampPath']),
  Choice: new Set([...ALWAYS, ...IO, 'Choices', 'Default']),
  Succeed: new Set([...ALWAYS, ...IO]),
  Fail: new Set([...ALWAYS, 'Error', 'Cause', 'ErrorPath', 'CausePath']),
  Map: new Set([
    ...ALWAYS,
    ...STEP,
    ...IO,
    ...[
      'ResultSelector',
      'ResultPath',
      'Retry',
      'Catch',
      'Label',
      'ItemReader',
      'ItemSelector',
      'ItemBatcher',
      'ItemProcessor',
    ],
    ...['MaxConcurrency', 'ToleratedFailurePercentage', 'ToleratedFailureCount'],
  ]),
};
const MACHINE = new Set(['Comment', 'StartAt', 'States', 'TimeoutSeconds', 'Version', 'QueryLanguage']);
const PROCESSOR = new Set(['Comment', 'StartAt', 'States', 'ProcessorConfig']);
const RETRIER = new Set([
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
]);
const CATCHER = new Set(['ErrorEquals', 'ResultPath', 'Next', 'Comment']);
const INVOKE = /^arn:aws:states:::lambda:invoke$/;
const FUNCTION = /^arn:aws:lambda:[^:]*:\d*:function:[^:]+$/;
/** What of the context object is supplied. */
const CONTEXT =
  /^\$\$\.(Execution\.(Id|Name|Input|StartTime|RoleArn)|StateMachine\.(Id|Name)|Map\.Item\.(Value|Index))\b/;

export class DefinitionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DefinitionError';
  }
}

/** @throws DefinitionError naming the state and the field */
export function checkDefinition(definition: JsonObject): void {
  onlyKnown('the machine', definition, MACHINE);
  if (definition.QueryLanguage !== undefined && definition.QueryLanguage !== 'JSONPath') {
    throw new DefinitionError(
      `the machine: QueryLanguage ${String(definition.QueryLanguage)} is not handled; use JSONPath`,
    );
  }
  checkStates(definition.States);
  const { isValid, errorsText } = aslValidator(structuredClone(definition), { checkArn: true, checkPaths: true });
  if (!isValid) throw new DefinitionError(`the definition is not valid: ${errorsText('; ')}`);
}

function checkStates(states: Json | undefined): void {
  if (!isObject(states)) throw new DefinitionError('States is not an object');
  for (const [name, state] of Object.entries(states)) {
    if (!isObject(state)) throw new DefinitionError(`${name}: not an object`);
    const fields = FIELDS[String(state.Type)];
    if (fields === undefined) throw new DefinitionError(`${name}: a ${String(state.Type)} state is not handled`);
    onlyKnown(name, state, fields);
    checkContext(name, state);
    for (const retrier of list(state.Retry)) onlyKnown(`${name} Retry`, retrier, RETRIER);
    for (const catcher of list(state.Catch)) checkCatcher(name, catcher);
    if (state.Type === 'Task') checkTask(name, state);
    if (state.Type === 'Map') checkMap(name, state);
  }
}

function checkTask(name: string, state: JsonObject): void {
  const resource = String(state.Resource);
  if (INVOKE.test(resource)) {
    const parameters = isObject(state.Parameters) ? state.Parameters : {};
    onlyKnown(`${name} Parameters`, parameters, new Set(['FunctionName', 'Payload', 'Payload.$']));
    if (!FUNCTION.test(String(parameters.FunctionName)))
      throw new DefinitionError(`${name}: FunctionName is no function's ARN`);
    return;
  }
  // Task tokens (.waitForTaskToken), .sync and other services end here, too.
  if (!FUNCTION.test(resource)) throw new DefinitionError(`${name}: resource ${resource} is not handled`);
}

function checkMap(name: string, state: JsonObject): void {
  const processor = isObject(state.ItemProcessor) ? state.ItemProcessor : {};
  const config = isObject(processor.ProcessorConfig) ? processor.ProcessorConfig : {};
  if (config.Mode !== 'DISTRIBUTED' || config.ExecutionType !== 'STANDARD') {
    throw new DefinitionError(`${name}: only a distributed map with standard children is handled`);
  }
  onlyKnown(`${name} ItemProcessor`, processor, PROCESSOR);
  const reader = isObject(state.ItemReader) ? state.ItemReader : {};
  if (reader.Resource !== 'arn:aws:states:::s3:getObject') {
    throw new DefinitionError(`${name}: items are read by s3:getObject only`);
  }
  onlyKnown(`${name} ItemReader`, reader, new Set(['Resource', 'ReaderConfig', 'Parameters']));
  const readerConfig = isObject(reader.ReaderConfig) ? reader.ReaderConfig : {};
  onlyKnown(`${name} ReaderConfig`, readerConfig, new Set(['InputType', 'MaxItems']));
  if (readerConfig.InputType !== 'JSON') throw new DefinitionError(`${name}: only JSON arrays are read`);
  if (isObject(state.ItemBatcher)) {
    onlyKnown(`${name} ItemBatcher`, state.ItemBatcher, new Set(['MaxItemsPerBatch', 'BatchInput']));
  }
  checkStates(processor.States);
}

function checkCatcher(name: string, catcher: JsonObject): void {
  onlyKnown(`${name} Catch`, catcher, CATCHER);
  if (Array.isArray(catcher.ErrorEquals) && catcher.ErrorEquals.includes('States.TaskFailed')) {
    // The engine would also catch States.Timeout with it, which AWS does not.
    throw new DefinitionError(`${name}: Catch of States.TaskFailed is not handled; name the errors or use States.ALL`);
  }
}

/** Paths into the context object that are not supplied would be empty at run time. */
function checkContext(name: string, value: Json): void {
  if (typeof value === 'string') {
    for (const [path] of value.matchAll(/\$\$[.\w]*/g)) {
      if (!CONTEXT.test(path)) throw new DefinitionError(`${name}: ${path} of the context object is not handled`);
    }
  } else if (Array.isArray(value)) {
    for (const item of value) checkContext(name, item);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) if (key !== 'States') checkContext(name, item);
  }
}

function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function onlyKnown(where: string, value: JsonObject, known: ReadonlySet<string>): void {
  const unknown = Object.keys(value).filter((field) => !known.has(field));
  if (unknown.length > 0) throw new DefinitionError(`${where}: ${unknown.join(', ')} is not handled locally`);
}
