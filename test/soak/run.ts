import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import cliProgress from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { ApiClient } from '../../cli/api-client.ts';
import { Random } from '../faults/random.ts';
import { referred, runApp } from '../lib/synthesized.ts';
import { changedAssembly } from '../support/scenario-assembly.ts';
import { newKey } from '../support/scenario-cli.ts';
import { auditHours, bookDifferences, type Counts, replayParked, usageDifferences } from './books.ts';
import { KilledStack } from './killed-stack.ts';
import { type Sent, sendAll } from './senders.ts';
import { EVENT_TYPE, PER_REQUEST, type TrafficPlan } from './traffic.ts';

/** `npm run soak`: a million events through the whole local stack in bad weather, and the proof that the books balance. */
function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

interface Options {
  readonly events: number;
  readonly minutes: number;
  readonly senders: number;
  readonly kills: number;
  readonly seed: number;
}

const options = new Command('npm run soak --')
  .description(
    'Sends events to the local stack while calls fail, functions and the whole stack are killed; ends with books that balance, or 1.',
  )
  .option(
    '-n, --events <count>',
    'how many different events; a twenty-fifth of them comes again',
    wholeNumber,
    1_000_000,
  )
  .option('--minutes <count>', 'sending ends after so many; the books are of what was sent', wholeNumber, 30)
  .option('--senders <count>', 'how many send at a time', wholeNumber, 4)
  .option('--kills <count>', 'how often the whole stack is killed by SIGKILL', wholeNumber, 5)
  .option('--seed <seed>', 'of the traffic and the weather', wholeNumber, 1)
  .addHelpText(
    'after',
    '\nExamples:\n  npm run soak\n  npm run soak -- -n 20000 --kills 1\n  npm run soak -- --seed 4711\n',
  )
  .parse()
  .opts<Options>();

const PROJECT = 'prj_soak';
const DAY_MILLIS = 86_400_000;
const SETTLE_MILLIS = 15 * 60_000;
/** Visibility timeouts run in real time: a message that was lost with its worker comes back after so many seconds. */
const VISIBILITY_SECONDS = 25;
const METERS = [
  { key: 'calls', aggregation: 'count' },
  { key: 'tokens', aggregation: 'sum', value: 'tokens' },
  { key: 'peak', aggregation: 'max', value: 'tokens' },
];
const started = performance.now();
const seconds = () => (performance.now() - started) / 1000;
const say = (text: string) => console.log(`${seconds().toFixed(1).padStart(7)} s  ${text}`);

/** Queues and the functions that read them, with less patience than on AWS. */
function hurried(cdkOut: string): string {
  return changedAssembly(cdkOut, (resources) => {
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type === 'AWS::SQS::Queue') Properties.VisibilityTimeout = VISIBILITY_SECONDS;
      if (Type !== 'AWS::Lambda::EventSourceMapping') continue;
      const source = resources[referred(Properties.EventSourceArn) ?? ''];
      const reader = resources[referred(Properties.FunctionName) ?? ''];
      if (source?.Type === 'AWS::SQS::Queue' && reader !== undefined) reader.Properties.Timeout = VISIBILITY_SECONDS;
    }
  });
}

/** Kills the whole stack at random moments, evenly spread over the sending, and starts it again in other weather. */
async function killNowAndThen(stack: KilledStack, share: () => number, random: Random): Promise<void> {
  for (let kill = 1; kill <= options.kills; kill++) {
    const at = (kill - 1 + 0.2 + 0.6 * random.next()) / options.kills;
    while (share() < at) await new Promise((resolve) => setTimeout(resolve, 200));
    if (share() >= 1) return;
    await stack.kill();
    await stack.start(random.below(1_000_000));
    await stack.order('storm');
  }
}

async function sendInBadWeather(stack: KilledStack, plan: TrafficPlan, key: string): Promise<Sent> {
  const bar = new cliProgress.SingleBar({
    format: '          {bar} {value}/{total} events, {duration_formatted}, the stack killed {kills} times',
    noTTYOutput: true,
    notTTYSchedule: 15_000,
  });
  bar.start(plan.events, 0, { kills: 0 });
  const end = performance.now() + options.minutes * 60_000;
  let requests = 0;
  let isOver = false;
  const share = () => (isOver ? 1 : Math.max((requests * PER_REQUEST) / plan.events, timeShare()));
  const timeShare = () => 1 - (end - performance.now()) / (options.minutes * 60_000);
  const killing = killNowAndThen(stack, share, new Random(plan.seed));
  const sent = await sendAll({
    plan,
    senders: options.senders,
    api: stack,
    key,
    isTimeUp: () => performance.now() > end,
    onSent: () => {
      requests += 1;
      bar.update(Math.min(plan.events, requests * PER_REQUEST), { kills: stack.kills });
    },
  });
  isOver = true;
  await killing;
  bar.stop();
  return sent;
}

