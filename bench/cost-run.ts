import { meterStore } from '../adapters/dynamodb/meters.ts';
import { usageLog } from '../adapters/dynamodb/usage-log.ts';
import { usageViews } from '../adapters/dynamodb/usage-views.ts';
import { acceptEvents } from '../core/usage/accept-events.ts';
import { appendUsage } from '../core/usage/append-usage.ts';
import type { StoredChunk } from '../core/usage/chunk.ts';
import type { PartitionHeader } from '../core/usage/log-partition.ts';
import { foldOnHints, sweepUsage } from '../core/usage/sweep-usage.ts';
import { usageRecorded } from '../core/usage/usage-recorded.ts';
import { type Arrival, arrivals } from './arrivals.ts';
import { type Batch, Batches } from './batches.ts';
import { type BillLine, gbMonths, type Invocation, queueUnits } from './cost-meter.ts';
import { CostWorld, MEMORY_MB } from './cost-world.ts';
import { writeEarlierViews } from './earlier-views.ts';
import { NOW_MILLIS } from './ingest-fixture.ts';
import { TABLES } from './memory-tables.ts';
import { deleteUnits, receiveUnits } from './queue-receives.ts';
import { METERS, PROJECT, randomOf, type Spread } from './workload.ts';

/** One stretch of traffic at one rate and request size, from the door to the views, and its bill per million events. */
export interface CostRun {
  readonly eventsPerSecond: number;
  readonly eventsPerRequest: number;
  readonly ids: 'carried' | 'foreign';
  readonly customers: Spread;
  readonly seconds: number;
  readonly appendWindowSeconds: number;
  /** As much of the same traffic before it, which nobody bills. The billed part then ends at noon; else it begins there. */
  readonly behindSeconds?: number;
  /** What one request costs the bundled handler, measured by itself. */
  readonly handler: Pick<Invocation, 'cpuMillis' | 'waits'>;
}

export interface CostResult {
  readonly usd: number;
  readonly lines: readonly BillLine[];
  readonly events: number;
  readonly chunks: number;
  readonly bytesPerEvent: number;
}

const LANES = 4;
const MAX_MESSAGES = 5_000;
const MINUTE = 60_000;
const POLICY = { flushEvents: 5_000, maxViewAgeMillis: 900_000 };
/** Log and claims live for the horizon of 35 days and 45 more; views have no end, and are counted for 13 months. */
const LOG_DAYS = 80;
const VIEW_DAYS = 396;
const CUSTOMER_DAYS_A_SECOND = 1 / 86_400;
/** One metric line of a sweep, as CloudWatch takes it in. At the level of production nothing else is logged. */
const SWEEP_LOG_BYTES = 400;
const STREAM_PAYLOAD_BYTES = 6_000_000;

class Run {
  readonly world: CostWorld;
  readonly startMillis: number;
  readonly input: CostRun;
  readonly random = randomOf(4711);
  readonly #folder;
  readonly #appenders;
  readonly #batches: Batches;
  readonly #headers = new Map<string, PartitionHeader>();
  readonly #announced = new Map<string, { total: number; chunks: { sequence: number; bytes: number }[] }>();
  sent = 0;
  folded = 0;
  chunks = 0;
  #messages = 0;
  #messageBytes = 0;
  #nextMinute: number;
  #bytesBehind = { log: 0, claims: 0 };

  constructor(input: CostRun) {
    this.input = input;
    const { behindSeconds, seconds } = input;
    const begin = behindSeconds === undefined ? NOW_MILLIS : NOW_MILLIS - (behindSeconds + seconds) * 1000;
    // On a full minute, as the sweep runs.
    this.startMillis = Math.floor(begin / MINUTE) * MINUTE;
    this.world = new CostWorld(this.startMillis);
    this.#folder = this.world.folder();
    this.#appenders = Array.from({ length: LANES }, () => this.world.appender());
    this.#nextMinute = this.startMillis + MINUTE;
    const windowMillis = input.appendWindowSeconds * 1000;
    this.#batches = new Batches({ lanes: LANES, windowMillis, maxMessages: MAX_MESSAGES }, this.random);
    this.world.tables.database.onPut = (table, item) => {
      if (table !== TABLES.log) return;
      this.chunks += 1;
      const partition = String(item.pk?.S).split('#')[1] ?? '';
      const entry = this.#announced.get(partition) ?? { total: 0, chunks: [] };
      const bytes = (item.e?.B?.length ?? 0) + (item.f?.B?.length ?? 0) + (item.d?.B?.length ?? 0);
      entry.chunks.push({ sequence: Number(item.sk?.N), bytes });
      this.#announced.set(partition, { ...entry, total: Number(item.t?.N) });
    };
  }

