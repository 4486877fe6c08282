import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

/**
 * SDK clients with timeouts that leave room for a repetition inside the shortest function timeout (30 s behind the HTTP API):
 * 2 s to connect + 8 s to answer, 3 attempts for what is quick to fail. The endpoint comes from AWS_ENDPOINT_URL or is AWS.
 */
const OPTIONS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
};

/** `more` is for the bench, which answers without sockets. */
export const dynamoClient = (more: DynamoDBClientConfig = {}): DynamoDBClient =>
  new DynamoDBClient({ ...OPTIONS, ...more });
export const secretsClient = (): SecretsManagerClient => new SecretsManagerClient(OPTIONS);
export const objectsClient = (): S3Client => new S3Client(OPTIONS);
export const statesClient = (): SFNClient => new SFNClient(OPTIONS);

/**
 * Without the SDK's MD5 of every message, which costs more than reading the request: the signature covers a SHA-256 of the
 * whole body, which SQS checks, and TLS covers the way.
 */
export const queueClient = (more: SQSClientConfig = {}): SQSClient =>
  new SQSClient({ ...OPTIONS, md5: false, ...more });
