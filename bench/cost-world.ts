import { meterStore } from '../adapters/dynamodb/meters.ts';
import { parkingLot } from '../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../adapters/dynamodb/usage-views.ts';
import { instantFromMillis } from '../core/time/instant.ts';
import { PartitionCache } from '../core/usage/partition-state.ts';
import { dynamoClient } from '../lambdas/shared/wire/clients.ts';
import { capacityOf } from '../local/gateway/capacity.ts';
import { CostMeter, httpApiUnits } from './cost-meter.ts';
import { cpuMicros, InProcessEndpoint, type WireAnswer, type WireCall } from './in-process-endpoint.ts';
import { MemoryTables, TABLES } from './memory-tables.ts';

/** Memory of each function in MB, as the stack declares it; test/bench holds them together. */
export const MEMORY_MB = {
  'post-events': 512,
  'append-usage': 1769,
  'fold-usage': 1024,
  'sweep-usage': 1024,
  'publish-usage': 512,
} as const;
/** A function, or the reading side, whose calls are counted and not billed. */
export type Actor = keyof typeof MEMORY_MB | 'reader';

/**
 * The real core and the real adapters over tables in memory, on a clock that the bench moves. Every call an actor makes is
 * counted at the SDK's boundary and put on the actor's line of the bill.
 */
export class CostWorld {
  readonly meter = new CostMeter();
  readonly tables = new MemoryTables();
  readonly endpoint = new InProcessEndpoint((call) => this.#answer(call));
  readonly client = dynamoClient(this.endpoint.clientOptions);
  millis: number;
  #actor: Actor | null = null;

  constructor(millis: number) {
    this.millis = millis;
  }

  readonly clock = { now: () => instantFromMillis(this.millis) };

  /** Runs one invocation of a function and puts what it used on its lines. */
  async invoke<T>(actor: keyof typeof MEMORY_MB, work: () => Promise<T>): Promise<T> {
    const before = { cpu: cpuMicros(), answering: this.endpoint.answeringMicros, waits: this.endpoint.waits };
    const result = await this.counted(actor, work);
    const answering = this.endpoint.answeringMicros - before.answering;
    this.meter.addInvocation(`${actor} (Lambda)`, {
      memoryMb: MEMORY_MB[actor],
      cpuMillis: Math.max(0, cpuMicros() - before.cpu - answering) / 1000,
      waits: this.endpoint.waits - before.waits,
    });
    return result;
  }

  /** Runs work whose calls are an actor's, without an invocation of its own. */
  async counted<T>(actor: Actor, work: () => Promise<T>): Promise<T> {
    this.#actor = actor;
    try {
      return await work();
    } finally {
      this.#actor = null;
    }
  }

  request(bodyBytes: number): void {
    this.meter.add('front door (HTTP API)', 'http_api', httpApiUnits(bodyBytes));
  }

  claims() {
    return usageClaims(this.client, TABLES.claims);
  }

  /** One writer of the log, with a memory of its own. */
  appender() {
    return {
      log: usageLog(this.client, TABLES.log),
      registry: usageRegistry(this.client, TABLES.views),
      parking: parkingLot(this.client, TABLES.views),
      clock: this.clock,
      cache: new PartitionCache(),
      registered: new Set<string>(),
      pause: async () => undefined,
    };
  }

  folder() {
    return {
      log: usageLog(this.client, TABLES.log),
      views: usageViews(this.client, TABLES.views),
      registry: usageRegistry(this.client, TABLES.views),
      parking: parkingLot(this.client, TABLES.views),
      meters: meterStore(this.client, TABLES.billing),
      clock: this.clock,
      seen: new Set<string>(),
    };
  }

  async #answer(call: WireCall): Promise<WireAnswer> {
    const answer = await this.tables.answer(call);
    if (this.#actor === null) return answer;
    const input = JSON.parse(call.body) as Record<string, unknown>;
    const units = capacityOf(call.operation, input, { status: answer.status, text: answer.body });
    const line = lineOf(this.#actor, tableOf(input));
    if (units.writeUnits > 0) this.meter.add(line, 'dynamodb_writes', units.writeUnits);
    if (units.readUnits > 0) this.meter.add(line, 'dynamodb_reads', units.readUnits);
    return answer;
  }
}

export const READER_LINE = 'reading';

function tableOf(input: Record<string, unknown>): string {
  const transaction = (input.TransactItems as { Put?: { TableName?: string } }[] | undefined)?.[0]?.Put?.TableName;
  return String(input.TableName ?? transaction);
}

function lineOf(actor: Actor, table: string): string {
  if (actor === 'reader') return READER_LINE;
  if (actor === 'post-events') return 'claims and headers';
  if (actor === 'append-usage') return table === TABLES.log ? 'log (writes, and reads before them)' : 'registry';
  return table === TABLES.views ? 'views and cursors' : 'log and meters read by folding';
}
