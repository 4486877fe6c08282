import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArnFormat, Aws, Duration, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { DefinitionBody, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { DataStack } from '../data-stack.ts';
import { accept, acceptWildcard } from './accepted-findings.ts';
import type { AlarmRegistry } from './alarm-registry.ts';
import type { BillingSteps } from './billing-steps.ts';
import type { HouseFunction } from './house-function.ts';

export interface BillingWorkflowProps {
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  readonly steps: BillingSteps;
  readonly publishOutbox: HouseFunction;
}

const DEFINITION = join(import.meta.dirname, '../../statemachines/monthly-billing.asl.json');

/**
 * The monthly workflow. The definition is the file, with the names in `${}` filled in; a name in the file that is not given
 * here, or the other way round, fails synth. Standard executions: each step is recorded and may run for hours.
 */
export class BillingWorkflow extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: BillingWorkflowProps) {
    super(scope, id);
    const called = functionsByName(props);
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: Object.values(called).map((step) => step.lambda.functionArn),
      }),
    );
    const manifests = props.data.archived('manifests/*');
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [manifests] }));
    acceptWildcard(role, manifests, 'Manifests are named by run, below one prefix.');
    this.machine = new StateMachine(this, 'Machine', {
      definitionBody: DefinitionBody.fromString(definitionText()),
      definitionSubstitutions: substitutions(called),
      stateMachineType: StateMachineType.STANDARD,
      role,
    });
    this.allowDistributedMap(role);
    accept(this.machine, 'AwsSolutions-SF1', 'Step Functions keeps the history of standard executions for 90 days.');
    accept(
      this.machine,
      'AwsSolutions-SF2',
      'No tracing: the X-Ray SDKs are in maintenance; metrics and logs are the record.',
    );
    props.alarms.add(this, 'FailedAlarm', {
      runbook: 'billing-run-failed',
      meaning: 'A billing run failed.',
      metric: props.alarms.ownMetric('BillingRunFailed', 'Sum', 5),
      threshold: 1,
    });
    // The second ear: a run that could not even write its report.
    props.alarms.add(this, 'BrokenAlarm', {
      runbook: 'billing-run-failed',
      meaning: 'An execution of the billing workflow failed.',
      metric: this.machine.metricFailed({ period: Duration.minutes(5), statistic: 'Sum' }),
      threshold: 1,
    });
  }

  /** Lets `starter` begin runs and see how they stand. */
  allowStarting(starter: HouseFunction): void {
    starter.allow(['states:StartExecution'], [this.machine.stateMachineArn]);
  }

  /**
   * A distributed map runs its batches as executions of the same machine; CDK grants that only to maps it defined itself.
   * A policy of its own, because the machine waits for the role's first policy and this one names the machine.
   */
  private allowDistributedMap(role: Role): void {
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${this.machine.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const policy = new Policy(this, 'DistributedMap', {
      roles: [role],
      statements: [
        new PolicyStatement({ actions: ['states:StartExecution'], resources: [this.machine.stateMachineArn] }),
        new PolicyStatement({ actions: ['states:DescribeExecution', 'states:StopExecution'], resources: [executions] }),
      ],
    });
    acceptWildcard(policy, executions, 'Executions are named at run time.');
  }
}

function functionsByName({ steps, publishOutbox }: BillingWorkflowProps): Readonly<Record<string, HouseFunction>> {
  return {
    SettleUsageArn: steps.settleUsage,
    ReconcileUsageArn: steps.reconcileUsage,
    WriteManifestArn: steps.writeManifest,
    RateAccountsArn: steps.rateAccounts,
    IssueInvoicesArn: steps.issueInvoices,
    PushInvoicesArn: steps.pushInvoices,
    PublishOutboxArn: publishOutbox,
    FinishRunArn: steps.finishRun,
  };
}

/** The file without its white space: a template has room for one megabyte. */
function definitionText(): string {
  return JSON.stringify(JSON.parse(readFileSync(DEFINITION, 'utf8')));
}

function substitutions(called: Readonly<Record<string, HouseFunction>>): Record<string, string> {
  const given: Record<string, string> = { Partition: Aws.PARTITION };
  for (const [name, step] of Object.entries(called)) given[name] = step.lambda.functionArn;
  const used = new Set([...definitionText().matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] ?? ''));
  const differing = [...used].filter((name) => !(name in given)).concat(Object.keys(given).filter((n) => !used.has(n)));
  if (differing.length > 0) {
    throw new Error(
      `statemachines/monthly-billing.asl.json and billing-workflow.ts differ in: ${differing.join(', ')}.`,
    );
  }
  return given;
}
