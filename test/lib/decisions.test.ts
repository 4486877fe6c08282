import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ENV, type FunctionName } from '../../lambdas/shared/env.ts';
import { METRIC, METRICS_NAMESPACE } from '../../lambdas/shared/metric-names.ts';
import { RUNBOOK_HEADINGS } from '../../lib/constructs/alarm-registry.ts';
import { functionNameOf, ofType, ROOT, referred, type Synthesized, synthesize } from './synthesized.ts';

let made: Synthesized;
beforeAll(() => {
  made = synthesize('dev');
});

describe('what holds state is kept', () => {
  test('every table has recovery, deletion protection and TTL, is paid per request and outlives its stack', () => {
    const tables = ofType(made.data, 'AWS::DynamoDB::Table');
    expect(tables).toHaveLength(4);
    for (const [, table] of tables) {
      expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
      expect(table.Properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4_000 },
      });
    }
  });

  test.each(['AWS::S3::Bucket', 'AWS::SecretsManager::Secret', 'AWS::Events::EventBus'])(
    '%s outlives its stack',
    (type) => {
      const kept = ofType(made.data, type).map(([, resource]) => resource.DeletionPolicy);
      expect(kept).toEqual(['Retain']);
    },
  );

  test('the log and the billing table stream new images; claims and views do not', () => {
    const streams = ofType(made.data, 'AWS::DynamoDB::Table').map(([id, table]) => [
      id.replace(/[0-9A-F]{8}$/, ''),
      (table.Properties.StreamSpecification as { StreamViewType: string } | undefined)?.StreamViewType,
    ]);
    expect(Object.fromEntries(streams)).toEqual({
      UsageLog: 'NEW_IMAGE',
      UsageClaims: undefined,
      UsageViews: undefined,
      Billing: 'NEW_IMAGE',
    });
  });

  test('the archive is encrypted, versioned and closed to the public', () => {
    const [[, bucket] = []] = ofType(made.data, 'AWS::S3::Bucket');
    expect(bucket?.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
    });
    expect(bucket?.Properties.BucketEncryption).toBeDefined();
  });

  test('nothing that holds state is in the service stack', () => {
    const types = new Set(Object.values(made.service.Resources).map((resource) => resource.Type));
    expect([...types].filter((type) => /DynamoDB|S3::Bucket$|SecretsManager/.test(type))).toEqual([]);
  });
});

