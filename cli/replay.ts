import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Command } from 'commander';
import { parkingDesk } from '../adapters/dynamodb/parking-desk.ts';
import { parkingLot } from '../adapters/dynamodb/parking-lot.ts';
import { usageQueue } from '../adapters/sqs/usage-queue.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { type ProjectId, parseProjectId } from '../core/ids.ts';
import { type DecideDeps, discardByName, findParked, replayByName } from '../core/usage/decide-parked.ts';
import { parkedEvents } from '../core/usage/parked-events.ts';
import type { ParkedMessage } from '../core/usage/ports.ts';
import { isReplayable } from '../core/usage/replay-parked.ts';
import { clientOptions, LOCAL_OUTPUTS, readDeployment } from './deployment.ts';
import { textTable } from './text-table.ts';

/** `npm run replay`: what was parked, sent again or discarded. */
interface Options {
  readonly project: string;
  readonly outputs: string;
  readonly name?: string;
  readonly list?: boolean;
  readonly show?: boolean;
  readonly decided?: boolean;
  readonly discard?: boolean;
}

/** How many events of a message, and how much of one that nobody can read, are shown. */
const EVENTS_SHOWN = 100;
const BODY_SHOWN = 500;

const command = new Command('npm run replay --')
  .description(
    'Lists parked usage messages, sends them to the queue again, or discards them. Replaying counts nothing twice.',
  )
  .requiredOption('-p, --project <id>', 'project, or "system" for messages that nobody could read')
  .option('--name <name>', 'only the message of this name')
  .option('--list', 'only lists what is parked')
  .option('--show', 'shows the events of a message, and what was decided about it; needs --name')
  .option('--decided', 'lists what was decided: replayed or discarded, by whom and when')
  .option('--discard', 'removes instead of sending; needs --name')
  .option('--outputs <file>', 'the outputs of the deployment', LOCAL_OUTPUTS)
  .addHelpText(
    'after',
    `
Examples:
  npm run replay -- --project prj_demo --list                                     # what is parked, and why
  npm run replay -- --project prj_demo --name undeliverable:0193f1c0 --show       # its events
  npm run replay -- --project prj_demo --name undeliverable:0193f1c0              # sends that one again
  npm run replay -- --project prj_demo                                            # sends all that can be sent
  npm run replay -- --project system --name unreadable:1f0c --discard             # gives it up, for good
  npm run replay -- --project prj_demo --decided                                  # the record of it all
`,
  );

async function main(): Promise<void> {
  const options = command.parse().opts<Options>();
  for (const flag of ['discard', 'show'] as const)
    if (options[flag] === true && options.name === undefined)
      throw new Error(`--${flag} needs the --name of one message.`);
  const project: ProjectId | 'system' = options.project === 'system' ? 'system' : parseProjectId(options.project);
  const deployment = readDeployment(options.outputs);
  const client = new DynamoDBClient(clientOptions(deployment));
  const deps: DecideDeps = {
    parking: parkingLot(client, deployment.UsageViewsTable),
    desk: parkingDesk(client, deployment.UsageViewsTable),
    queue: usageQueue(new SQSClient(clientOptions(deployment)), deployment.UsageQueueUrl),
    clock: systemClock,
  };
  if (options.show === true) return showMessage(project, options.name ?? '', deps);
  if (options.decided === true) return listDecided(project, deps);
  const messages = (await deps.parking.list(project)).filter(
    ({ name }) => options.name === undefined || name === options.name,
  );
  const rows: (string | number)[][] = [];
  for (const message of messages) {
    const outcome = await act(project, message, options, deps);
    rows.push([message.name, message.reason, message.events, timeOf(message.parkedAtMillis), outcome]);
  }
  if (rows.length === 0 && options.name !== undefined)
    throw new Error(`No parked message ${options.name} of ${project}.`);
  const head = ['name', 'reason', 'events', 'parked', options.list === true ? 'detail' : 'done'];
  console.log(rows.length === 0 ? 'Nothing is parked.' : textTable({ head, rows }));
}

async function showMessage(project: ProjectId | 'system', name: string, deps: DecideDeps): Promise<void> {
  const message = await findParked({ project, name }, deps);
  const rows: (string | number)[][] = [
    ['reason', message.reason],
    ['detail', message.detail],
    ['events', message.events],
    ['parked', timeOf(message.parkedAtMillis)],
    ['replayable', isReplayable(message) ? 'yes' : 'no'],
  ];
  if ('outcome' in message) rows.push([message.outcome, `${timeOf(message.decidedAtMillis)} by ${message.by}`]);
  console.log(textTable({ head: ['name', name], rows }));
  if (message.body === null) return;
  const events = parkedEvents({ reason: message.reason, body: message.body });
  if (events === null) {
    console.log(`It is not a message of ours. It begins: ${message.body.slice(0, BODY_SHOWN)}`);
    return;
  }
  const head = ['id', 'type', 'customer', 'source', 'time', 'properties'];
  const shown = events.slice(0, EVENTS_SHOWN).map(({ id, type, customer, source, occurredAtMicros, properties }) => {
    return [id, type, customer, source, timeOf(Math.floor(occurredAtMicros / 1000)), JSON.stringify(properties)];
  });
  console.log(textTable({ head, rows: shown }));
  if (events.length > EVENTS_SHOWN) console.log(`... and ${events.length - EVENTS_SHOWN} more`);
}

async function listDecided(project: ProjectId | 'system', { desk }: DecideDeps): Promise<void> {
  const rows: (string | number)[][] = [];
  let cursor: string | undefined;
  do {
    const page = await desk.decisions(project, { limit: 100, cursor });
    for (const { name, reason, events, outcome, by, decidedAtMillis } of page.items)
      rows.push([name, reason, events, outcome, by, timeOf(decidedAtMillis)]);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  const head = ['name', 'reason', 'events', 'outcome', 'by', 'decided'];
  console.log(rows.length === 0 ? 'Nothing was decided yet.' : textTable({ head, rows }));
}

function timeOf(millis: number): string {
  return new Date(millis).toISOString();
}

async function act(
  project: ProjectId | 'system',
  message: ParkedMessage,
  options: Options,
  deps: DecideDeps,
): Promise<string> {
  if (options.list === true) return message.detail;
  const input = { project, name: message.name, by: 'command-line' };
  if (options.discard === true) return (await discardByName(input, deps)).outcome;
  return isReplayable(message) ? (await replayByName(input, deps)).outcome : 'not_replayable';
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
