import { Duration } from 'aws-cdk-lib';
import {
  HttpApi as ApiGatewayHttpApi,
  CorsHttpMethod,
  type CorsPreflightOptions,
  DomainName,
  HttpMethod,
  HttpStage,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { accept } from './accepted-findings.ts';
import type { AlarmRegistry } from './alarm-registry.ts';
import type { BillingWorkflow } from './billing-workflow.ts';
import { HouseFunction } from './house-function.ts';
import type { WorkQueue } from './work-queue.ts';

export interface HttpApiProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  readonly postEvents: HouseFunction;
  readonly entitlements: HouseFunction;
  /** The usage queue, to which parked messages are sent again. */
  readonly usage: WorkQueue;
  /** Where the steps of usage jobs wait. */
  readonly jobs: WorkQueue;
  readonly receiveStripe: HouseFunction;
  readonly workflow: BillingWorkflow;
}

/** The front door: a few routes. Who may come in is decided in the handlers, by the key in the request. */
export class HttpApi extends Construct {
  /** Where the API answers. */
  readonly url: string;
  private readonly api: ApiGatewayHttpApi;

  constructor(scope: Construct, id: string, props: HttpApiProps) {
    super(scope, id);
    const { config, alarms } = props;
    const cors = corsOf(config.api.corsOrigins);
    this.api = new ApiGatewayHttpApi(this, 'Api', {
      description: `Countinghouse ${config.stage}`,
      createDefaultStage: false,
      ...(cors === undefined ? {} : { corsPreflight: cors }),
    });
    this.route('Events', '/v1/events', HttpMethod.POST, props.postEvents);
    this.route('EntitlementChecks', '/v1/entitlements/check', HttpMethod.POST, props.entitlements);
    this.route('Consumption', '/v1/entitlements/consume', HttpMethod.POST, props.entitlements);
    this.route('StripeWebhooks', '/webhooks/stripe/{project_id}', HttpMethod.POST, props.receiveStripe);
    this.route('Everything', '/v1/{proxy+}', HttpMethod.ANY, apiFunction(this, props));
    const stage = this.stage(config);
    accept(
      this.api,
      'AwsSolutions-APIG4',
      'Each handler checks the API key or the webhook signature itself; no authorizer.',
    );
    accept(
      stage,
      'AwsSolutions-APIG1',
      'At one event per request access logs cost more than the function; handlers log what fails.',
    );
    alarms.add(this, 'ServerErrorAlarm', {
      runbook: 'api-server-errors',
      meaning: 'The API answered with 5xx.',
      metric: this.api.metricServerError({ period: Duration.minutes(1), statistic: 'Sum' }),
      threshold: 5,
      periods: 3,
    });
    this.url = stage.url;
  }

  private route(id: string, path: string, method: HttpMethod, target: HouseFunction): void {
    this.api.addRoutes({ path, methods: [method], integration: new HttpLambdaIntegration(id, target.lambda) });
  }

  private stage(config: StageConfig): HttpStage {
    const { ratePerSecond, burst, customDomain } = config.api;
    return new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: ratePerSecond, burstLimit: burst },
      ...(customDomain === undefined
        ? {}
        : {
            domainMapping: {
              domainName: new DomainName(this, 'Domain', {
                domainName: customDomain.name,
                certificate: Certificate.fromCertificateArn(this, 'Certificate', customDomain.certificateArn),
              }),
            },
          }),
    });
  }
}

function corsOf(origins: readonly string[]): CorsPreflightOptions | undefined {
  if (origins.length === 0) return undefined;
  return {
    allowOrigins: [...origins],
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.PUT, CorsHttpMethod.DELETE],
    allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'x-api-key'],
    maxAge: Duration.hours(1),
  };
}

function apiFunction(scope: Construct, { config, data, usage, jobs, workflow }: HttpApiProps): HouseFunction {
  const { archive, billing, pepper, usageClaims, usageLog, usageViews } = data;
  const indexes = [`${billing.tableArn}/index/by_project`, `${billing.tableArn}/index/by_customer`];
  const api = new HouseFunction<'api'>(scope, 'Function', {
    name: 'api',
    config,
    description: 'Everything under /v1 but events',
    environment: {
      BILLING_TABLE: billing.tableName,
      USAGE_CLAIMS_TABLE: usageClaims.tableName,
      USAGE_LOG_TABLE: usageLog.tableName,
      USAGE_VIEWS_TABLE: usageViews.tableName,
      USAGE_QUEUE_URL: usage.queue.queueUrl,
      JOB_QUEUE_URL: jobs.queue.queueUrl,
      ARCHIVE_BUCKET: archive.bucketName,
      BILLING_MACHINE_ARN: workflow.machine.stateMachineArn,
      PEPPER_SECRET_ID: pepper.secretArn,
      RATE_LIMITS: JSON.stringify(config.rateLimits),
    },
    // The HTTP API gives up at 30 s; one second less, so that the answer is ours.
    timeout: Duration.seconds(29),
    memoryMb: 1_024,
  })
    .allow(
      [
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:ConditionCheckItem',
      ],
      [billing.tableArn],
    )
    // Usage, and how far the log is folded into it.
    .allow(['dynamodb:Query'], [...indexes, usageViews.tableArn, usageLog.tableArn])
    // The audit of an hour finds its partitions by their header; rate limits are leased in blocks.
    .allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [usageClaims.tableArn])
    // A parked message is read, what was decided about it is recorded, and it leaves the lot.
    .allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], [usageViews.tableArn])
    .allow(['sqs:SendMessage'], [usage.queue.queueArn, jobs.queue.queueArn])
    .allow(['secretsmanager:GetSecretValue'], [pepper.secretArn])
    .allowWithin(
      ['s3:GetObject'],
      data.archived('evidence/*'),
      'Verifying reads evidence, which is named by its content.',
    );
  workflow.allowStarting(api);
  return api;
}
