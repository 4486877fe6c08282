import { rmSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { beforeAll, describe, expect, test } from 'vitest';
import { stageConfigFrom } from '../../lib/config.ts';
import { DataStack } from '../../lib/data-stack.ts';
import { ofType, runApp, type Synthesized, synthesize } from './synthesized.ts';

/** Without an account: no credentials, no lookups, strict validation and cdk-nag included. */
describe('both stages synthesize offline', () => {
  const certificateArn = 'arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-0000-4000-8000-000000000000';
  let prod: Synthesized;
  let own: Synthesized;
  beforeAll(() => {
    prod = synthesize('prod');
    own = synthesize('dev', {
      account: '111122223333',
      region: 'eu-central-1',
      domainName: 'billing.example.com',
      certificateArn,
      alarmEmail: 'oncall@example.com',
    });
  });

  test('prod keeps its logs 90 days and gathers usage for 5 seconds', () => {
    const { data, service } = prod;
    const retention = ofType(service, 'AWS::Logs::LogGroup').map(([, group]) => group.Properties.RetentionInDays);
    expect(new Set(retention)).toEqual(new Set([90]));
    const windows = ofType(service, 'AWS::Lambda::EventSourceMapping').map(
      ([, mapping]) => mapping.Properties.MaximumBatchingWindowInSeconds,
    );
    expect(windows).toContain(5);
    const warm = ofType(data, 'AWS::DynamoDB::Table').map(([, table]) => table.Properties.WarmThroughput);
    expect(warm).toContainEqual({ ReadUnitsPerSecond: 24_000, WriteUnitsPerSecond: 12_000 });
  });

  test('a custom domain and an alarm address come from the context', () => {
    const { service } = own;
    const domains = ofType(service, 'AWS::ApiGatewayV2::DomainName').map(([, domain]) => domain.Properties.DomainName);
    expect(domains).toEqual(['billing.example.com']);
    const mailed = ofType(service, 'AWS::SNS::Subscription').map(
      ([, subscription]) => subscription.Properties.Endpoint,
    );
    expect(mailed).toEqual(['oncall@example.com']);
  });

  test('an unknown stage is refused by name', () => {
    const { status, stderr, outdir } = runApp({ stage: 'staging' });
    rmSync(outdir, { recursive: true, force: true });
    expect(status).not.toBe(0);
    expect(stderr).toContain('Got stage "staging"; expected one of dev, prod.');
  });

  test('an account without a region is refused', () => {
    const app = new App({ context: { account: '111122223333' } });
    expect(() => stageConfigFrom(app.node)).toThrow('Context account and region belong together');
  });
});

/** As the app does it, with strict validation, but a stack spoiled on purpose. */
function appWith(property: string, value: unknown): App {
  const app = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
  const stack = new DataStack(app, 'spoiled-data', { config: stageConfigFrom(app.node) });
  new CfnQueue(stack, 'Spoiled').addPropertyOverride(property, value);
  return app;
}

describe('strict validation', () => {
  test('a misspelt property makes synth fail', () => {
    expect(() => appWith('VisibilityTimeOut', 30).synth()).toThrow(/VisibilityTimeOut/);
  });

  test('a mistyped property makes synth fail', () => {
    expect(() => appWith('VisibilityTimeout', 'thirty').synth()).toThrow(/VisibilityTimeout/);
  });

  test('and the same stack with the right property does not', () => {
    expect(() => appWith('VisibilityTimeout', 30).synth()).not.toThrow();
  });
});