describe('nothing fails in silence', () => {
  test('every queue has dead letters, or is one', () => {
    const queues = ofType(made.service, 'AWS::SQS::Queue');
    expect(queues.length).toBeGreaterThanOrEqual(7);
    const deadLetters = new Set(deadLetterQueues());
    const without = queues.filter(
      ([id, queue]) => !deadLetters.has(id) && queue.Properties.RedrivePolicy === undefined,
    );
    expect(without.map(([id]) => id)).toEqual([]);
  });

  test('every queue of dead letters is kept 14 days and rings at the first message', () => {
    const watched = new Set(
      alarms().flatMap(({ queue, metric }) => (metric === 'ApproximateNumberOfMessagesVisible' ? [queue] : [])),
    );
    expect(deadLetterQueues()).toHaveLength(9);
    for (const id of deadLetterQueues()) {
      expect(watched).toContain(id);
      expect(made.service.Resources[id]?.Properties.MessageRetentionPeriod).toBe(14 * 24 * 3600);
    }
  });

  test('a queue hides a message for six times as long as its reader may take', () => {
    for (const [, mapping] of ofType(made.service, 'AWS::Lambda::EventSourceMapping')) {
      const queue = made.service.Resources[referred(mapping.Properties.EventSourceArn) ?? ''];
      if (queue?.Type !== 'AWS::SQS::Queue') continue;
      const reader = made.service.Resources[referred(mapping.Properties.FunctionName) ?? ''];
      const timeout = Number(reader?.Properties.Timeout);
      expect(Number(queue.Properties.VisibilityTimeout)).toBeGreaterThanOrEqual(6 * timeout);
    }
  });

  test('every reader of a queue or stream reports single failures, and streams have somewhere to put them', () => {
    const mappings = ofType(made.service, 'AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(7);
    for (const [, { Properties: mapping }] of mappings) {
      expect(mapping.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
      if (mapping.StartingPosition === undefined) continue;
      expect(mapping).toMatchObject({ StartingPosition: 'TRIM_HORIZON', BisectBatchOnFunctionError: true });
      expect(mapping.DestinationConfig).toBeDefined();
      expect(JSON.stringify(mapping.FilterCriteria)).toContain('INSERT');
    }
  });

  test('every schedule has dead letters', () => {
    const schedules = ofType(made.service, 'AWS::Scheduler::Schedule');
    expect(schedules).toHaveLength(6);
    for (const [, schedule] of schedules) {
      expect(schedule.Properties.Target).toMatchObject({ DeadLetterConfig: { Arn: expect.anything() } });
    }
  });

  test('every alarm tells the one topic and names a heading of the runbook; every heading has an alarm', () => {
    const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
    const headings = [...runbook.matchAll(/^## (.+)$/gm)].map((match) =>
      (match[1] ?? '').toLowerCase().replaceAll(' ', '-'),
    );
    const named = alarms().map(({ description }) => /docs\/runbook\.md#([a-z-]+)$/.exec(description)?.[1]);
    expect(named.filter((anchor) => anchor === undefined || !headings.includes(anchor))).toEqual([]);
    expect(RUNBOOK_HEADINGS.filter((anchor) => !named.includes(anchor))).toEqual([]);
    expect(new Set(headings)).toEqual(new Set(RUNBOOK_HEADINGS));
    const topics = new Set(alarms().map(({ topic }) => topic));
    expect(topics.size).toBe(1);
  });

  test('alarms on our own metrics use a name, a namespace and a dimension that the functions emit', () => {
    const own = alarms().filter(({ namespace }) => namespace === METRICS_NAMESPACE);
    expect(new Set(own.map(({ metric }) => metric))).toEqual(new Set(Object.keys(METRIC)));
    for (const alarm of own) expect(alarm.dimensions).toEqual([{ Name: 'service', Value: 'countinghouse-dev' }]);
  });
});

describe('functions', () => {
  test('each of them exists once, on arm64 and Node 24, with a timeout, JSON logs and its own role', () => {
    const functions = ofType(made.service, 'AWS::Lambda::Function');
    expect(functions).toHaveLength(Object.keys(ENV).length);
    const roles = new Set(functions.map(([, { Properties }]) => referred(Properties.Role)));
    expect(roles.size).toBe(functions.length);
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' });
      expect(Properties.LoggingConfig).toMatchObject({
        LogFormat: 'JSON',
        SystemLogLevel: 'WARN',
        ApplicationLogLevel: 'INFO',
      });
      expect(Properties.Timeout).toBeGreaterThan(0);
    }
  });

  test('each gets exactly the environment it reads', () => {
    for (const [name, variables] of environments()) {
      expect({ name, variables }).toEqual({ name, variables: [...ENV[name]].sort() });
    }
  });

  test('every log group is kept for a stated time', () => {
    const groups = ofType(made.service, 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(Object.keys(ENV).length);
    for (const [, group] of groups) expect(group.Properties.RetentionInDays).toBe(7);
  });
});

describe('the network', () => {
  test('there is no VPC, no NAT gateway and no endpoint to pay by the hour', () => {
    const types = [...Object.values(made.data.Resources), ...Object.values(made.service.Resources)].map(
      ({ Type }) => Type,
    );
    expect(types.filter((type) => type.startsWith('AWS::EC2::'))).toEqual([]);
  });

  test('the API has the routes of the design, throttling, CORS origins and no access log', () => {
    const routes = ofType(made.service, 'AWS::ApiGatewayV2::Route').map(([, route]) => route.Properties.RouteKey);
    expect(routes.sort()).toEqual([
      'ANY /v1/{proxy+}',
      'POST /v1/entitlements/check',
      'POST /v1/entitlements/consume',
      'POST /v1/events',
      'POST /webhooks/stripe/{project_id}',
    ]);
    const [[, stage] = []] = ofType(made.service, 'AWS::ApiGatewayV2::Stage');
    expect(stage?.Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 1_000, ThrottlingBurstLimit: 2_000 },
    });
    expect(stage?.Properties.AccessLogSettings).toBeUndefined();
    const [[, api] = []] = ofType(made.service, 'AWS::ApiGatewayV2::Api');
    expect(api?.Properties.CorsConfiguration).toMatchObject({ AllowOrigins: ['http://127.0.0.1:5173'] });
  });
});

function deadLetterQueues(): string[] {
  const redrives = ofType(made.service, 'AWS::SQS::Queue').map(([, { Properties }]) =>
    referred((Properties.RedrivePolicy as { deadLetterTargetArn?: unknown } | undefined)?.deadLetterTargetArn),
  );
  const destinations = ofType(made.service, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) =>
    referred(
      (Properties.DestinationConfig as { OnFailure: { Destination: unknown } } | undefined)?.OnFailure.Destination,
    ),
  );
  const schedules = ofType(made.service, 'AWS::Scheduler::Schedule').map(([, { Properties }]) =>
    referred((Properties.Target as { DeadLetterConfig: { Arn: unknown } }).DeadLetterConfig.Arn),
  );
  return [...new Set([...redrives, ...destinations, ...schedules])].filter((id) => id !== undefined);
}

interface SeenAlarm {
  readonly description: string;
  readonly metric: string;
  readonly namespace: string;
  readonly dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly queue: string | undefined;
  readonly topic: string | undefined;
}

function alarms(): SeenAlarm[] {
  return ofType(made.service, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => {
    const dimensions = Properties.Dimensions as SeenAlarm['dimensions'];
    return {
      description: String(Properties.AlarmDescription),
      metric: String(Properties.MetricName),
      namespace: String(Properties.Namespace),
      dimensions,
      queue: referred(dimensions.find(({ Name }) => Name === 'QueueName')?.Value),
      topic: referred((Properties.AlarmActions as unknown[])[0]),
    };
  });
}

/** Each function by its own name, and the names of the variables it was given. */
function environments(): [FunctionName, string[]][] {
  return ofType(made.service, 'AWS::Lambda::Function').map(([id, { Properties }]) => {
    const variables = (Properties.Environment as { Variables: Record<string, unknown> }).Variables;
    return [functionNameOf(id), Object.keys(variables).sort()];
  });
}
