/**
 * What a reference to a resource means on the local machine: its physical name, its `Ref` and its attributes, per
 * resource type, as CloudFormation documents them. Names are derived, so the same template gives the same names after
 * a restart.
 */
import { createHash } from 'node:crypto';
import { secretArn } from '../gateway/arns.ts';
import { TemplateError } from './json.ts';

export interface ResourcePlace {
  readonly type: string;
  readonly logicalId: string;
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  /** The explicit name the template gives, if it gives one. */
  readonly givenName: string | undefined;
  /** Origin of the local AWS endpoint, such as `http://127.0.0.1:4566`; queue URLs start with it. */
  readonly endpoint: string;
}

export interface ResourceReference {
  readonly name: string;
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The property that holds a resource's explicit name, by type. */
export const NAME_PROPERTY: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::DynamoDB::GlobalTable': 'TableName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::Events::EventBus': 'Name',
  'AWS::Events::Rule': 'Name',
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::Scheduler::ScheduleGroup': 'Name',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::CompositeAlarm': 'AlarmName',
  'AWS::ApiGatewayV2::Stage': 'StageName',
};

type Referrer = (place: ResourcePlace, name: string) => Omit<ResourceReference, 'name'>;

const arnOf = (place: ResourcePlace, service: string, rest: string): string =>
  `arn:aws:${service}:${place.region}:${place.account}:${rest}`;

const byName =
  (service: string, prefix: string): Referrer =>
  (place, name) => ({
    ref: name,
    attributes: { Arn: arnOf(place, service, `${prefix}${name}`), Name: name },
  });

const byArn =
  (service: string, prefix: string): Referrer =>
  (place, name) => {
    const arn = arnOf(place, service, `${prefix}${name}`);
    return { ref: arn, attributes: { Arn: arn, Name: name } };
  };

const byId: Referrer = (place) => ({ ref: shortId(place), attributes: {} });

const table: Referrer = (place, name) => {
  const arn = arnOf(place, 'dynamodb', `table/${name}`);
  return { ref: name, attributes: { Arn: arn, StreamArn: `${arn}/stream/local` } };
};

const REFERRERS: Readonly<Record<string, Referrer>> = {
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': table,
  'AWS::SQS::Queue': (place, name) => {
    const url = `${place.endpoint}/${place.account}/${name}`;
    return { ref: url, attributes: { Arn: arnOf(place, 'sqs', name), QueueName: name, QueueUrl: url } };
  },
  'AWS::Lambda::Function': byName('lambda', 'function:'),
  'AWS::Lambda::EventSourceMapping': byId,
  'AWS::IAM::Role': (place, name) => ({
    ref: name,
    attributes: { Arn: `arn:aws:iam::${place.account}:role/${name}`, RoleId: `AROA${shortId(place).toUpperCase()}` },
  }),
  'AWS::IAM::Policy': (_, name) => ({ ref: name, attributes: {} }),
  'AWS::IAM::ManagedPolicy': (place, name) => ({
    ref: `arn:aws:iam::${place.account}:policy/${name}`,
    attributes: { PolicyArn: `arn:aws:iam::${place.account}:policy/${name}` },
  }),
  'AWS::StepFunctions::StateMachine': byArn('states', 'stateMachine:'),
  'AWS::S3::Bucket': (_, name) => ({
    ref: name,
    attributes: { Arn: `arn:aws:s3:::${name}`, DomainName: `${name}.s3.amazonaws.com` },
  }),
  'AWS::SecretsManager::Secret': (_, name) => {
    const arn = secretArn(name);
    return { ref: arn, attributes: { Id: arn } };
  },
  'AWS::Events::EventBus': byName('events', 'event-bus/'),
  'AWS::Events::Rule': byName('events', 'rule/'),
  'AWS::Scheduler::Schedule': byName('scheduler', 'schedule/default/'),
  'AWS::Scheduler::ScheduleGroup': byName('scheduler', 'schedule-group/'),
  'AWS::SNS::Topic': (place, name) => {
    const arn = arnOf(place, 'sns', name);
    return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
  },
  'AWS::Logs::LogGroup': (place, name) => ({
    ref: name,
    attributes: { Arn: `${arnOf(place, 'logs', `log-group:${name}`)}:*` },
  }),
  'AWS::CloudWatch::Alarm': byName('cloudwatch', 'alarm:'),
  'AWS::CloudWatch::CompositeAlarm': byName('cloudwatch', 'alarm:'),
  'AWS::ApiGatewayV2::Api': (place) => ({
    ref: shortId(place),
    attributes: {
      ApiId: shortId(place),
      ApiEndpoint: `https://${shortId(place)}.execute-api.${place.region}.amazonaws.com`,
    },
  }),
  'AWS::ApiGatewayV2::Integration': byId,
  'AWS::ApiGatewayV2::Route': byId,
  'AWS::ApiGatewayV2::Stage': (_, name) => ({ ref: name, attributes: {} }),
};

/** @throws TemplateError for a type nothing is known about. */
export function referenceTo(place: ResourcePlace): ResourceReference {
  const refer = REFERRERS[place.type];
  if (refer === undefined) {
    throw new TemplateError(`${place.stackName}/${place.logicalId}: references to ${place.type} are not known locally`);
  }
  const name = place.givenName ?? derivedName(place);
  return { name, ...refer(place, name) };
}

function derivedName(place: ResourcePlace): string {
  const name = `${place.stackName}-${place.logicalId}`;
  if (place.type === 'AWS::S3::Bucket') return name.toLowerCase().slice(0, 63);
  const limit = place.type === 'AWS::SQS::Queue' || place.type.startsWith('AWS::StepFunctions') ? 80 : 64;
  // Cut in the middle like CloudFormation does not: the end of a CDK logical id is the hash that keeps it unique.
  return name.length <= limit ? name : `${name.slice(0, limit - 13)}-${shortId(place).slice(0, 12)}`;
}

function shortId(place: ResourcePlace): string {
  return createHash('sha256').update(`${place.stackName}/${place.logicalId}`).digest('hex').slice(0, 10);
}
