import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { inject } from 'vitest';
import { ApiClient } from '../../cli/api-client.ts';
import { localDeployment } from '../../local/local-deployment.ts';
import { type LocalStack, startStack } from '../../local/stack.ts';
import { type StripeDouble, startStripeDouble } from '../../local/stripe/stripe-double.ts';
import {
  type Answer,
  billThrough,
  eventually,
  type Invoice,
  invoicesOf,
  NotYet,
  type Run,
  rawCall,
  type Usage,
} from './scenario-api.ts';
import { newKey } from './scenario-cli.ts';
import { setClock } from './scenario-clock.ts';

/**
 * The whole product on local parts for one business story: the synthesized app behind HTTP with IAM on, a Stripe double that
 * calls its webhooks, one project with a key, and the clock. Everything a story does goes over HTTP or the operator's
 * commands; the stack's inside is for looking and for making trouble.
 */
export interface ScenarioOptions {
  /** The shared assembly unless a test changed a copy of it. */
  readonly cdkOut?: string;
  /** RFC 3339; where the clock stands at the start. */
  readonly now: string;
}

export const STRIPE_KEY = 'rk_test_scenario';
export const SIGNING_SECRET = 'whsec_scenario';
export const PROJECT = 'prj_story';
const QUARTER_MILLIS = 900_000;
const DAY_MILLIS = 86_400_000;

export class Scenario {
  stack: LocalStack;
  stripe: StripeDouble;
  readonly folder: string;
  /** What the stack complained about: refused permissions, records given up. */
  readonly problems: string[];
  key = '';
  readonly #cdkOut: string;

  private constructor(started: {
    stack: LocalStack;
    stripe: StripeDouble;
    folder: string;
    cdkOut: string;
    problems: string[];
  }) {
    this.stack = started.stack;
    this.stripe = started.stripe;
    this.folder = started.folder;
    this.problems = started.problems;
    this.#cdkOut = started.cdkOut;
  }

  static async start({ cdkOut = inject('cdkOut'), now }: ScenarioOptions): Promise<Scenario> {
    const folder = mkdtempSync(join(tmpdir(), 'scenario-'));
    setClock(folder, now);
    const problems: string[] = [];
    const { stack, stripe } = await startAll(cdkOut, folder, (problem) => problems.push(problem));
    const scenario = new Scenario({ stack, stripe, folder, cdkOut, problems });
    scenario.#wire();
    scenario.key = await newKey(scenario.outputs, PROJECT);
    return scenario;
  }

  /** Stops everything and starts it again on the same state; the double keeps its own. */
  async restart(): Promise<void> {
    await this.#close();
    const { stack, stripe } = await startAll(this.#cdkOut, this.folder, (problem) => this.problems.push(problem));
    this.stack = stack;
    this.stripe = stripe;
    this.#wire();
  }

  async stop(): Promise<void> {
    await this.#close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    await this.stripe.close();
    await this.stack.stop();
  }

  #wire(): void {
    this.stripe.setWebhook({ url: this.webhookUrl, secrets: [SIGNING_SECRET] });
    this.putStripeSecret([SIGNING_SECRET]);
    writeFileSync(this.outputs, JSON.stringify({ local: localDeployment(this.stack) }));
  }

  putStripeSecret(signing: readonly string[]): void {
    const secret = { api_key: STRIPE_KEY, signing_secrets: signing, livemode: false, api_base: this.stripe.url };
    const prefix = this.stack.lambda.find('push-invoices').environment.STRIPE_SECRET_PREFIX ?? '';
    this.stack.parts.secrets.put(`${prefix}${PROJECT}`, JSON.stringify(secret));
  }

  /** The outputs of the deployment, for the operator's commands. */
  get outputs(): string {
    return join(this.folder, 'outputs.json');
  }

  get webhookUrl(): string {
    return `${this.stack.apiUrl}/webhooks/stripe/${PROJECT}`;
  }

  get client(): ApiClient {
    return new ApiClient({ url: this.stack.apiUrl, key: this.key });
  }

  /** One request, answered as it is: no patience, no second try. */
  call(method: string, path: string, body?: unknown, key: string | null = this.key): Promise<Answer> {
    return rawCall(this.stack.apiUrl + path, { method, body, key });
  }

  /** Moves the clock to an instant. */
  at(instant: string): void {
    this.stack.clock.set(Date.parse(instant));
  }

