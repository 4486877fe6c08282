/**
 * Delivers what schedules, rules and failed invocations send, to a function, a queue or a state machine, and asks first whether
 * the sender may: a schedule by its role, a rule by the target's own policy.
 */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { StateMachines } from '../stepfunctions/state-machines.ts';
import type { AppModel, RuleModel, RuleTargetModel, ScheduleModel } from '../template/model.ts';
import type { LambdaRuntime } from './lambda-runtime.ts';
import { mayInvoke, maySend } from './resource-policy.ts';

export interface TargetDeliveryOptions {
  readonly app: AppModel;
  readonly lambda: LambdaRuntime;
  readonly machines: StateMachines;
  /** A client that speaks to the gateway as a role. */
  readonly sqsOf: (roleArn: string) => SQSClient;
  /** A client of the stack itself, for services that act by a resource's policy. */
  readonly sqs: SQSClient;
  /** The reason of a refusal, or undefined when the role may. */
  readonly refusal: (roleArn: string, action: string, resource: string) => Promise<string | undefined>;
}

export class TargetDelivery {
  readonly #options: TargetDeliveryOptions;

  constructor(options: TargetDeliveryOptions) {
    this.#options = options;
  }

  /**
   * One firing of a schedule. Resolves when the target has it; what the target refuses goes to the dead-letter queue.
   * @throws Error with the reason when it could not be delivered
   */
  async fire(schedule: ScheduleModel, scheduledTime: string): Promise<void> {
    const payload = scheduleInput(schedule, scheduledTime);
    try {
      await this.#asRole(schedule.roleArn, schedule.targetArn, payload);
    } catch (error) {
      if (schedule.deadLetterArn === undefined) throw error;
      await this.sendAsRole(schedule.roleArn, schedule.deadLetterArn, payload);
      throw error;
    }
  }

  /** One event of a rule to one of its targets. @throws Error with the reason when the target's policy does not allow it */
  async forward(rule: RuleModel, target: RuleTargetModel, event: object): Promise<void> {
    const { app, lambda, sqs } = this.#options;
    const service = 'events.amazonaws.com';
    if (target.inputPath !== undefined) throw new Error(`rule ${rule.name}: InputPath is not known locally`);
    const payload = target.input ?? JSON.stringify(event);
    if (target.arn.includes(':lambda:')) {
      const question = { functionArn: target.arn, service, sourceArn: rule.arn };
      if (!mayInvoke(app.invokePermissions, question))
        throw new Error(`no permission lets rule ${rule.name} invoke ${target.arn}`);
      return lambda.invokeAsync(target.arn, payload).attempted;
    }
    if (!target.arn.includes(':sqs:')) throw new Error(`rule ${rule.name}: target ${target.arn} is not known locally`);
    if (!maySend(app.resourcePolicies, target.arn, { service, sourceArn: rule.arn })) {
      throw new Error(`the policy of ${target.arn} does not let rule ${rule.name} send`);
    }
    await sqs.send(new SendMessageCommand({ QueueUrl: this.#queueUrl(target.arn), MessageBody: payload }));
  }

  /** Sends to a queue with a role's own permission, as event source mappings do with what they give up. */
  async sendAsRole(roleArn: string, queueArn: string, body: string): Promise<void> {
    const client = this.#options.sqsOf(roleArn);
    await client.send(new SendMessageCommand({ QueueUrl: this.#queueUrl(queueArn), MessageBody: body }));
  }

  async #asRole(roleArn: string, targetArn: string, payload: string): Promise<void> {
    const { lambda, machines, refusal } = this.#options;
    if (targetArn.includes(':sqs:')) return this.sendAsRole(roleArn, targetArn, payload);
    const isFunction = targetArn.includes(':lambda:');
    if (!isFunction && !targetArn.includes(':states:')) throw new Error(`target ${targetArn} is not known locally`);
    const refused = await refusal(roleArn, isFunction ? 'lambda:InvokeFunction' : 'states:StartExecution', targetArn);
    if (refused !== undefined) throw new Error(refused);
    if (isFunction) return lambda.invokeAsync(targetArn, payload).attempted;
    machines.start(targetArn, crypto.randomUUID(), payload);
  }

  #queueUrl(arn: string): string {
    const queue = this.#options.app.queues.find((candidate) => candidate.arn === arn);
    if (queue === undefined) throw new Error(`there is no queue ${arn}`);
    return queue.url;
  }
}

/** The target's input with Scheduler's placeholders filled in; without an input Scheduler sends an event of its own. */
function scheduleInput(schedule: ScheduleModel, scheduledTime: string): string {
  if (schedule.input !== undefined) {
    return schedule.input
      .replaceAll('<aws.scheduler.scheduled-time>', scheduledTime)
      .replaceAll('<aws.scheduler.schedule-arn>', schedule.arn)
      .replaceAll('<aws.scheduler.execution-id>', crypto.randomUUID())
      .replaceAll('<aws.scheduler.attempt-number>', '1');
  }
  return JSON.stringify({
    version: '0',
    id: crypto.randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: schedule.arn.split(':')[4],
    time: scheduledTime,
    region: schedule.arn.split(':')[3],
    resources: [schedule.arn],
    detail: '{}',
  });
}
