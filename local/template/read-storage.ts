/** Tables, queues, buckets, secrets and topics. */
import { arnOf, type DeclaredResource } from './declared-resource.ts';
import { TemplateError } from './json.ts';
import type { IndexModel, KeyAttribute, NamedResource, QueueModel, SecretModel, TableModel } from './model.ts';
import type { PropertyReader } from './property-reader.ts';

/** AWS::DynamoDB::Table and AWS::DynamoDB::GlobalTable (what CDK's TableV2 makes). */
export function readTable(resource: DeclaredResource): TableModel {
  const props = resource.properties;
  const types = new Map<string, KeyAttribute['type']>();
  for (const attribute of props.objects('AttributeDefinitions')) {
    types.set(attribute.text('AttributeName'), keyType(attribute.text('AttributeType'), attribute.where));
  }
  const stream = props.optionalObject('StreamSpecification');
  const ttl = props.optionalObject('TimeToLiveSpecification');
  props.ignore('TableName', 'BillingMode', 'WarmThroughput', 'DeletionProtectionEnabled', 'Tags', 'TableClass');
  props.ignore(
    'PointInTimeRecoverySpecification',
    'SSESpecification',
    'OnDemandThroughput',
    'ContributorInsightsSpecification',
  );
  props.ignore(
    'Replicas',
    'WriteOnDemandThroughputSettings',
    'ReadOnDemandThroughputSettings',
    'WriteProvisionedThroughputSettings',
  );
  const keys = readKeys(props, types);
  const model: TableModel = {
    name: resource.name,
    arn: arnOf(resource),
    streamArn: stream === undefined ? undefined : resource.attributes.StreamArn,
    streamView: stream === undefined ? undefined : streamView(stream.text('StreamViewType'), stream.where),
    ...keys,
    indexes: props.objects('GlobalSecondaryIndexes').map((index) => readIndex(index, types)),
    ttlAttribute: ttl?.flag('Enabled') === true ? ttl.text('AttributeName') : undefined,
  };
  ttl?.ignore('AttributeName');
  props.done();
  return model;
}

function readIndex(index: PropertyReader, types: ReadonlyMap<string, KeyAttribute['type']>): IndexModel {
  const projection = index.object('Projection');
  const kind = projection.text('ProjectionType');
  if (kind !== 'ALL' && kind !== 'KEYS_ONLY' && kind !== 'INCLUDE') {
    throw new TemplateError(`${projection.where}: unknown projection ${kind}`);
  }
  index.ignore('WarmThroughput', 'OnDemandThroughput', 'ContributorInsightsSpecification');
  index.ignore('WriteOnDemandThroughputSettings', 'ReadOnDemandThroughputSettings');
  const projectedAttributes = projection.texts('NonKeyAttributes');
  return { name: index.text('IndexName'), ...readKeys(index, types), projection: kind, projectedAttributes };
}

function readKeys(props: PropertyReader, types: ReadonlyMap<string, KeyAttribute['type']>) {
  let partitionKey: KeyAttribute | undefined;
  let sortKey: KeyAttribute | undefined;
  for (const key of props.objects('KeySchema')) {
    const name = key.text('AttributeName');
    const type = types.get(name);
    if (type === undefined) throw new TemplateError(`${key.where}: ${name} has no attribute definition`);
    if (key.text('KeyType') === 'HASH') partitionKey = { name, type };
    else sortKey = { name, type };
  }
  if (partitionKey === undefined) throw new TemplateError(`${props.where}: the key schema has no partition key`);
  return { partitionKey, sortKey };
}

function keyType(text: string, where: string): KeyAttribute['type'] {
  if (text === 'S' || text === 'N' || text === 'B') return text;
  throw new TemplateError(`${where}: unknown attribute type ${text}`);
}

function streamView(text: string, where: string): TableModel['streamView'] {
  if (text === 'NEW_IMAGE' || text === 'OLD_IMAGE' || text === 'KEYS_ONLY' || text === 'NEW_AND_OLD_IMAGES')
    return text;
  throw new TemplateError(`${where}: unknown stream view ${text}`);
}

/** Attributes SQS takes as they are; the rest of a queue's properties is encryption and tags. */
const QUEUE_ATTRIBUTES = [
  'VisibilityTimeout',
  'MessageRetentionPeriod',
  'DelaySeconds',
  'ReceiveMessageWaitTimeSeconds',
  'MaximumMessageSize',
  'FifoQueue',
  'ContentBasedDeduplication',
] as const;
const DEFAULT_VISIBILITY_SECONDS = 30;

export function readQueue(resource: DeclaredResource): QueueModel {
  const props = resource.properties;
  const attributes: Record<string, string> = {};
  for (const name of QUEUE_ATTRIBUTES) {
    const value = props.raw(name);
    if (value !== undefined) attributes[name] = String(value);
  }
  const redrive = props.raw('RedrivePolicy');
  if (redrive !== undefined) attributes.RedrivePolicy = JSON.stringify(redrive);
  const redriveAllow = props.raw('RedriveAllowPolicy');
  if (redriveAllow !== undefined) attributes.RedriveAllowPolicy = JSON.stringify(redriveAllow);
  props.ignore('QueueName', 'SqsManagedSseEnabled', 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'Tags');
  props.done();
  return {
    name: resource.name,
    arn: arnOf(resource),
    url: resource.ref,
    attributes,
    visibilityTimeoutSeconds: Number(attributes.VisibilityTimeout ?? DEFAULT_VISIBILITY_SECONDS),
  };
}

export function readBucket(resource: DeclaredResource): NamedResource {
  const props = resource.properties;
  props.ignore('BucketName', 'BucketEncryption', 'LifecycleConfiguration', 'OwnershipControls', 'Tags');
  props.ignore('PublicAccessBlockConfiguration', 'VersioningConfiguration', 'LoggingConfiguration');
  props.done();
  return { name: resource.name, arn: arnOf(resource) };
}

const DEFAULT_SECRET_LENGTH = 32;

export function readSecret(resource: DeclaredResource): SecretModel {
  const props = resource.properties;
  props.ignore('Name', 'Description', 'KmsKeyId', 'Tags');
  const generate = props.optionalObject('GenerateSecretString');
  // What characters AWS draws from is not copied; only those left out and the length matter to a reader of the secret.
  generate?.ignore('ExcludePunctuation', 'ExcludeUppercase', 'ExcludeLowercase', 'ExcludeNumbers', 'IncludeSpace');
  generate?.ignore('RequireEachIncludedType');
  const model: SecretModel = {
    name: resource.name,
    arn: resource.ref,
    value: props.optionalText('SecretString'),
    generate: generate && {
      length: generate.optionalNumber('PasswordLength') ?? DEFAULT_SECRET_LENGTH,
      template: generate.optionalText('SecretStringTemplate'),
      key: generate.optionalText('GenerateStringKey'),
      excluded: generate.optionalText('ExcludeCharacters') ?? '',
    },
  };
  props.done();
  return model;
}

export function readTopic(resource: DeclaredResource): NamedResource {
  const props = resource.properties;
  props.ignore('TopicName', 'DisplayName', 'KmsMasterKeyId', 'Tags');
  props.done();
  return { name: resource.name, arn: resource.ref };
}
