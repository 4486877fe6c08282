/**
 * The whole app as the local stack sees it: reads cdk.out, resolves the intrinsics, and hands each resource to the
 * reader of its type. What it does not understand it refuses, so that local and AWS cannot drift apart in silence.
 */
import { readCloudAssembly, type StackTemplate } from './cloud-assembly.ts';
import { arnOf, type DeclaredResource, declaredResources } from './declared-resource.ts';
import { IntrinsicResolver } from './intrinsics.ts';
import { objectAt, TemplateError } from './json.ts';
import type { AppModel, ResourcePolicyModel } from './model.ts';
import { readResourcePolicies, readRoles } from './read-access.ts';
import { readAsyncConfig, readEventSource, readFunction, readInvokePermission } from './read-functions.ts';
import { readHttpApi } from './read-http-api.ts';
import { readBucket, readQueue, readSecret, readTable, readTopic } from './read-storage.ts';
import { readAlarm, readBus, readRule, readSchedule, readStateMachine } from './read-workflows.ts';

/**
 * @param cdkOut folder of the cloud assembly
 * @param endpoint origin of the local AWS endpoint, such as `http://127.0.0.1:4566`; queue URLs start with it
 * @throws TemplateError naming the resource and the property it cannot take
 */
export function readApp(cdkOut: string, endpoint: string): AppModel {
  const stacks = readCloudAssembly(cdkOut);
  const resolver = new IntrinsicResolver(stacks, endpoint);
  const resources = declaredResources(stacks, resolver);
  const of = (...types: string[]) => resources.filter((resource) => types.includes(resource.type));
  const asyncConfigs = of('AWS::Lambda::EventInvokeConfig').map(readAsyncConfig);
  const apiParts = resources.filter((resource) => resource.type.startsWith('AWS::ApiGatewayV2::'));
  const model: AppModel = {
    account: stacks[0]?.account ?? '',
    region: stacks[0]?.region ?? '',
    tables: of('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable').map(readTable),
    queues: of('AWS::SQS::Queue').map(readQueue),
    functions: of('AWS::Lambda::Function').map((resource) => readFunction(resource, asyncConfigs)),
    eventSources: of('AWS::Lambda::EventSourceMapping').map(readEventSource),
    httpApis: of('AWS::ApiGatewayV2::Api').map((resource) => readHttpApi(resource, apiParts)),
    stateMachines: of('AWS::StepFunctions::StateMachine').map(readStateMachine),
    schedules: of('AWS::Scheduler::Schedule').map(readSchedule),
    buses: of('AWS::Events::EventBus').map(readBus),
    rules: of('AWS::Events::Rule').map(readRule),
    buckets: of('AWS::S3::Bucket').map(readBucket),
    secrets: of('AWS::SecretsManager::Secret').map(readSecret),
    topics: of('AWS::SNS::Topic').map(readTopic),
    roles: readRoles(resources),
    resourcePolicies: resourcePolicies(resources),
    invokePermissions: of('AWS::Lambda::Permission').map(readInvokePermission),
    alarms: of('AWS::CloudWatch::Alarm').map(readAlarm),
    outputs: outputsOf(stacks, resolver),
  };
  checkReferences(model);
  return model;
}

function resourcePolicies(resources: readonly DeclaredResource[]): readonly ResourcePolicyModel[] {
  const queueArns = new Map(resources.filter((r) => r.type === 'AWS::SQS::Queue').map((r) => [r.ref, arnOf(r)]));
  return resources.flatMap((resource) => {
    if (resource.type === 'AWS::SQS::QueuePolicy') {
      return readResourcePolicies(resource, 'Queues', (url) => queueArns.get(url) ?? url);
    }
    if (resource.type === 'AWS::SNS::TopicPolicy') return readResourcePolicies(resource, 'Topics', (arn) => arn);
    return [];
  });
}

/** What one resource says of another must exist: a mapping to nowhere would be silent locally and fail on AWS. */
function checkReferences(model: AppModel): void {
  const functions = new Set(model.functions.map((fn) => fn.name));
  const sources = new Set([...model.queues.map((queue) => queue.arn), ...model.tables.map((table) => table.streamArn)]);
  const roles = new Map(model.roles.map((role) => [role.arn, role.trust]));
  for (const source of model.eventSources) {
    if (!functions.has(source.functionName))
      throw new TemplateError(`event source ${source.id}: no function ${source.functionName}`);
    if (!sources.has(source.sourceArn))
      throw new TemplateError(`event source ${source.id}: ${source.sourceArn} does not exist or has no stream`);
  }
  const checkTrust = (owners: readonly { name: string; roleArn: string }[], service: string) => {
    for (const owner of owners) {
      const trust = roles.get(owner.roleArn);
      if (trust === undefined) throw new TemplateError(`${owner.name}: role ${owner.roleArn} is not declared`);
      if (!JSON.stringify(trust).includes(`"${service}"`)) {
        throw new TemplateError(`${owner.name}: role ${owner.roleArn} does not trust ${service}`);
      }
    }
  };
  checkTrust(model.functions, 'lambda.amazonaws.com');
  checkTrust(model.stateMachines, 'states.amazonaws.com');
  checkTrust(model.schedules, 'scheduler.amazonaws.com');
}

function outputsOf(stacks: readonly StackTemplate[], resolver: IntrinsicResolver): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const stack of stacks) {
    for (const [id, output] of Object.entries(stack.outputs)) {
      const where = `${stack.name} output ${id}`;
      outputs[`${stack.name}.${id}`] = String(resolver.resolve(stack, objectAt(output, where).Value ?? null, where));
    }
  }
  return outputs;
}