  async prepare(): Promise<void> {
    await meterStore(this.world.client, TABLES.billing).write(PROJECT, METERS);
    const views = usageViews(this.world.client, TABLES.views);
    await writeEarlierViews(views, { ...this.input, untilMillis: this.startMillis }, this.random);
  }

  async arrive({ atMillis, events }: Arrival): Promise<void> {
    await this.passTo(atMillis);
    const body = JSON.stringify(events);
    this.world.request(Buffer.byteLength(body));
    const bodies: string[] = [];
    const queue = { send: async (some: readonly string[]) => void bodies.push(...some) };
    const batchId = `00000000-0000-4000-8000-${Math.floor(this.random() * 1e12)
      .toString(16)
      .padStart(12, '0')}`;
    const accept = { claims: this.world.claims(), queue, clock: this.world.clock, headers: this.#headers };
    const input = { project: PROJECT, events, batchId, meters: METERS, openBackfills: new Set<string>() };
    const { accepted } = await this.#ingest(() => acceptEvents(input, accept));
    if (accepted !== events.length) throw new Error(`The bench's own events were refused: ${events.length - accepted}`);
    this.sent += accepted;
    const bytes = bodies.reduce((sum, message) => sum + Buffer.byteLength(message), 0);
    this.world.meter.add('queue (SQS)', 'sqs', queueUnits(bytes));
    for (const message of bodies) {
      this.#messages += 1;
      this.#messageBytes += Buffer.byteLength(message);
      const full = this.#batches.add({ messageId: String(this.#messages), body: message }, this.world.millis);
      for (const batch of full) await this.#append(batch);
    }
  }

  /** Ingest is counted with the bundled handler's own CPU; what claims cost on top is seen here. */
  async #ingest<T>(work: () => Promise<T>): Promise<T> {
    const waits = this.world.endpoint.waits;
    const result = await this.world.counted('post-events', work);
    const { cpuMillis, waits: own } = this.input.handler;
    const more = this.world.endpoint.waits - waits;
    const memoryMb = MEMORY_MB['post-events'];
    this.world.meter.addInvocation('post-events (Lambda)', { memoryMb, cpuMillis, waits: own + more });
    return result;
  }

  /** Lets time pass: windows end, the stream's hints arrive and the sweep runs at every full minute. */
  async passTo(millis: number): Promise<void> {
    while (this.#nextMinute <= millis) {
      await this.#appendDue(this.#nextMinute);
      this.world.millis = this.#nextMinute;
      await this.#minute();
      this.#nextMinute += MINUTE;
    }
    await this.#appendDue(millis);
    this.world.millis = millis;
  }

  async #appendDue(millis: number): Promise<void> {
    for (const batch of this.#batches.due(millis)) await this.#append(batch);
  }

