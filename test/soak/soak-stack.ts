/**
 * The local stack in a process of its own, so that the soak can kill it whole: `node soak-stack.ts <SoakStackConfig as JSON>`.
 * Tells its address when it stands and, every second, what the weather has done; answers orders.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { localDeployment } from '../../local/local-deployment.ts';
import { startStack } from '../../local/stack.ts';
import { type Happened, startWeather, type Weather } from './weather.ts';

export interface SoakStackConfig {
  readonly cdkOut: string;
  readonly stateDir: string;
  /** 0 for any free port. */
  readonly apiPort: number;
  readonly weatherSeed: number;
}

export type Order = 'storm' | 'clear' | 'sweep' | 'queued';

export type Told =
  | { readonly kind: 'standing'; readonly apiUrl: string }
  | { readonly kind: 'weather'; readonly happened: Happened }
  /** What is left to do: messages in queues, or 1 for a sweep that did not come to its end. */
  | { readonly kind: 'done'; readonly left: number };

const config = JSON.parse(process.argv[2] ?? '{}') as SoakStackConfig;
const stack = await startStack({ ...config, ports: { api: config.apiPort } });
writeFileSync(join(config.stateDir, 'outputs.json'), JSON.stringify({ local: localDeployment(stack) }));
const tell = (told: Told) => process.send?.(told);
let weather: Weather | undefined;
setInterval(() => tell({ kind: 'weather', happened: weather?.happened() ?? {} }), 1_000).unref();
tell({ kind: 'standing', apiUrl: stack.apiUrl });

process.on('message', async (order: Order) => tell({ kind: 'done', left: await obeyed(order) }));
process.on('disconnect', () => process.exit(1));

async function obeyed(order: Order): Promise<number> {
  if (order === 'queued') return queued();
  if (order === 'storm') weather = startWeather(stack, config.weatherSeed);
  if (order === 'clear') weather?.end();
  if (order === 'storm' || order === 'clear') return 0;
  return stack.invoke('sweep-usage', { scope: 'daily' }).then(
    () => 0,
    () => 1,
  );
}

async function queued(): Promise<number> {
  let messages = 0;
  const { USAGE_QUEUE_URL, USAGE_DEAD_LETTERS_URL } = stack.lambda.find('settle-usage').environment;
  for (const QueueUrl of [USAGE_QUEUE_URL, USAGE_DEAD_LETTERS_URL]) {
    const { Attributes } = await stack.parts.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    messages += Number(Attributes?.ApproximateNumberOfMessages ?? 0);
    messages += Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0);
    messages += Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0);
  }
  return messages;
}
