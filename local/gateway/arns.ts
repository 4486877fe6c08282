import { createHash } from 'node:crypto';

/**
 * The names of things in the local account, as the synthesized policies spell them.
 *
 * Owns: account, region and the ARN of every kind of resource. DynamoDB Local says region `ddblocal`; `localArn` puts that
 * right. Does not own: which resource a call touches (access.ts).
 */
export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;

export const tableArn = (table: string) => arn('dynamodb', `table/${table}`);
export const indexArn = (table: string, index: string) => `${tableArn(table)}/index/${index}`;
export const streamArn = (table: string, label: string) => `${tableArn(table)}/stream/${label}`;
export const queueArn = (queue: string) => arn('sqs', queue);
export const busArn = (bus: string) => arn('events', `event-bus/${bus}`);
export const functionArn = (name: string) => arn('lambda', `function:${name}`);
export const stateMachineArn = (name: string) => arn('states', `stateMachine:${name}`);
export const executionArn = (machine: string, execution: string) => arn('states', `execution:${machine}:${execution}`);
export const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;
export const roleArn = (role: string) => `arn:aws:iam::${ACCOUNT}:role/${role}`;
/** Where a function's log lines go; what `logs:CreateLogStream` and `logs:PutLogEvents` need. */
export const logStreamArn = (group: string, stream = 'local') => arn('logs', `log-group:${group}:log-stream:${stream}`);
export const scheduleArn = (schedule: string) => arn('scheduler', `schedule/default/${schedule}`);

/** A secret's ARN ends with six characters that AWS draws; here they derive from the name, so that they are the same everywhere. */
export function secretArn(name: string): string {
  return arn('secretsmanager', `secret:${name}-${createHash('sha256').update(name).digest('hex').slice(0, 6)}`);
}

/** The queue's URL at the gateway: what functions get as their queue URL. */
export function queueUrl(gatewayUrl: string, queue: string): string {
  return `${gatewayUrl}/${ACCOUNT}/${queue}`;
}

/** An ARN as DynamoDB Local spells it, in the account's region. */
export function localArn(spelled: string): string {
  return spelled.replace(':ddblocal:', `:${REGION}:`);
}
