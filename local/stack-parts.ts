/**
 * The parts behind the gateway, the gateway itself, and SDK clients that speak to them: as the stack's administrator, or as
 * one of the app's roles.
 */
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { REGION } from './gateway/arns.ts';
import type { CallRecord } from './gateway/call-handling.ts';
import { forwardTo, forwardToSqs } from './gateway/forward.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from './gateway/gateway.ts';
import type { Credentials } from './lambda/function-variables.ts';
import type { LocalClock } from './parts/clock.ts';
import { startDynamoDb } from './parts/dynamodb.ts';
import { type EventBridgePart, openEventBridge } from './parts/eventbridge.ts';
import { openS3, type S3Part } from './parts/s3.ts';
import { openScheduler, type SchedulerPart } from './parts/scheduler.ts';
import { openSecrets, type SecretsPart } from './parts/secrets.ts';
import { startSqs } from './parts/sqs.ts';
import type { AppModel } from './template/model.ts';
import { accessKeyOf, principalsOf, resourcePoliciesOf } from './template/principals.ts';

export interface PartsOptions {
  readonly app: AppModel;
  readonly stateDir: string;
  readonly clock: LocalClock;
  /** 0: any free port. */
  readonly gatewayPort: number;
  readonly onCall: (record: CallRecord) => void;
  /** Takes what must be closed at the end, in the order of starting. */
  readonly onStarted: (close: () => unknown) => void;
}

export interface StackParts {
  readonly gateway: Gateway;
  readonly s3: S3Part;
  readonly secrets: SecretsPart;
  readonly bridge: EventBridgePart;
  readonly scheduler: SchedulerPart;
  /** Straight to DynamoDB Local, past the gateway. */
  readonly dynamodb: DynamoDBClient;
  readonly streams: DynamoDBStreamsClient;
  /** Through the gateway as the administrator. */
  readonly sqs: SQSClient;
  readonly credentialsOf: (roleArn: string) => Credentials;
  /** Through the gateway as a role; one client a role. */
  readonly sqsOf: (roleArn: string) => SQSClient;
  readonly s3Of: (roleArn: string) => S3Client;
  /** The reason why a role may not, or undefined when it may. */
  readonly refusal: (roleArn: string, action: string, resource: string) => Promise<string | undefined>;
}

const SECRET = 'local';

/** @throws Error with one sentence when a part cannot start (no Java, a port taken) */
export async function startParts(options: PartsOptions): Promise<StackParts> {
  const { app, stateDir, clock, onStarted } = options;
  const [dynamodbPart, sqsPart] = await Promise.all([
    startDynamoDb({ folder: path.join(stateDir, 'dynamodb') }),
    startSqs({ folder: path.join(stateDir, 'sqs') }),
  ]);
  onStarted(() => Promise.all([dynamodbPart.stop(), sqsPart.stop()]));
  const scheduler = openScheduler({ clock, file: path.join(stateDir, 'schedules.json') });
  onStarted(() => scheduler.close());
  const s3 = openS3({ folder: path.join(stateDir, 's3'), clock });
  const secrets = openSecrets({ file: path.join(stateDir, 'secrets.json'), clock });
  const bridge = openEventBridge({ clock, file: path.join(stateDir, 'events.ndjson') });
  const [toDynamoDb, toSqs] = [forwardTo(dynamodbPart.url), forwardToSqs(sqsPart.url)];
  onStarted(() => [toDynamoDb.close(), toSqs.close()]);
  const gateway = await startGateway({
    principals: principalsOf(app),
    resourcePolicies: resourcePoliciesOf(app),
    backends: {
      dynamodb: toDynamoDb.handle,
      sqs: toSqs.handle,
      s3: s3.handle,
      secretsmanager: secrets.handle,
      events: bridge.handle,
    },
    onCall: options.onCall,
    port: options.gatewayPort,
  });
  onStarted(() => gateway.close());
  const direct = clientConfig(dynamodbPart.url, ADMIN_ACCESS_KEY_ID);
  const parts = { gateway, s3, secrets, bridge, scheduler };
  const clients = {
    dynamodb: new DynamoDBClient(direct),
    streams: new DynamoDBStreamsClient(direct),
    sqs: new SQSClient(clientConfig(gateway.url, ADMIN_ACCESS_KEY_ID)),
    sqsOf: onePerRole((key) => new SQSClient(clientConfig(gateway.url, key))),
    s3Of: onePerRole((key) => new S3Client({ ...clientConfig(gateway.url, key), forcePathStyle: true })),
  };
  onStarted(() => [clients.dynamodb.destroy(), clients.streams.destroy(), clients.sqs.destroy()]);
  return {
    ...parts,
    ...clients,
    credentialsOf: (roleArn) => ({ accessKeyId: accessKeyOf(roleArn), secretAccessKey: SECRET }),
    refusal: async (roleArn, action, resource) => {
      const { allowed, reason } = await gateway.authorize(accessKeyOf(roleArn), { action, resource });
      return allowed ? undefined : `${roleArn} is not authorized to perform ${action} on ${resource} ${reason}`;
    },
  };
}

function clientConfig(endpoint: string, accessKeyId: string) {
  return { endpoint, region: REGION, credentials: { accessKeyId, secretAccessKey: SECRET } };
}

function onePerRole<T>(make: (accessKeyId: string) => T): (roleArn: string) => T {
  const made = new Map<string, T>();
  return (roleArn) => {
    const client = made.get(roleArn) ?? make(accessKeyOf(roleArn));
    made.set(roleArn, client);
    return client;
  };
}
