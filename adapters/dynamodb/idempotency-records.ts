import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Idempotency records of one project in the Billing table; `partition` is `billingKeys.idempotencyOf(project)`. */
export function idempotencyRecords(client: DynamoDBClient, table: string, partition: string): DynamoDBPersistenceLayer {
  return new DynamoDBPersistenceLayer({
    tableName: table,
    awsSdkV3Client: client,
    keyAttr: 'pk',
    sortKeyAttr: 'sk',
    staticPkValue: partition,
    expiryAttr: 'ttl',
    statusAttr: 'idempotency_status',
    inProgressExpiryAttr: 'in_progress_until',
    dataAttr: 'answer',
    validationKeyAttr: 'request_hash',
  });
}
