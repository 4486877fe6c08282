import { beforeAll, describe, expect, test } from 'vitest';
import { ofType, referred, type Synthesized, synthesize } from './synthesized.ts';

interface Statement {
  readonly policy: string;
  readonly role: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

let statements: Statement[] = [];
let made: Synthesized;
beforeAll(() => {
  made = synthesize('dev');
  statements = [made.data, made.service].flatMap((template) =>
    ofType(template, 'AWS::IAM::Policy').flatMap(([policy, { Properties }]) => {
      const document = Properties.PolicyDocument as { Statement: { Action: unknown; Resource: unknown }[] };
      const role = referred((Properties.Roles as unknown[])[0]) ?? '';
      return document.Statement.map(({ Action, Resource }) => ({
        policy,
        role,
        actions: listed(Action).map(String),
        resources: listed(Resource).map((resource) =>
          typeof resource === 'string' ? resource : JSON.stringify(resource),
        ),
      }));
    }),
  );
});

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Every place where a wildcard is right, with the reason: what it stands for has no name yet when we deploy. */
const WILDCARD_RESOURCES: readonly (readonly [action: string, ending: string, why: string])[] = [
  ['dynamodb:ListStreams', '*', 'the action knows no resource'],
  ['s3:GetObject', '/manifests/*"]]}', 'a manifest per run'],
  ['s3:PutObject', '/manifests/*"]]}', 'a manifest per run'],
  ['s3:GetObject', '/evidence/*"]]}', 'evidence named by its content'],
  ['s3:PutObject', '/evidence/*"]]}', 'evidence named by its content'],
  ['s3:GetObject', '/usage-log/*"]]}', 'an object per log partition'],
  ['s3:PutObject', '/usage-log/*"]]}', 'an object per log partition'],
  ['secretsmanager:GetSecretValue', ':secret:countinghouse-dev/stripe/*"]]}', 'a secret per project'],
  ['states:DescribeExecution', ':*"]]}', 'an execution per batch of a run'],
  ['states:StopExecution', ':*"]]}', 'an execution per batch of a run'],
];

describe('least privilege', () => {
  test('no policy names an action with a wildcard', () => {
    expect(statements.length).toBeGreaterThan(30);
    expect(statements.filter(({ actions }) => actions.some((action) => action.includes('*')))).toEqual([]);
  });

  test('no policy has a wildcard in a resource, save the listed ones', () => {
    const wild = statements.flatMap(({ policy, actions, resources }) =>
      resources
        .filter((resource) => resource.includes('*'))
        .flatMap((resource) => actions.map((action) => ({ policy, action, resource }))),
    );
    const unlisted = wild.filter(
      ({ action, resource }) =>
        !WILDCARD_RESOURCES.some(([name, ending]) => name === action && resource.endsWith(ending)),
    );
    expect(unlisted).toEqual([]);
  });

  test('no role carries a managed policy: what it may do is written here', () => {
    const managed = ofType(made.service, 'AWS::IAM::Role').filter(([, role]) => role.Properties.ManagedPolicyArns);
    expect(managed.map(([id]) => id)).toEqual([]);
  });

  test('no two functions share a role', () => {
    const roles = ofType(made.service, 'AWS::Lambda::Function').map(([, lambda]) => referred(lambda.Properties.Role));
    expect(new Set(roles).size).toBe(roles.length);
  });

  test('only append-usage writes the usage log', () => {
    const writers = statements.filter(
      ({ actions, resources }) =>
        actions.some((action) => /^dynamodb:(Put|Update|Delete|BatchWrite)/.test(action)) &&
        resources.some((resource) => resource.includes('UsageLog')),
    );
    expect(writers.map(({ policy }) => policy.replace(/RoleDefaultPolicy.*/, ''))).toEqual(['UsageAppendAppendUsage']);
  });

  test('nothing may delete usage, invoices, evidence or tables', () => {
    const deleting = statements.flatMap(({ policy, actions }) =>
      actions
        .filter((action) => /Delete(?!Message)|BatchWrite/.test(action))
        .map((action) => `${policy.replace(/RoleDefaultPolicy.*/, '')} ${action}`),
    );
    // The outbox's own items once published, an idempotency record that was given up, a parked message that was decided about.
    // Of a consumption the message that waits to be sent, once it is sent.
    expect(deleting.sort()).toEqual([
      'EntitlementsFunction dynamodb:DeleteItem',
      'HttpApiFunction dynamodb:DeleteItem',
      'HttpApiFunction dynamodb:DeleteItem',
      'OutboxPublishOutbox dynamodb:BatchWriteItem',
      'UsageFoldSweepUsage dynamodb:DeleteItem',
    ]);
  });

  test('the workflow may invoke its seven functions, read manifests and start its own batches, nothing else', () => {
    const actions = statements
      .filter(({ role }) => role.startsWith('BillingWorkflowRole'))
      .flatMap((statement) => statement.actions);
    expect(actions.sort()).toEqual([
      'lambda:InvokeFunction',
      's3:GetObject',
      'states:DescribeExecution',
      'states:StartExecution',
      'states:StopExecution',
    ]);
  });

  test('queues, the topic and the archive refuse what does not come over TLS', () => {
    const refusals = (type: string) =>
      ofType(type.startsWith('AWS::S3') ? made.data : made.service, type).filter(([, policy]) =>
        JSON.stringify(policy.Properties.PolicyDocument).includes('"aws:SecureTransport":"false"'),
      ).length;
    expect(refusals('AWS::SQS::QueuePolicy')).toBe(ofType(made.service, 'AWS::SQS::Queue').length);
    expect(refusals('AWS::SNS::TopicPolicy')).toBe(1);
    expect(refusals('AWS::S3::BucketPolicy')).toBe(1);
  });
});
