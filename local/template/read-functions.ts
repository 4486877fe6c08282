/** Lambda functions, what invokes them (event source mappings, permissions) and how asynchronous calls end. */
import { statSync } from 'node:fs';
import { arnOf, type DeclaredResource } from './declared-resource.ts';
import { isObject, type Json, type JsonObject, objectAt, TemplateError } from './json.ts';
import type { EventSourceModel, FunctionModel, InvokePermissionModel } from './model.ts';
import type { PropertyReader } from './property-reader.ts';

const DEFAULT_TIMEOUT_SECONDS = 3;
const DEFAULT_MEMORY_MEGABYTES = 128;
const DEFAULT_ASYNC_RETRIES = 2;

export interface AsyncConfig {
  readonly functionName: string;
  readonly retries: number;
  readonly onFailureArn: string | undefined;
}

export function readFunction(resource: DeclaredResource, asyncConfigs: readonly AsyncConfig[]): FunctionModel {
  const props = resource.properties;
  const where = props.where;
  const runtime = props.text('Runtime');
  if (!/^nodejs\d+\.x$/.test(runtime)) throw new TemplateError(`${where}: runtime ${runtime} cannot run locally`);
  props.ignore(
    'FunctionName',
    'Description',
    'Architectures',
    'LoggingConfig',
    'Tags',
    'TracingConfig',
    'EphemeralStorage',
  );
  props.ignore('RecursiveLoop', 'SnapStart', 'RuntimeManagementConfig');
  const asynchronous = asyncConfigs.find((config) => config.functionName === resource.name);
  const logging = props.optionalObject('LoggingConfig');
  logging?.ignore('LogGroup', 'SystemLogLevel');
  const environment = props.optionalObject('Environment')?.raw('Variables') ?? {};
  const model: FunctionModel = {
    logicalId: resource.logicalId,
    constructPath: resource.constructPath,
    name: resource.name,
    arn: arnOf(resource),
    codeFolder: codeFolder(resource, props.object('Code')),
    handler: props.text('Handler'),
    environment: Object.fromEntries(
      Object.entries(objectAt(environment, where)).map(([name, value]) => [name, environmentValue(name, value, where)]),
    ),
    timeoutSeconds: props.optionalNumber('Timeout') ?? DEFAULT_TIMEOUT_SECONDS,
    memoryMegabytes: props.optionalNumber('MemorySize') ?? DEFAULT_MEMORY_MEGABYTES,
    roleArn: props.text('Role'),
    reservedConcurrency: props.optionalNumber('ReservedConcurrentExecutions'),
    logFormat: logging?.optionalText('LogFormat') === 'JSON' ? 'JSON' : 'Text',
    logLevel: logging?.optionalText('ApplicationLogLevel'),
    asyncRetries: asynchronous?.retries ?? DEFAULT_ASYNC_RETRIES,
    asyncOnFailureArn:
      asynchronous?.onFailureArn ?? props.optionalObject('DeadLetterConfig')?.optionalText('TargetArn'),
  };
  props.ignore('DeadLetterConfig');
  props.done();
  return model;
}

function environmentValue(name: string, value: Json, where: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateError(`${where}: environment variable ${name} is not a text`);
}

function codeFolder(resource: DeclaredResource, code: PropertyReader): string {
  const key = code.text('S3Key');
  code.ignore('S3Bucket');
  const folder = resource.stack.assets.get(key);
  if (folder === undefined) throw new TemplateError(`${code.where}: ${key} is no asset of ${resource.stack.name}`);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new TemplateError(`${code.where}: ${folder} is not a folder of bundled code; run \`npx cdk synth\` again`);
  }
  return folder;
}

export function readAsyncConfig(resource: DeclaredResource): AsyncConfig {
  const props = resource.properties;
  props.ignore('Qualifier', 'MaximumEventAgeInSeconds');
  const destination = props.optionalObject('DestinationConfig');
  const config = {
    functionName: nameInArn(props.text('FunctionName')),
    retries: props.optionalNumber('MaximumRetryAttempts') ?? DEFAULT_ASYNC_RETRIES,
    onFailureArn: destination?.optionalObject('OnFailure')?.optionalText('Destination'),
  };
  props.done();
  return config;
}

export function readInvokePermission(resource: DeclaredResource): InvokePermissionModel {
  const props = resource.properties;
  const permission = {
    functionArn: props.text('FunctionName'),
    principal: props.text('Principal'),
    action: props.text('Action'),
    sourceArn: props.optionalText('SourceArn'),
    sourceAccount: props.optionalText('SourceAccount'),
  };
  props.done();
  return permission;
}

const DEFAULT_BATCH: Readonly<Record<EventSourceModel['kind'], number>> = { queue: 10, stream: 100 };

export function readEventSource(resource: DeclaredResource): EventSourceModel {
  const props = resource.properties;
  const sourceArn = props.text('EventSourceArn');
  const kind = sourceArn.startsWith('arn:aws:sqs:') ? 'queue' : 'stream';
  if (kind === 'stream' && !/^arn:aws:dynamodb:.*\/stream\//.test(sourceArn)) {
    throw new TemplateError(`${props.where}: events from ${sourceArn} are not known locally`);
  }
  const position = kind === 'stream' ? props.text('StartingPosition') : 'LATEST';
  if (position !== 'TRIM_HORIZON' && position !== 'LATEST') {
    throw new TemplateError(`${props.where}: starting position ${position} is not known locally`);
  }
  if ((props.optionalNumber('ParallelizationFactor') ?? 1) !== 1) {
    throw new TemplateError(`${props.where}: a parallelization factor is not known locally`);
  }
  props.ignore('Tags', 'MetricsConfig', 'LoggingConfig');
  const destination = props.optionalObject('DestinationConfig');
  const model: EventSourceModel = {
    id: resource.ref,
    kind,
    sourceArn,
    functionName: nameInArn(props.text('FunctionName')),
    isEnabled: props.raw('Enabled') === undefined || props.flag('Enabled'),
    batchSize: props.optionalNumber('BatchSize') ?? DEFAULT_BATCH[kind],
    windowSeconds: props.optionalNumber('MaximumBatchingWindowInSeconds') ?? 0,
    reportsItemFailures: props.texts('FunctionResponseTypes').includes('ReportBatchItemFailures'),
    filters: props.optionalObject('FilterCriteria')?.objects('Filters').map(readFilter) ?? [],
    maxConcurrency: props.optionalObject('ScalingConfig')?.optionalNumber('MaximumConcurrency'),
    startingPosition: position,
    bisectsOnError: props.flag('BisectBatchOnFunctionError'),
    maxRetries: props.optionalNumber('MaximumRetryAttempts') ?? -1,
    maxRecordAgeSeconds: props.optionalNumber('MaximumRecordAgeInSeconds') ?? -1,
    onFailureArn: destination?.optionalObject('OnFailure')?.optionalText('Destination'),
  };
  props.done();
  return model;
}

function readFilter(filter: PropertyReader): JsonObject {
  const pattern = JSON.parse(filter.text('Pattern')) as Json;
  if (isObject(pattern)) return pattern;
  throw new TemplateError(`${filter.where}: a filter pattern is an object`);
}

/** `my-function` of a function name or ARN. */
export function nameInArn(nameOrArn: string): string {
  return nameOrArn.slice(nameOrArn.lastIndexOf(':') + 1);
}
