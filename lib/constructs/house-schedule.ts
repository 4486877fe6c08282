import type { Duration } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, type ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import type { HouseFunction } from './house-function.ts';

export interface HouseScheduleProps {
  readonly expression: ScheduleExpression;
  readonly description: string;
  readonly target: HouseFunction;
  /** What the function is called with. */
  readonly input: Readonly<Record<string, string>>;
  /** A call that was not delivered after all tries; the next one comes anyway. */
  readonly deadLetters: DeadLetterQueue;
  /** How late a call is still worth making. */
  readonly maximumAge: Duration;
  readonly retries: number;
}

/** Calls one function on a schedule, with a role that may invoke that function and write to the dead letters, nothing else. */
export class HouseSchedule extends Construct {
  constructor(scope: Construct, id: string, props: HouseScheduleProps) {
    super(scope, id);
    const { functionArn } = props.target.lambda;
    const { queueArn } = props.deadLetters.queue;
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queueArn] }));
    new Schedule(this, 'Schedule', {
      schedule: props.expression,
      description: props.description,
      target: {
        bind: () => ({
          arn: functionArn,
          role,
          input: ScheduleTargetInput.fromObject(props.input),
          deadLetterConfig: { arn: queueArn },
          retryPolicy: {
            maximumEventAgeInSeconds: props.maximumAge.toSeconds(),
            maximumRetryAttempts: props.retries,
          },
        }),
      },
    });
  }
}
