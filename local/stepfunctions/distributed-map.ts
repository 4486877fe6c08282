/**
 * The Distributed Map: reads a JSON array from S3, shapes items, packs batches, runs a child execution per batch, counts
 * failed items against what is tolerated.
 */
import { randomUUID } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../template/json.ts';
import { AslError, limitPayload, toAslError } from './asl-error.ts';
import type { MachineRun } from './machine-ports.ts';
import { contextObject, fillTemplate } from './run-context.ts';

/** 0 or none means up to 10,000 children on AWS; a laptop has few cores. */
const DEFAULT_CONCURRENCY = 10;
/** A batch also ends before its input passes Step Functions' limit, in bytes; some room for the braces. */
const MAX_BATCH_BYTES = 262_144 - 1_024;

interface Child {
  readonly input: Json;
  readonly items: number;
}

export interface MapWork {
  readonly name: string;
  /** The Map state, context paths renamed. */
  readonly state: JsonObject;
  readonly input: Json;
  readonly run: MachineRun;
  readonly runChild: (run: MachineRun) => Promise<Json>;
}

/**
 * @returns the children's outputs in the order of the batches; for a failed child its Error and Cause
 * @throws AslError States.ItemReaderFailed, States.ExceedToleratedFailureThreshold
 */
export async function runDistributedMap(work: MapWork): Promise<Json> {
  const { name, state, input, run } = work;
  const items = await readItems(state, input, run);
  const selected = await selectItems(state, items, input, run);
  const children = await packBatches(state, selected, input, run);
  const tolerance = new Tolerance(state, items.length);
  const results: Json[] = new Array<Json>(children.length).fill(null);
  const concurrency =
    typeof state.MaxConcurrency === 'number' && state.MaxConcurrency > 0 ? state.MaxConcurrency : DEFAULT_CONCURRENCY;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < children.length && !tolerance.isExceeded) {
      const index = next++;
      const child = children[index];
      if (child === undefined) return;
      results[index] = await runBatch(child, work).catch((error: unknown) => {
        run.signal.throwIfAborted();
        tolerance.fail(child.items);
        const failure = toAslError(error);
        return { Error: failure.name, Cause: failure.message };
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, children.length) }, worker));
  if (tolerance.isExceeded) {
    throw new AslError(
      'States.ExceedToleratedFailureThreshold',
      'The specified tolerated failure threshold was exceeded',
    );
  }
  limitPayload(`The result of ${name}`, results);
  return results;
}

async function readItems(state: JsonObject, input: Json, run: MachineRun): Promise<readonly Json[]> {
  const reader = isObject(state.ItemReader) ? state.ItemReader : {};
  const where = await fillTemplate(reader.Parameters ?? {}, input, contextObject(run.context, run.input));
  const { Bucket, Key } = isObject(where) ? where : {};
  const config = isObject(reader.ReaderConfig) ? reader.ReaderConfig : {};
  try {
    const items = JSON.parse(await run.ports.readObject(String(Bucket), String(Key))) as Json;
    if (!Array.isArray(items)) throw new Error(`s3://${String(Bucket)}/${String(Key)} is not a JSON array`);
    return typeof config.MaxItems === 'number' ? items.slice(0, config.MaxItems) : items;
  } catch (error) {
    throw new AslError('States.ItemReaderFailed', error instanceof Error ? error.message : String(error));
  }
}

async function selectItems(
  state: JsonObject,
  items: readonly Json[],
  input: Json,
  run: MachineRun,
): Promise<readonly Json[]> {
  const template = state.ItemSelector;
  if (template === undefined) return items;
  const selected: Json[] = [];
  for (const [Index, Value] of items.entries()) {
    const context = contextObject(run.context, run.input, { Map: { Item: { Index, Value } } });
    selected.push(await fillTemplate(template, input, context));
  }
  return selected;
}

async function packBatches(
  state: JsonObject,
  items: readonly Json[],
  input: Json,
  run: MachineRun,
): Promise<readonly Child[]> {
  const batcher = state.ItemBatcher;
  if (!isObject(batcher)) return items.map((item) => ({ input: item, items: 1 }));
  const shared =
    batcher.BatchInput === undefined
      ? {}
      : { BatchInput: await fillTemplate(batcher.BatchInput, input, contextObject(run.context, run.input)) };
  const most = typeof batcher.MaxItemsPerBatch === 'number' ? batcher.MaxItemsPerBatch : items.length;
  const children: Child[] = [];
  let batch: Json[] = [];
  let bytes = Buffer.byteLength(JSON.stringify(shared));
  const emptyBytes = bytes;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (batch.length > 0 && (batch.length >= most || bytes + size > MAX_BATCH_BYTES)) {
      children.push({ input: { ...shared, Items: batch }, items: batch.length });
      batch = [];
      bytes = emptyBytes;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) children.push({ input: { ...shared, Items: batch }, items: batch.length });
  return children;
}

async function runBatch(child: Child, { name, state, run, runChild }: MapWork): Promise<Json> {
  const { context, ports, signal } = run;
  const refusal = await ports.refusal('states:StartExecution', context.machineArn);
  if (refusal !== undefined) throw new AslError('States.Runtime', refusal);
  limitPayload('The input of a child execution', child.input);
  const executionName = randomUUID();
  const label = typeof state.Label === 'string' ? state.Label : name;
  return runChild({
    definition: isObject(state.ItemProcessor) ? state.ItemProcessor : {},
    input: child.input,
    context: {
      ...context,
      executionName,
      executionArn: `${context.machineArn.replace(':stateMachine:', ':execution:')}/${label}:${executionName}`,
      startTime: new Date(ports.clock.now()).toISOString(),
    },
    ports,
    signal,
  });
}

/** Failed items against ToleratedFailureCount and ToleratedFailurePercentage; without either, none is tolerated. */
class Tolerance {
  readonly #most: number;
  #failed = 0;

  constructor(state: JsonObject, total: number) {
    const count = typeof state.ToleratedFailureCount === 'number' ? state.ToleratedFailureCount : undefined;
    const percentage =
      typeof state.ToleratedFailurePercentage === 'number' ? state.ToleratedFailurePercentage : undefined;
    const limits = [count, percentage === undefined ? undefined : (total * percentage) / 100].filter(
      (limit) => limit !== undefined,
    );
    this.#most = limits.length === 0 ? 0 : Math.min(...limits);
  }

  fail(items: number): void {
    this.#failed += items;
  }

  get isExceeded(): boolean {
    return this.#failed > this.#most;
  }
}
