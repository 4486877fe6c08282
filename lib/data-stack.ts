import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership, StorageClass } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { StageConfig } from './config.ts';
import { accept } from './constructs/accepted-findings.ts';

export interface DataStackProps extends StackProps {
  readonly config: StageConfig;
}

/** The TTL attribute of every table, in epoch seconds. */
const TTL = 'ttl';

/**
 * Everything that holds state: four tables, the archive, the event bus, the pepper of the API keys. All of it outlives the
 * stack: RETAIN, deletion protection, point-in-time recovery. Which entity lives where: docs/data-model.md.
 */
export class DataStack extends Stack {
  /** Chunks of usage events; append only. */
  readonly usageLog: Table;
  /** First sight of ids that carry no time, and the placement of each hour. */
  readonly usageClaims: Table;
  /** What the log adds up to, fold cursors, the registry, parked messages. */
  readonly usageViews: Table;
  /** Projects, keys, catalog, customers, subscriptions, invoices, runs, outbox. */
  readonly billing: Table;
  /** Run manifests under `manifests/`, evidence of invoices under `evidence/`, the usage log under `usage-log/`. */
  readonly archive: Bucket;
  readonly bus: EventBus;
  private readonly archiveArn: string;
  /** HMAC key of the stored API keys. */
  readonly pepper: Secret;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, props);
    const { config } = props;
    this.usageLog = keptTable(this, 'UsageLog', config, {
      sortKey: { name: 'sk', type: AttributeType.NUMBER },
      stream: StreamViewType.NEW_IMAGE,
    });
    this.usageClaims = keptTable(this, 'UsageClaims', config, {});
    this.usageViews = keptTable(this, 'UsageViews', config, { sortKey: { name: 'sk', type: AttributeType.STRING } });
    this.billing = keptTable(this, 'Billing', config, {
      sortKey: { name: 'sk', type: AttributeType.STRING },
      stream: StreamViewType.NEW_IMAGE,
    });
    addIndex(this.billing, 'by_project', 'p1', 's1');
    addIndex(this.billing, 'by_customer', 'p2', 's2');
    this.archive = archiveBucket(this, config);
    this.archiveArn = this.exportValue(this.archive.bucketArn);
    this.bus = new EventBus(this, 'Bus', { description: 'What Countinghouse tells the rest of the company' });
    this.bus.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.pepper = pepperSecret(this, config);
    // What the operator's commands read (cdk deploy --outputs-file).
    new CfnOutput(this, 'BillingTable', { value: this.billing.tableName });
    new CfnOutput(this, 'UsageLogTable', { value: this.usageLog.tableName });
    new CfnOutput(this, 'UsageClaimsTable', { value: this.usageClaims.tableName });
    new CfnOutput(this, 'ArchiveBucket', { value: this.archive.bucketName });
    new CfnOutput(this, 'UsageViewsTable', { value: this.usageViews.tableName });
    new CfnOutput(this, 'PepperSecret', { value: this.pepper.secretArn });
  }

  /** The ARN of some of the archive's objects, for another stack: `manifests/*`. */
  archived(pattern: 'manifests/*' | 'evidence/*' | 'usage-log/*'): string {
    return `${this.archiveArn}/${pattern}`;
  }
}

interface TableShape {
  readonly sortKey?: { readonly name: string; readonly type: AttributeType };
  readonly stream?: StreamViewType;
}

function keptTable(scope: Construct, id: string, config: StageConfig, shape: TableShape): Table {
  return new Table(scope, id, {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    ...shape,
    billingMode: BillingMode.PAY_PER_REQUEST,
    warmThroughput: {
      readUnitsPerSecond: config.tables.warmReadsPerSecond,
      writeUnitsPerSecond: config.tables.warmWritesPerSecond,
    },
    timeToLiveAttribute: TTL,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

function addIndex(table: Table, indexName: string, partitionKey: string, sortKey: string): void {
  table.addGlobalSecondaryIndex({
    indexName,
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    sortKey: { name: sortKey, type: AttributeType.STRING },
    projectionType: ProjectionType.ALL,
  });
}

function archiveBucket(scope: Construct, config: StageConfig): Bucket {
  const { manifestDays, noncurrentVersionDays, evidenceToInfrequentAccessDays, usageLogToInfrequentAccessDays } =
    config.archive;
  const bucket = new Bucket(scope, 'Archive', {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    versioned: true,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [
      { prefix: 'manifests/', expiration: Duration.days(manifestDays) },
      {
        prefix: 'evidence/',
        transitions: [
          {
            storageClass: StorageClass.INFREQUENT_ACCESS,
            transitionAfter: Duration.days(evidenceToInfrequentAccessDays),
          },
        ],
      },
      {
        prefix: 'usage-log/',
        transitions: [
          {
            storageClass: StorageClass.INFREQUENT_ACCESS,
            transitionAfter: Duration.days(usageLogToInfrequentAccessDays),
          },
        ],
      },
      {
        noncurrentVersionExpiration: Duration.days(noncurrentVersionDays),
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      },
    ],
  });
  accept(
    bucket,
    'AwsSolutions-S1',
    'Objects are written once by three functions; CloudTrail data events are the audit trail.',
  );
  return bucket;
}

function pepperSecret(scope: Construct, config: StageConfig): Secret {
  const secret = new Secret(scope, 'ApiKeyPepper', {
    secretName: `countinghouse-${config.stage}/api-key-pepper`,
    description: 'HMAC key of the stored API keys. Replacing it makes every API key invalid.',
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
    removalPolicy: RemovalPolicy.RETAIN,
  });
  accept(
    secret,
    'AwsSolutions-SMG4',
    'Rotation would invalidate every API key at once; the keys themselves are rotated.',
  );
  return secret;
}