/** Waits under clear skies until no message is left, parked ones replayed, and everything is in the views. */
async function settled(stack: KilledStack, client: ApiClient): Promise<number> {
  let replayed = 0;
  await stack.order('clear');
  for (const end = performance.now() + SETTLE_MILLIS; ; ) {
    const messages = await stack.order('queued');
    if (messages > 0 && performance.now() > end)
      throw new Error(`${messages} messages were left in the queues after ${SETTLE_MILLIS / 60_000} minutes.`);
    if (messages > 0) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      continue;
    }
    const more = await replayParked(client);
    replayed += more;
    // A sweep that did not come to its end has not failed: the next one goes on where it was.
    if (more === 0 && (await stack.order('sweep')) === 0) return replayed;
  }
}

function showBooks(sent: Sent, counts: Counts, plan: TrafficPlan): void {
  const number = (count: number) => String(count).padStart(10);
  const unique = Math.min(plan.events, sent.requests * PER_REQUEST);
  console.log(`
${number(unique)}  different events sent, in ${sent.requests} requests and ${sent.retries} retries
${number(counts.accepted)}  accepted by the log's receipts (answered for: ${sent.answered}, tried: ${sent.tried})
${number(counts.stored)}  stored
${number(counts.duplicates)}  duplicates
${number(counts.retimed)}  retimed duplicates
${number(counts.conflicts)}  conflicts
${number(counts.parked + counts.discarded)}  parked or discarded
${number(counts.rejected)}  rejected at the door, by receipts`);
}

async function soak(folder: string): Promise<readonly string[]> {
  say('synthesizing the CDK app');
  const { status, stderr, outdir } = runApp({ stage: 'dev' });
  if (status !== 0) throw new Error(`The app does not synthesize:\n${stderr}`);
  const copy = hurried(outdir);
  const cdkOut = join(folder, 'cdk.out');
  cpSync(copy, cdkOut, { recursive: true });
  for (const made of [outdir, `${outdir}-changed`]) rmSync(made, { recursive: true, force: true });
  const stack = new KilledStack({ cdkOut, stateDir: folder });
  process.once('SIGINT', () => void stack.kill().finally(() => process.exit(1)));
  try {
    say('starting the local stack');
    await stack.start(options.seed);
    const key = await newKey(join(folder, 'outputs.json'), PROJECT);
    const client = new ApiClient({ url: stack.apiUrl, key });
    for (const meter of METERS)
      await client.post('/v1/meters', { ...meter, event_type: EVENT_TYPE, dimensions: ['region'] });
    await stack.order('storm');
    const toMillis = Date.now();
    const plan = { seed: options.seed, events: options.events, fromMillis: toMillis - DAY_MILLIS, toMillis };
    say(`sending ${plan.events} events of one day, ${options.senders} senders`);
    const begun = seconds();
    const sent = await sendInBadWeather(stack, plan, key);
    say(`sent; ${Math.round(sent.answered / (seconds() - begun))} events a second; waiting until the queues are empty`);
    const replayed = await settled(stack, client);
    say(`counted; ${replayed} parked messages were replayed; reading the books`);
    const { total, differences } = await auditHours(client, plan.fromMillis, Date.now());
    const wrong = await usageDifferences(client, plan, sent.requests);
    showBooks(sent, total, plan);
    const happened = Object.entries(stack.happened()).map(([what, times]) => `${what} ${times}`);
    console.log(`\nWeather: the stack killed ${stack.kills} times, ${happened.join(', ')}.`);
    return [...bookDifferences(sent, total, plan), ...differences, ...wrong];
  } finally {
    await stack.kill();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'soak-'));
try {
  const differences = await soak(folder);
  for (const difference of differences.slice(0, 50)) console.log(`DIFFERENCE  ${difference}`);
  const verdict = differences.length === 0 ? 'The books balance to the event' : `${differences.length} differences`;
  console.log(
    `${verdict}; usage equals an independent recount: ${differences.length === 0 ? 'yes' : 'see above'}. ${seconds().toFixed(0)} s.`,
  );
  process.exitCode = differences.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
