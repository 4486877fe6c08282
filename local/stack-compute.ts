/** What runs code: the functions, the state machines, and the delivery between them, all acting with the template's roles. */
import path from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { InvocationRecord } from './lambda/function-runner.ts';
import { LambdaRuntime } from './lambda/lambda-runtime.ts';
import { TargetDelivery } from './lambda/target-delivery.ts';
import type { LocalClock } from './parts/clock.ts';
import type { MetricsSink } from './parts/metrics.ts';
import type { StackParts } from './stack-parts.ts';
import { StateMachines } from './stepfunctions/state-machines.ts';
import type { AppModel, FunctionModel } from './template/model.ts';

export interface ComputeOptions {
  readonly clock: LocalClock;
  readonly stateDir: string;
  readonly metrics: MetricsSink;
  /** Environments of one function at a time. */
  readonly maxEnvironments: number;
  readonly onProblem: (problem: string) => void;
  readonly onInvocation: (record: InvocationRecord) => void;
}

export interface Compute {
  readonly lambda: LambdaRuntime;
  readonly machines: StateMachines;
  readonly delivery: TargetDelivery;
}

/** @throws DefinitionError for a state machine that cannot be run truthfully */
export function loadCompute(app: AppModel, parts: StackParts, options: ComputeOptions): Compute {
  const { clock, stateDir, metrics, onProblem } = options;
  const lambda: LambdaRuntime = new LambdaRuntime({
    functions: app.functions,
    region: app.region,
    endpoint: parts.gateway.url,
    clock,
    credentialsOf: parts.credentialsOf,
    logFolder: path.join(stateDir, 'logs'),
    maxEnvironments: options.maxEnvironments,
    takeMetric: (name, line) => metrics.take(name, line),
    onInvocation: options.onInvocation,
    onAsyncFailure: async (fn: FunctionModel, payload, outcome) => {
      onProblem(`${fn.name}: an asynchronous invocation failed for good: ${JSON.stringify(outcome)}`);
      if (fn.asyncOnFailureArn !== undefined) await delivery.sendAsRole(fn.roleArn, fn.asyncOnFailureArn, payload);
    },
  });
  const machines = new StateMachines({
    machines: app.stateMachines,
    clock,
    folder: path.join(stateDir, 'executions'),
    portsOf: ({ roleArn }) => ({
      clock,
      invoke: (arn, payload) => lambda.invoke(arn, payload),
      refusal: (action, resource) => parts.refusal(roleArn, action, resource),
      readObject: async (Bucket, Key) => {
        const object = await parts.s3Of(roleArn).send(new GetObjectCommand({ Bucket, Key }));
        return (await object.Body?.transformToString()) ?? '';
      },
    }),
  });
  const { sqsOf, sqs, refusal } = parts;
  const delivery: TargetDelivery = new TargetDelivery({ app, lambda, machines, sqsOf, sqs, refusal });
  return { lambda, machines, delivery };
}

/** Runs a function and gives its answer. @throws Error named and worded like the function's own */
export async function invokeOrThrow(lambda: LambdaRuntime, name: string, event: unknown): Promise<unknown> {
  const outcome = await lambda.invoke(name, JSON.stringify(event));
  if (outcome.kind === 'ok') return JSON.parse(outcome.payload) as unknown;
  throw Object.assign(new Error(outcome.error.errorMessage), { name: outcome.error.errorType });
}
