import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { compareBooks } from './demo/compare.ts';
import { connectStripe } from './demo/connect-stripe.ts';
import { demoMonthBefore } from './demo/demo-month.ts';
import { demoProject, refuseOtherCatalog, writeDemoState } from './demo/demo-project.ts';
import { recount } from './demo/demo-recount.ts';
import { Progress } from './demo/progress.ts';
import { type DemoResult, runDemo } from './demo/run-demo.ts';
import { invoiceTable } from './demo/show-invoice.ts';
import { localDeployment } from './local-deployment.ts';
import { preflight } from './preflight.ts';
import { startStack } from './stack.ts';
import { synthesize } from './synthesize.ts';

/** `npm start`: the synthesized app on this machine, with a demo month billed and paid; then it keeps serving. */
interface Options {
  readonly once?: boolean;
  readonly reset?: boolean;
  readonly port: number;
  readonly state: string;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('expected a port from 0 to 65535');
  return port;
}

const command = new Command('npm start --')
  .description(
    'Runs the whole product on this machine, on 127.0.0.1: synthesizes the CDK app, starts local parts, bills a demo month, keeps serving.',
  )
  .option(
    '--once',
    'bills the demo month, recounts it independently, compares and ends: 0 when all is equal, 1 when not',
  )
  .option('--reset', 'empties the state first; without it the state survives a restart')
  .option('--port <port>', 'port of the API; 0 for any free one', portNumber, 3000)
  .option('--state <folder>', 'where the state lives', '.local')
  .addHelpText('after', '\nExamples:\n  npm start\n  npm start -- --once\n  npm start -- --reset --port 8080\n');

function showResult({ month, invoices }: DemoResult, key: ReturnType<typeof demoMonthBefore>): number {
  const shown = invoices[0];
  if (shown !== undefined) console.log(`\n${invoiceTable(shown)}\n`);
  const comparison = compareBooks(month, recount(key, month.accepted), invoices);
  console.log(`${comparison.text}\n`);
  return comparison.differences;
}

function showHowToGoOn(apiUrl: string, apiKey: string): void {
  const event = JSON.stringify({
    id: 'my-first-event',
    type: 'api_call',
    customer: 'acme',
    properties: { region: 'eu' },
  });
  console.log(`API      ${apiUrl}/v1   (document: ${apiUrl}/v1/openapi.json)
API key  ${apiKey}

curl -s ${apiUrl}/v1/events -H 'authorization: Bearer ${apiKey}' -H 'content-type: application/json' -d '${event}'
curl -s '${apiUrl}/v1/invoices' -H 'authorization: Bearer ${apiKey}'

Serving until Ctrl-C.`);
}

async function main(): Promise<void> {
  const options = command.parse().opts<Options>();
  const stateDir = path.resolve(options.state);
  const progress = new Progress();
  await preflight({ stateDir, port: options.port });
  if (options.reset === true) rmSync(stateDir, { recursive: true, force: true });
  mkdirSync(stateDir, { recursive: true });
  progress.say('synthesizing the CDK app');
  await synthesize();
  const stack = await startStack({
    cdkOut: path.resolve('cdk.out'),
    stateDir,
    ports: { api: options.port },
    onProgress: (step) => progress.say(step),
    onProblem: (problem) => progress.say(`problem: ${problem}`),
  });
  const stripe = await connectStripe(stack, stateDir, process.env);
  const end = async (code: number) => {
    await stripe.close();
    await stack.stop();
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(0));
  try {
    const deployment = localDeployment(stack);
    writeFileSync(path.join(stateDir, 'outputs.json'), JSON.stringify({ local: deployment }, null, 2), { mode: 0o600 });
    const state = await demoProject(stateDir, deployment, stack.clock);
    let differences = 0;
    if (state.billed !== null)
      progress.say(`the state of before is kept: ${state.billed} was billed (npm start -- --reset begins anew)`);
    if (state.billed === null || options.once === true) {
      refuseOtherCatalog(state);
      const month = demoMonthBefore(Date.now());
      const result = await runDemo({
        apiUrl: stack.apiUrl,
        apiKey: state.apiKey,
        clock: stack.clock,
        month,
        progress,
        stripe,
      });
      writeDemoState(stateDir, { ...state, billed: month.key });
      differences = showResult(result, month);
    }
    if (options.once === true) {
      console.log(differences === 0 ? 'The product and the recount agree.' : `${differences} differences.`);
      await end(differences === 0 ? 0 : 1);
    }
    console.log('');
    showHowToGoOn(stack.apiUrl, state.apiKey);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    await end(1);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
