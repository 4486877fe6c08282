/**
 * A stack in a process of its own, for tests that kill it: `node killable-stack.ts <KillableConfig as JSON>`. Dies by SIGKILL,
 * all at once and without a word, at the first write of the function it is told.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localDeployment } from '../../local/local-deployment.ts';
import { type LocalStack, startStack } from '../../local/stack.ts';

export interface KillableConfig {
  readonly cdkOut: string;
  readonly stateDir: string;
  readonly stripeSecrets: Readonly<Record<string, object>>;
  readonly die?: Death | undefined;
}

/** Where to die: before the first write of one of these functions takes effect, or after it did and before it is told. */
export interface Death {
  readonly at: readonly string[];
  readonly when: 'before' | 'after';
}

/** What the test says to the running stack: where the clock stands (ms since the epoch), where to die. */
export interface Order {
  readonly clock?: number;
  readonly die?: Death;
}

/** Everything that leaves a trace. */
const WRITES = [
  'PutItem',
  'UpdateItem',
  'TransactWriteItems',
  'SendMessage',
  'SendMessageBatch',
  'PutObject',
  'PutEvents',
];

const config = JSON.parse(process.argv[2] ?? '{}') as KillableConfig;
const { cdkOut, stateDir, stripeSecrets, die } = config;
const stack = await startStack({
  cdkOut,
  stateDir,
  // Before anything left over goes on, or it may have done its write by the time it is to die at it.
  beforeWork: (standing) => {
    if (die !== undefined) dieAt(die, standing);
  },
});
const prefix = stack.lambda.find('push-invoices').environment.STRIPE_SECRET_PREFIX ?? '';
for (const [project, secret] of Object.entries(stripeSecrets))
  stack.parts.secrets.put(`${prefix}${project}`, JSON.stringify(secret));
writeFileSync(join(stateDir, 'outputs.json'), JSON.stringify({ local: localDeployment(stack) }));
process.on('message', (message: Order) => {
  if (message.clock !== undefined) stack.clock.set(message.clock);
  if (message.die !== undefined) dieAt(message.die, stack);
  process.send?.({ done: true });
});
process.send?.({ apiUrl: stack.apiUrl });

function dieAt({ at, when }: Death, { gateway, principalOf }: Pick<LocalStack, 'gateway' | 'principalOf'>): void {
  const effect = { kind: 'run', when, run: () => void process.kill(process.pid, 'SIGKILL') } as const;
  for (const principal of at.map(principalOf))
    for (const operation of WRITES) gateway.inject({ principal, operation, effect });
}
