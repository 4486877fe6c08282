/** One resource of the assembly with its intrinsics resolved: what the readers per type work on. */
import type { StackTemplate } from './cloud-assembly.ts';
import type { IntrinsicResolver } from './intrinsics.ts';
import { type Json, objectAt, TemplateError } from './json.ts';
import { PropertyReader } from './property-reader.ts';

export interface DeclaredResource {
  readonly type: string;
  readonly logicalId: string;
  readonly stack: StackTemplate;
  /** Path in the construct tree, where CDK noted it; else the logical id. */
  readonly constructPath: string;
  /** Physical name, `Ref` and attributes. */
  readonly name: string;
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly properties: PropertyReader;
}

/** The `Arn` attribute; every caller reads a type that has one. */
export function arnOf(resource: DeclaredResource): string {
  const arn = resource.attributes.Arn;
  if (arn === undefined) throw new TemplateError(`${resource.properties.where}: ${resource.type} has no ARN locally`);
  return arn;
}

/**
 * Types that need nothing on one machine, each with its reason. A type that is neither here nor read by a reader is an
 * error: the local stack must not leave out what it does not understand.
 */
export const IGNORED_TYPES: Readonly<Record<string, string>> = {
  'AWS::CDK::Metadata': 'usage statistics of the CDK',
  'AWS::Logs::LogGroup': 'log lines go to .local/logs; retention is a matter of AWS',
  'AWS::Logs::MetricFilter': 'metrics come from the functions themselves (EMF)',
  'AWS::CloudWatch::Dashboard': 'pictures of metrics; nothing depends on them',
  'AWS::CloudWatch::CompositeAlarm': 'alarms are checked in the template; nothing depends on their state locally',
  'AWS::SNS::Subscription': 'nobody is mailed from a laptop',
  'AWS::Scheduler::ScheduleGroup': 'a name for schedules',
  'AWS::S3::BucketPolicy': 'only denies plain HTTP; the local endpoint is plain HTTP on 127.0.0.1',
  'AWS::Budgets::Budget': 'no money is spent locally',
  'AWS::ApiGatewayV2::DomainName': 'the local API answers on 127.0.0.1',
  'AWS::ApiGatewayV2::ApiMapping': 'the local API answers on 127.0.0.1',
};

/** Types some reader of read-app.ts reads. */
export const READ_TYPES: ReadonlySet<string> = new Set([
  'AWS::DynamoDB::Table',
  'AWS::DynamoDB::GlobalTable',
  'AWS::SQS::Queue',
  'AWS::SQS::QueuePolicy',
  'AWS::Lambda::Function',
  'AWS::Lambda::Permission',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::IAM::Role',
  'AWS::IAM::Policy',
  'AWS::IAM::ManagedPolicy',
  'AWS::StepFunctions::StateMachine',
  'AWS::S3::Bucket',
  'AWS::SecretsManager::Secret',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::Scheduler::Schedule',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::CloudWatch::Alarm',
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
]);

/** Types that never get a reference of their own: nothing points at them. */
const WITHOUT_REFERENCE: ReadonlySet<string> = new Set([
  'AWS::SQS::QueuePolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::Lambda::Permission',
  'AWS::Lambda::EventInvokeConfig',
]);

/** @throws TemplateError for a resource type that is neither read nor deliberately ignored. */
export function declaredResources(stacks: readonly StackTemplate[], resolver: IntrinsicResolver): DeclaredResource[] {
  const found: DeclaredResource[] = [];
  for (const stack of stacks) {
    for (const [logicalId, declaration] of Object.entries(stack.resources)) {
      const resource = objectAt(declaration, `${stack.name}/${logicalId}`);
      const type = String(resource.Type);
      if (IGNORED_TYPES[type] !== undefined) continue;
      const where = `${stack.name}/${logicalId} (${type})`;
      if (!READ_TYPES.has(type)) {
        throw new TemplateError(
          `${where}: this resource type is not known locally; read it or ignore it with a reason`,
        );
      }
      const properties = resolver.resolve(stack, (resource.Properties ?? {}) as Json, where);
      const reference = WITHOUT_REFERENCE.has(type)
        ? { name: logicalId, ref: logicalId, attributes: {} }
        : resolver.reference(stack, logicalId, where);
      const constructPath = stack.constructPaths.get(logicalId) ?? logicalId;
      found.push({
        type,
        logicalId,
        constructPath,
        stack,
        ...reference,
        properties: new PropertyReader(where, objectAt(properties, where)),
      });
    }
  }
  return found;
}