  async #append({ lane, atMillis, messages }: Batch): Promise<void> {
    this.world.millis = Math.max(this.world.millis, atMillis);
    const appender = this.#appenders[lane];
    if (appender === undefined) throw new Error('no such lane');
    const { failed } = await this.world.invoke('append-usage', () => appendUsage(messages, appender));
    if (failed.length > 0) throw failed[0]?.error;
    this.world.meter.add('queue (SQS)', 'sqs', deleteUnits(messages.length));
  }

  async #minute(): Promise<void> {
    const announced = [...this.#announced];
    this.#announced.clear();
    if (announced.length > 0) {
      const hints = announced.map(([partition, { total }]) => ({ place: { project: PROJECT, partition }, total }));
      await this.world.invoke('fold-usage', async () => {
        const { foldedEvents, failed } = await foldOnHints(hints, POLICY, this.#folder);
        for (const { error } of failed) throw error;
        this.folded += foldedEvents;
      });
      this.#furtherStreamInvocations(announced.flatMap(([, { chunks }]) => chunks));
      for (const [partition, { chunks }] of announced) await this.#publish(partition, chunks[0]?.sequence ?? 1);
    }
    await this.world.invoke('sweep-usage', async () => {
      const swept = await sweepUsage({ project: PROJECT, scope: 'recent', policy: POLICY }, this.#folder);
      this.folded += swept.foldedEvents;
    });
    this.world.meter.add('sweep-usage (Lambda)', 'scheduler', 1);
    this.world.meter.add('sweep-usage (Lambda)', 'log_gb', SWEEP_LOG_BYTES / 1e9);
    // The directory of projects, which the handler reads first: one page.
    this.world.meter.add('views and cursors', 'dynamodb_reads', 1);
  }

  /** A stream's records come with the whole chunk, so that many large ones are several invocations. */
  #furtherStreamInvocations(chunks: readonly { bytes: number }[]): void {
    const bytes = chunks.reduce((sum, chunk) => sum + (chunk.bytes * 4) / 3, 0);
    const further = Math.ceil(bytes / STREAM_PAYLOAD_BYTES) - 1;
    for (const [line, actor] of STREAM_LINES) {
      for (let i = 0; i < further; i++)
        this.world.meter.addInvocation(line, { memoryMb: MEMORY_MB[actor], cpuMillis: 0, waits: 1 });
    }
  }

  async #publish(partition: string, from: number): Promise<void> {
    const place = { project: PROJECT, partition };
    const chunks: StoredChunk[] = [];
    for await (const page of usageLog(this.world.client, TABLES.log).readChunks(place, from - 1)) chunks.push(...page);
    await this.world.invoke('publish-usage', async () => {
      for (const chunk of chunks)
        if (usageRecorded(place, chunk) !== null) this.world.meter.add('UsageRecorded (EventBridge)', 'eventbridge', 1);
    });
    const memoryMb = MEMORY_MB['publish-usage'];
    const calls = Math.ceil(chunks.length / 10);
    this.world.meter.add('publish-usage (Lambda)', 'lambda_gb_seconds', (calls * 6 * memoryMb) / 1024 / 1000);
  }

  /** From here on it is billed: what was before stays, unpaid. */
  beginBill(): void {
    this.world.meter.clear();
    this.sent = 0;
    this.folded = 0;
    this.chunks = 0;
    this.#messages = 0;
    this.#messageBytes = 0;
    this.#bytesBehind = this.#storedBytes();
  }

  #storedBytes() {
    const { tables } = this.world;
    return { log: tables.storedBytes(TABLES.log), claims: tables.storedBytes(TABLES.claims) };
  }

  result(seconds: number): CostResult {
    const { meter, tables } = this.world;
    const averageBytes = this.#messageBytes / this.#messages;
    meter.add('queue (SQS)', 'sqs', receiveUnits({ messages: this.#messages, seconds, averageBytes }));
    const stored = this.#storedBytes();
    const logBytes = stored.log - this.#bytesBehind.log;
    const viewBytes = 2 * tables.storedBytes(TABLES.views) * seconds * CUSTOMER_DAYS_A_SECOND;
    for (const [line, bytes, days] of [
      ['log (kept, with point-in-time recovery)', logBytes, LOG_DAYS],
      ['claims and headers', stored.claims - this.#bytesBehind.claims, LOG_DAYS],
      ['views (kept, with point-in-time recovery)', viewBytes, VIEW_DAYS],
    ] as const) {
      meter.add(line, 'dynamodb_gb_months', gbMonths(bytes, days));
      meter.add(line, 'pitr_gb_months', gbMonths(bytes, days));
    }
    const folding = new Set(['views and cursors', 'log and meters read by folding', 'fold-usage (Lambda)']);
    const lines = meter.bill((line) => (folding.has(line) ? Math.max(this.folded, 1) : this.sent));
    const usd = lines.reduce((sum, line) => sum + line.usd, 0);
    return { usd, lines, events: this.sent, chunks: this.chunks, bytesPerEvent: logBytes / this.sent };
  }
}

const STREAM_LINES = [
  ['fold-usage (Lambda)', 'fold-usage'],
  ['publish-usage (Lambda)', 'publish-usage'],
] as const;

/** Runs the traffic and bills it; `look` may then look around in what it left behind, at nobody's expense. */
export async function costRun(input: CostRun, look?: (world: CostWorld) => Promise<void>): Promise<CostResult> {
  const run = new Run(input);
  const { random } = run;
  await run.prepare();
  const { behindSeconds = 0 } = input;
  const behind = { ...input, startMillis: run.startMillis, seconds: behindSeconds, random };
  if (behindSeconds > 0) for (const arrival of arrivals(behind)) await run.arrive(arrival);
  const startMillis = run.startMillis + behindSeconds * 1000;
  await run.passTo(startMillis);
  run.beginBill();
  for (const arrival of arrivals({ ...input, startMillis, random })) await run.arrive(arrival);
  const end = Math.max(startMillis + input.seconds * 1000, run.world.millis);
  const settled = Math.ceil((end + input.appendWindowSeconds * 1000 - startMillis) / MINUTE) * MINUTE + startMillis;
  await run.passTo(settled);
  const result = run.result((settled - startMillis) / 1000);
  await look?.(run.world);
  return result;
}
