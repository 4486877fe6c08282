import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { EnvOf, FunctionName } from '../../lambdas/shared/env.ts';
import type { StageConfig } from '../config.ts';
import { acceptWildcard } from './accepted-findings.ts';
import { bundleOf } from './function-bundles.ts';

export interface HouseFunctionProps<F extends FunctionName> {
  readonly name: F;
  readonly config: StageConfig;
  readonly description: string;
  /** Exactly the names the function reads (lambdas/shared/env.ts): one missing or one too many does not compile. */
  readonly environment: EnvOf<F>;
  readonly timeout: Duration;
  /** 128 to 10,240 MB; 1,769 MB is one whole vCPU, and CPU falls in proportion below. */
  readonly memoryMb: number;
  /** Only where more than so many at a time would be wrong; taken from the account's pool, so none by default. */
  readonly reservedConcurrency?: number;
}

/**
 * The only Lambda function in this house: Node 24 on arm64, one ES module with everything inside, JSON logs kept for a
 * stated time, and a role of its own that may do nothing until `allow` says so. Platform log lines (START, END, REPORT) are
 * off below WARN: at one event per request they would cost more than the function.
 */
export class HouseFunction<F extends FunctionName = FunctionName> extends Construct {
  readonly lambda: NodejsFunction;
  readonly timeout: Duration;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: HouseFunctionProps<F>) {
    super(scope, id);
    this.timeout = props.timeout;
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
    this.lambda = new NodejsFunction(this, 'Function', {
      code: Code.fromAsset(bundleOf(props.name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      description: props.description,
      role: this.role,
      environment: { ...props.environment },
      timeout: props.timeout,
      memorySize: props.memoryMb,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      applicationLogLevelV2: ApplicationLogLevel[props.config.logLevel],
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
  }

  /** Allows exactly these actions on exactly these resources; nothing with a wildcard (see `allowWithin`). */
  allow(actions: readonly string[], resources: readonly string[]): this {
    this.role.addToPolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] }),
    );
    return this;
  }

  /** As `allow`, for resources whose names are not known when deploying (objects, secrets, executions): the reason is required. */
  allowWithin(actions: readonly string[], resource: string, reason: string): this {
    acceptWildcard(this.role, resource, reason);
    return this.allow(actions, [resource]);
  }
}
