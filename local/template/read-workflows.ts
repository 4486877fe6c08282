/** State machines, schedules, buses, rules and alarms. */
import { readFileSync } from 'node:fs';
import { arnOf, type DeclaredResource } from './declared-resource.ts';
import { isObject, type Json, type JsonObject, objectAt, TemplateError } from './json.ts';
import type {
  AlarmModel,
  NamedResource,
  RuleModel,
  RuleTargetModel,
  ScheduleModel,
  StateMachineModel,
} from './model.ts';
import type { PropertyReader } from './property-reader.ts';

export function readStateMachine(resource: DeclaredResource): StateMachineModel {
  const props = resource.properties;
  props.ignore('StateMachineName', 'LoggingConfiguration', 'TracingConfiguration', 'Tags', 'EncryptionConfiguration');
  const type = props.optionalText('StateMachineType') ?? 'STANDARD';
  if (type !== 'STANDARD') throw new TemplateError(`${props.where}: type ${type} is not known locally`);
  const text = definitionText(resource);
  const substitutions = objectAt(props.raw('DefinitionSubstitutions') ?? {}, props.where);
  const roleArn = props.text('RoleArn');
  props.done();
  return {
    name: resource.name,
    arn: arnOf(resource),
    roleArn,
    definition: substitute(text, substitutions, props.where),
  };
}

function definitionText(resource: DeclaredResource): string {
  const props = resource.properties;
  const inline = props.raw('DefinitionString');
  if (typeof inline === 'string') return inline;
  const definition = props.raw('Definition');
  if (isObject(definition)) return JSON.stringify(definition);
  const location = props.object('DefinitionS3Location');
  location.ignore('Bucket', 'Version');
  const key = location.text('Key');
  const file = resource.stack.assets.get(key);
  if (file === undefined) throw new TemplateError(`${props.where}: ${key} is no asset of ${resource.stack.name}`);
  return readFileSync(file, 'utf8');
}

/** CloudFormation replaces `${name}` in the text; a name without a value would reach AWS as it stands. */
function substitute(text: string, values: JsonObject, where: string): JsonObject {
  const used = new Set<string>();
  const replaced = text.replace(/\$\{([A-Za-z0-9_]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new TemplateError(`${where}: the definition uses \${${name}}, which has no substitution`);
    used.add(name);
    return JSON.stringify(String(value)).slice(1, -1);
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0)
    throw new TemplateError(`${where}: substitution ${unused.join(', ')} is not in the definition`);
  return objectAt(JSON.parse(replaced) as Json, where);
}

/** AWS's defaults for a schedule target: 185 tries within 24 hours. */
const DEFAULT_RETRIES = 185;
const DEFAULT_EVENT_AGE_SECONDS = 86_400;

export function readSchedule(resource: DeclaredResource): ScheduleModel {
  const props = resource.properties;
  props.ignore('Name', 'Description', 'GroupName', 'KmsKeyArn');
  const window = props.object('FlexibleTimeWindow').text('Mode');
  if (window !== 'OFF') throw new TemplateError(`${props.where}: a flexible time window is not known locally`);
  const target = props.object('Target');
  const retry = target.optionalObject('RetryPolicy');
  const model: ScheduleModel = {
    name: resource.name,
    arn: arnOf(resource),
    expression: props.text('ScheduleExpression'),
    timeZone: props.optionalText('ScheduleExpressionTimezone') ?? 'UTC',
    isEnabled: (props.optionalText('State') ?? 'ENABLED') === 'ENABLED',
    targetArn: target.text('Arn'),
    roleArn: target.text('RoleArn'),
    input: target.optionalText('Input'),
    deadLetterArn: target.optionalObject('DeadLetterConfig')?.optionalText('Arn'),
    maxRetries: retry?.optionalNumber('MaximumRetryAttempts') ?? DEFAULT_RETRIES,
    maxEventAgeSeconds: retry?.optionalNumber('MaximumEventAgeInSeconds') ?? DEFAULT_EVENT_AGE_SECONDS,
  };
  props.done();
  return model;
}

export function readBus(resource: DeclaredResource): NamedResource {
  const props = resource.properties;
  props.ignore('Name', 'Description', 'Tags', 'KmsKeyIdentifier', 'LogConfig');
  props.done();
  return { name: resource.name, arn: arnOf(resource) };
}

export function readRule(resource: DeclaredResource): RuleModel {
  const props = resource.properties;
  props.ignore('Name', 'Description', 'Tags');
  const pattern = props.raw('EventPattern');
  const bus = props.optionalText('EventBusName') ?? 'default';
  const model: RuleModel = {
    name: resource.name,
    arn: arnOf(resource),
    busName: bus.slice(bus.lastIndexOf('/') + 1),
    isEnabled: (props.optionalText('State') ?? 'ENABLED') === 'ENABLED',
    pattern: pattern === undefined ? undefined : objectAt(pattern, props.where),
    scheduleExpression: props.optionalText('ScheduleExpression'),
    targets: props.objects('Targets').map(readRuleTarget),
  };
  props.done();
  return model;
}

function readRuleTarget(target: PropertyReader): RuleTargetModel {
  target.ignore('RetryPolicy');
  return {
    id: target.text('Id'),
    arn: target.text('Arn'),
    roleArn: target.optionalText('RoleArn'),
    input: target.optionalText('Input'),
    inputPath: target.optionalText('InputPath'),
    deadLetterArn: target.optionalObject('DeadLetterConfig')?.optionalText('Arn'),
  };
}

/** Alarms fire only on AWS; locally their definitions are kept so that tests and the runbook can read them. */
export function readAlarm(resource: DeclaredResource): AlarmModel {
  const properties: Record<string, Json> = {};
  for (const name of [
    'MetricName',
    'Namespace',
    'Dimensions',
    'Threshold',
    'Metrics',
    'AlarmActions',
    'AlarmDescription',
  ]) {
    const value = resource.properties.raw(name);
    if (value !== undefined) properties[name] = value;
  }
  return { name: resource.name, properties };
}
