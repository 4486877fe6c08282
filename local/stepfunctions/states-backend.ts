/** Step Functions behind the gateway: the operations of the API over the machines of the app. */
import { randomUUID } from 'node:crypto';
import { type Backend, jsonBackend, ServiceError, textOf } from '../gateway/backend.ts';
import type { ExecutionRecord } from './execution-record.ts';
import type { StateMachines } from './state-machines.ts';

type Input = Readonly<Record<string, unknown>>;

const DEFAULT_PAGE = 100;

export function statesBackend(machines: StateMachines): Backend {
  return jsonBackend({
    StartExecution: (input) => {
      const name = input.name === undefined ? randomUUID() : textOf(input, 'name');
      const text = input.input === undefined ? '{}' : textOf(input, 'input');
      const record = machines.start(textOf(input, 'stateMachineArn'), name, text);
      return { executionArn: record.executionArn, startDate: seconds(record.startedAt) };
    },
    DescribeExecution: (input) => {
      const record = machines.describe(textOf(input, 'executionArn'));
      return {
        ...summary(record),
        input: record.input,
        inputDetails: { included: true },
        ...(record.output === undefined ? {} : { output: record.output, outputDetails: { included: true } }),
        ...(record.error === undefined ? {} : { error: record.error }),
        ...(record.cause === undefined ? {} : { cause: record.cause }),
      };
    },
    ListExecutions: (input) => listExecutions(machines, input),
    StopExecution: async (input) => {
      const { error, cause } = input as { error?: string; cause?: string };
      const record = await machines.abort(textOf(input, 'executionArn'), error, cause);
      return { stopDate: seconds(record.stoppedAt ?? record.startedAt) };
    },
    DescribeStateMachine: (input) => {
      const machine = machines.machine(textOf(input, 'stateMachineArn'));
      return {
        stateMachineArn: machine.arn,
        name: machine.name,
        status: 'ACTIVE',
        type: 'STANDARD',
        roleArn: machine.roleArn,
        definition: JSON.stringify(machine.definition),
        creationDate: 0,
      };
    },
  });
}

function listExecutions(machines: StateMachines, input: Input): object {
  const all = machines
    .list(textOf(input, 'stateMachineArn'))
    .filter((record) => input.statusFilter === undefined || record.status === input.statusFilter);
  const from = input.nextToken === undefined ? 0 : Number(input.nextToken);
  if (!Number.isSafeInteger(from) || from < 0) throw new ServiceError('InvalidToken', 'Invalid Token');
  const size = typeof input.maxResults === 'number' && input.maxResults > 0 ? input.maxResults : DEFAULT_PAGE;
  const executions = all.slice(from, from + size).map(summary);
  return { executions, ...(from + size < all.length ? { nextToken: String(from + size) } : {}) };
}

function summary(record: ExecutionRecord): object {
  return {
    executionArn: record.executionArn,
    stateMachineArn: record.stateMachineArn,
    name: record.name,
    status: record.status,
    startDate: seconds(record.startedAt),
    ...(record.stoppedAt === undefined ? {} : { stopDate: seconds(record.stoppedAt) }),
  };
}

/** AWS JSON spells times as seconds since the epoch, with a fraction. */
function seconds(millis: number): number {
  return millis / 1000;
}
