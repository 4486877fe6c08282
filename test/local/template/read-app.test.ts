import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { TemplateError } from '../../../local/template/json.ts';
import type { AppModel } from '../../../local/template/model.ts';
import { readApp } from '../../../local/template/read-app.ts';
import { synthSmallApp, testFolder } from '../fixtures/small-app.ts';

const ENDPOINT = 'http://127.0.0.1:4566';
let folder: string;
let cdkOut: string;
let app: AppModel;

beforeAll(() => {
  folder = testFolder('template');
  cdkOut = synthSmallApp(folder);
  app = readApp(cdkOut, ENDPOINT);
});

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/** The assembly again, with the service stack's template changed by `change`. */
function planted(name: string, change: (template: Template) => void): string {
  const copy = path.join(folder, name);
  cpSync(cdkOut, copy, { recursive: true });
  const file = path.join(copy, 'Small.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
  change(template);
  writeFileSync(file, JSON.stringify(template));
  return copy;
}

function firstOf(template: Template, type: string, logicalId = '') {
  const found = Object.entries(template.Resources).find(([id, r]) => r.Type === type && id.startsWith(logicalId));
  if (found === undefined) throw new Error(`the fixture has no ${type}`);
  return found[1];
}

describe('what the template declares', () => {
  test('a table has its keys, index, stream and TTL attribute', () => {
    expect(app.tables).toHaveLength(1);
    expect(app.tables[0]).toMatchObject({
      partitionKey: { name: 'pk', type: 'S' },
      sortKey: { name: 'sk', type: 'N' },
      streamView: 'NEW_IMAGE',
      ttlAttribute: 'ttl',
      indexes: [{ name: 'by_value', partitionKey: { name: 'value', type: 'S' }, projection: 'ALL' }],
    });
  });

  test('a queue points at its dead-letter queue by ARN, with the receive count', () => {
    const work = app.queues.find((queue) => queue.name.includes('Work'));
    const dead = app.queues.find((queue) => queue.name.includes('-DeadB'));
    expect(work?.visibilityTimeoutSeconds).toBe(2);
    expect(JSON.parse(work?.attributes.RedrivePolicy ?? '')).toEqual({
      deadLetterTargetArn: dead?.arn,
      maxReceiveCount: 2,
    });
    expect(work?.url).toBe(`http://127.0.0.1:4566/000000000000/${work?.name}`);
  });

  test('a reference from one stack to another resolves to the same name', () => {
    const messages = app.functions.find((fn) => fn.logicalId.startsWith('Messages'));
    expect(messages?.environment.TABLE).toBe(app.tables[0]?.name);
    expect(messages).toMatchObject({ handler: 'index.onMessages', timeoutSeconds: 2, memoryMegabytes: 256 });
  });

  test('event sources carry batch, window, partial failures, concurrency, filters, retries and destination', () => {
    const [queueSource] = app.eventSources.filter((source) => source.maxConcurrency !== undefined);
    expect(queueSource).toMatchObject({
      kind: 'queue',
      batchSize: 10,
      windowSeconds: 1,
      reportsItemFailures: true,
      maxConcurrency: 2,
    });
    const [streamSource] = app.eventSources.filter((source) => source.kind === 'stream');
    expect(streamSource).toMatchObject({
      batchSize: 20,
      bisectsOnError: true,
      maxRetries: 2,
      startingPosition: 'TRIM_HORIZON',
    });
    expect(streamSource?.filters).toHaveLength(1);
    expect(streamSource?.onFailureArn).toContain('StreamDead');
  });

  test('the HTTP API has its routes, throttle and CORS', () => {
    const [api] = app.httpApis;
    expect(api?.routes.map((route) => route.routeKey).sort()).toEqual([
      'ANY /v1/{proxy+}',
      'POST /hooks/{project}',
      'POST /v1/events',
    ]);
    expect(api?.throttle).toEqual({ ratePerSecond: 50, burst: 100 });
    expect(api?.cors).toMatchObject({
      origins: ['http://localhost:5173'],
      methods: ['POST'],
      headers: ['authorization'],
    });
  });

  test('the state machine has its definition from the asset with every substitution done', () => {
    const text = JSON.stringify(app.stateMachines[0]?.definition);
    expect(text).toContain(app.buckets[0]?.name);
    expect(text).not.toContain('${');
  });

  test('every role has the statements of all policies attached to it', () => {
    const stream = app.functions.find((fn) => fn.logicalId.startsWith('Stream'));
    const role = app.roles.find((candidate) => candidate.arn === stream?.roleArn);
    const text = JSON.stringify(role?.policies);
    for (const action of ['dynamodb:GetRecords', 'sqs:SendMessage', 'dynamodb:PutItem']) expect(text).toContain(action);
  });

  test('a schedule has its expression, target, role, input and dead-letter queue', () => {
    expect(app.schedules[0]).toMatchObject({
      expression: 'rate(1 minute)',
      input: '{"note":"minute"}',
      isEnabled: true,
    });
    expect(app.schedules[0]?.deadLetterArn).toContain('Dead');
  });
});

describe('a wrong template is refused with a sentence that names the place', () => {
  const refused = (name: string, change: (template: Template) => void) => {
    const copy = planted(name, change);
    expect(() => readApp(copy, ENDPOINT)).toThrow(TemplateError);
    try {
      readApp(copy, ENDPOINT);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };

  test('a resource type that nothing here knows', () => {
    const message = refused('unknown-type', (template) => {
      template.Resources.Cache = { Type: 'AWS::ElastiCache::CacheCluster', Properties: {} };
    });
    expect(message).toContain('Small/Cache (AWS::ElastiCache::CacheCluster)');
  });

  test('an intrinsic that nothing here knows', () => {
    const message = refused('unknown-intrinsic', (template) => {
      firstOf(template, 'AWS::SQS::Queue', 'Work').Properties.DelaySeconds = { 'Fn::Base64': 'x' };
    });
    expect(message).toContain('Fn::Base64');
  });

  test('a property that would not be acted upon', () => {
    const message = refused('unknown-property', (template) => {
      firstOf(template, 'AWS::Lambda::EventSourceMapping').Properties.TumblingWindowInSeconds = 5;
    });
    expect(message).toContain('TumblingWindowInSeconds');
  });

  test('a reference to a resource that is not there', () => {
    const message = refused('missing-reference', (template) => {
      firstOf(template, 'AWS::Lambda::Function').Properties.Role = { 'Fn::GetAtt': ['Nobody', 'Arn'] };
    });
    expect(message).toContain('there is no resource Nobody in Small');
  });

  test('an event source of a table without a stream', () => {
    const message = refused('no-stream', (template) => {
      const source = Object.values(template.Resources).find(
        (r) => r.Type === 'AWS::Lambda::EventSourceMapping' && r.Properties.StartingPosition !== undefined,
      );
      if (source) source.Properties.EventSourceArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/x/stream/local';
    });
    expect(message).toContain('does not exist or has no stream');
  });

  test('a name in the state machine that has no substitution', () => {
    const message = refused('no-substitution', (template) => {
      firstOf(template, 'AWS::StepFunctions::StateMachine').Properties.DefinitionSubstitutions = { BucketName: 'x' };
    });
    expect(message).toContain('TaskArn');
  });
});