  /**
   * Moves the clock to an instant with a stop right after the last daily billing trigger on the way, until the run it started is over. A
   * trigger that is passed fires where the clock then stands, so without the stop it would bill, beside whatever the story does
   * next, all that closed in between.
   */
  async pastTriggers(instant: string): Promise<void> {
    const trigger = Date.parse(`${instant.slice(0, 11)}01:00:01Z`);
    const last = trigger <= Date.parse(instant) ? trigger : trigger - DAY_MILLIS;
    // A run that is still at work would be out of time after a jump of days.
    await this.#scheduledRunsEnded();
    if (last > this.stack.clock.now()) {
      this.stack.clock.set(last);
      await this.#scheduledRunsEnded();
    }
    this.at(instant);
  }

  /** Waits until what the schedules started has ended; what the workflow waits for on its clock comes at once. */
  async #scheduledRunsEnded(): Promise<void> {
    const { scheduler } = this.stack.parts;
    // Timers fire in a turn of their own after the clock was moved.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await scheduler.settled();
    await eventually('the end of scheduled billing runs', async () => {
      const { data } = (await this.client.get('/v1/billing-runs?limit=100')) as { data: Run[] };
      const open = data.filter(({ status }) => status === 'running');
      if (open.length === 0) return true;
      this.stack.clock.advance(1_000);
      return new NotYet(open.map(({ id }) => id));
    });
  }

  /** Sends events and expects every one to be accepted. */
  async send(events: readonly object[]): Promise<void> {
    const { status, body } = await this.client.send('POST', '/v1/events', events);
    if (status !== 202 || (body as { accepted: number }).accepted !== events.length)
      throw new Error(`POST /v1/events answered ${status}: ${JSON.stringify(body)}`);
  }

  /** Waits until the usage queue is empty: what was accepted is in the log. */
  appended(): Promise<void> {
    return this.emptied(this.stack.lambda.find('post-events').environment.USAGE_QUEUE_URL ?? '');
  }

  /** Waits until a queue has no message, waiting or in work. */
  async emptied(QueueUrl: string): Promise<void> {
    const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] });
    await eventually(`an empty ${QueueUrl}`, async () => {
      const { Attributes } = await this.stack.parts.sqs.send(command);
      return AttributeNames.every((name) => Attributes?.[name] === '0') || new NotYet(Attributes);
    });
  }

  /** Rows of GET /v1/usage. */
  async usage(query: Record<string, string>): Promise<readonly Usage[]> {
    const { data } = (await this.client.get(`/v1/usage?${new URLSearchParams(query)}`)) as { data: Usage[] };
    return data;
  }

  /** Usage once it is as expected; the clock goes on by quarters of an hour, so that the sweep folds what no hint did. */
  async usageBecomes(query: Record<string, string>, quantities: Readonly<Record<string, string>>): Promise<void> {
    await this.appended();
    let rounds = 0;
    await eventually(`usage ${JSON.stringify(quantities)}`, async () => {
      const rows = await this.usage(query);
      const seen = Object.fromEntries(
        rows.map((row) => [
          [row.meter, ...Object.values(row.dimensions)].filter((part) => part !== '').join('/'),
          row.quantity,
        ]),
      );
      if (JSON.stringify(sorted(seen)) === JSON.stringify(sorted(quantities))) return true;
      if (++rounds % 10 === 0) this.stack.clock.advance(QUARTER_MILLIS);
      return new NotYet(seen);
    });
  }

  /** Runs the monthly workflow through a period and waits for its end; retries of the workflow do not wait in real time. */
  bill(through?: string): Promise<Run> {
    return billThrough({ url: this.stack.apiUrl, key: this.key }, through, () => this.stack.clock.advance(1_000));
  }

  /** Invoices with their lines, by customer and period. */
  invoices(): Promise<readonly Invoice[]> {
    return invoicesOf(this.client);
  }

  /** Invoices once all have a status. */
  async invoicesWhen(status: string): Promise<readonly Invoice[]> {
    return eventually(`all invoices ${status}`, async () => {
      const invoices = await this.invoices();
      return invoices.length > 0 && invoices.every((invoice) => invoice.status === status)
        ? invoices
        : new NotYet(invoices.map((invoice) => invoice.status));
    });
  }
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function startAll(cdkOut: string, folder: string, onProblem: (problem: string) => void) {
  const stack = await startStack({ cdkOut, stateDir: folder, onProblem });
  const stripe = await startStripeDouble({
    stateFile: join(folder, 'stripe.ndjson'),
    now: () => stack.clock.now(),
    apiKey: STRIPE_KEY,
  });
  return { stack, stripe };
}
