import { createHash } from 'node:crypto';
import type { Aggregation, MeterRevision } from '../catalog/meter.ts';
import type { MeterStore } from '../catalog/ports.ts';
import type { ProjectId } from '../ids.ts';
import { Decimal } from '../money/decimal.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, microsOf, millisOf } from '../time/instant.ts';
import type { LoggedEvent, StoredChunk } from './chunk.ts';
import { isConsumedMeter } from './consumed-meter.ts';
import { foldEvents } from './fold.ts';
import { dayKey, dayStartMillis, type LogPartition, partitionBornEnd } from './log-partition.ts';
import { readRevisions } from './meter-revisions.ts';
import { chunksUpTo, eventsIn, type PartitionEvent } from './partition-events.ts';
import type { UsageLog, UsageQueue, UsageRegistry } from './ports.ts';
import { appendDeadline, DAY_MILLIS } from './retention.ts';
import { packedUsageBatches } from './usage-batch.ts';
import type { JobStep, UsageJob } from './usage-job.ts';
import { decimalOf } from './view-cell.ts';
import { daysFrom, instantOfMicros, type VoidFilter, type VoidJobInput } from './void-job.ts';

/** What a void job has found and done so far. */
export interface VoidReport {
  /** Events that match and count, or did until this job voided them. */
  readonly matched: number;
  /** Of those, the ones whose voids were handed to the usage queue; 0 in a dry run. */
  readonly sent: number;
  /** Events that match and had been voided before. */
  readonly voidedBefore: number;
  /** Events that match and whose log partition no longer takes voids. */
  readonly tooLate: number;
  /** The first of those that match. */
  readonly sample: readonly SampledEvent[];
  /** By meter: how many of the matched events it counts, and what they come to where it adds up; null where it does not. */
  readonly effect: Readonly<Record<string, { readonly events: number; readonly quantity: string | null }>>;
}

export interface SampledEvent {
  readonly id: string;
  readonly customer: string;
  readonly source: string;
  readonly type: string;
  readonly time: Instant;
}

export interface VoidByFilterDeps {
  readonly log: Pick<UsageLog, 'readChunks'>;
  readonly registry: Pick<UsageRegistry, 'partitionsOf'>;
  readonly meters: Pick<MeterStore, 'revision'>;
  readonly queue: UsageQueue;
  readonly clock: Clock;
}

const SAMPLED = 20;
/** Voids of one message group: the message stays far below 256 KB. */
const VOIDS_TOGETHER = 100;
/** Aggregations of which single readings make a total. */
const TOTALLED: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'transactions']);
const NOTHING: VoidReport = { matched: 0, sent: 0, voidedBefore: 0, tooLate: 0, sample: [], effect: {} };

/** Where a step stopped: in a day, in a partition, after a chunk. */
interface Position {
  readonly day: string;
  readonly partition: string;
  readonly sequence: number;
}

/**
 * One step of a void job: the days of appending in order, their log partitions by name, their chunks, until `stopAt`. Every
 * match in the log is voided exactly once, whatever is repeated: a message is named by its content, so that sending it twice
 * is sending it once, and a second void of an event is a duplicate. Events this job has voided count as matched when a step
 * is done again, so the report is the same as if it had been done once.
 */
export async function voidByFilter(job: UsageJob, stopAt: Instant, deps: VoidByFilterDeps): Promise<JobStep> {
  const input = job.input as unknown as VoidJobInput;
  const work = new VoidStep(job, input, deps);
  const start = readCursor(job.cursor) ?? { day: input.firstDay, partition: '', sequence: 0 };
  const isOver = () => millisOf(deps.clock.now()) >= millisOf(stopAt);
  const daysDone = (day: string) => (dayStartMillis(day) - dayStartMillis(input.firstDay)) / DAY_MILLIS;
  let isBegun = false;
  for (const day of daysFrom(start.day, input.lastDay)) {
    const isResumed = day === start.day;
    const names = [...(await deps.registry.partitionsOf(job.project, day))].sort();
    for (const partition of names) {
      if (isResumed && partition < start.partition) continue;
      const after = isResumed && partition === start.partition ? start.sequence : 0;
      const position = { day, partition, sequence: after };
      const stoppedAt = isBegun && isOver() ? position : await work.partition(position, isOver);
      if (stoppedAt !== null) return work.stopped(stoppedAt, daysDone(day));
      isBegun = true;
    }
  }
  return {
    done: true,
    cursor: null,
    progress: { ...job.progress, done: job.progress.total ?? 0 },
    report: work.report(),
  };
}

function readCursor(cursor: string | null): Position | null {
  return cursor === null ? null : (JSON.parse(cursor) as Position);
}

class VoidStep {
  readonly #job: UsageJob;
  readonly #input: VoidJobInput;
  readonly #deps: VoidByFilterDeps;
  readonly #revisions = new Map<number, MeterRevision>();
  #report: VoidReport;

  constructor(job: UsageJob, input: VoidJobInput, deps: VoidByFilterDeps) {
    this.#job = job;
    this.#input = input;
    this.#deps = deps;
    this.#report = { ...NOTHING, ...job.report };
  }

  report(): JobStep['report'] {
    return { ...this.#report };
  }

  stopped(position: Position, daysDone: number): JobStep {
    const progress = { ...this.#job.progress, done: daysDone };
    return { done: false, cursor: JSON.stringify(position), progress, report: this.report() };
  }

  /** Goes through the chunks of a partition that were appended on the day. Answers where it had to stop; null at the end. */
  async partition({ day, partition, sequence }: Position, isOver: () => boolean): Promise<Position | null> {
    const place = { project: this.#job.project, partition };
    const { filter } = this.#input;
    const chunks = await chunksUpTo(place, Number.POSITIVE_INFINITY, this.#deps.log);
    const own = new Set(chunks.filter((chunk) => isOfDay(chunk, day)).map((chunk) => chunk.sequence));
    const query = {
      after: sequence,
      occurred: { from: microsOf(filter.from), to: microsOf(filter.to) - 1 },
      ...(filter.customer === undefined ? {} : { customers: new Set([filter.customer]) }),
    };
    const matches = [...eventsIn(chunks, query)].filter(
      (found) => own.has(found.sequence) && matchesFilter(found.event, filter),
    );
    let left = matches.length;
    for (const [at, found] of Map.groupBy(matches, (match) => match.sequence)) {
      await this.#chunk(place, found);
      left -= found.length;
      if (left > 0 && isOver()) return { day, partition, sequence: at };
    }
    return null;
  }

  async #chunk(place: LogPartition, found: readonly PartitionEvent[]): Promise<void> {
    const { id } = this.#job;
    const others = found.filter(({ voidedBy }) => voidedBy !== null && voidedBy.by !== id);
    const matched = found.filter(({ voidedBy }) => voidedBy === null || voidedBy.by === id);
    const isTooLate = millisOf(this.#deps.clock.now()) > appendDeadline(partitionBornEnd(place.partition));
    const isSending = !this.#input.dryRun && !isTooLate;
    if (isSending) await this.#send(place, matched);
    const before = this.#report;
    this.#report = {
      matched: before.matched + matched.length,
      sent: before.sent + (isSending ? matched.length : 0),
      voidedBefore: before.voidedBefore + others.length,
      tooLate: before.tooLate + (isTooLate ? matched.length : 0),
      sample: [...before.sample, ...matched.slice(0, SAMPLED - before.sample.length).map(sampled)],
      effect: await this.#effectWith(place.project, matched),
    };
  }

  /** All of the chunk's matches, those that are voided already too: the same messages, however often this is done. */
  async #send({ partition }: LogPartition, matched: readonly PartitionEvent[]): Promise<void> {
    const { project, id, createdAt } = this.#job;
    for (let from = 0; from < matched.length; from += VOIDS_TOGETHER) {
      const group = matched.slice(from, from + VOIDS_TOGETHER);
      const names = createHash('sha256');
      for (const { fingerprint } of group) names.update(fingerprint, 'latin1');
      const voids = group.map(({ event: { customer, source, id: eventId } }, index) => ({
        ...{ index, partition, customer, source, id: eventId, reason: this.#input.reason, by: id },
      }));
      const batchId = `${id}:${names.digest('hex').slice(0, 32)}`;
      const batch = { project, batchId, rejected: 0, meterRevision: 0, receivedAtMillis: millisOf(createdAt) };
      await this.#deps.queue.send(packedUsageBatches({ ...batch, events: [], voids }));
    }
  }

  async #effectWith(project: ProjectId, matched: readonly PartitionEvent[]): Promise<VoidReport['effect']> {
    const events = matched.map(({ event }) => event);
    await readRevisions(project, events, this.#revisions, this.#deps);
    const effect = new Map(Object.entries(this.#report.effect));
    for (const { readings } of foldEvents(project, events, this.#revisions).days) {
      for (const { meter, aggregation, value } of readings) {
        if (isConsumedMeter(meter)) continue;
        const known = effect.get(meter);
        const isTotal = TOTALLED.has(aggregation);
        const quantity = isTotal
          ? decimalOf(known?.quantity ?? '0')
              .plus(Decimal.parse(value))
              .toString()
          : null;
        effect.set(meter, { events: (known?.events ?? 0) + 1, quantity });
      }
    }
    return Object.fromEntries(effect);
  }
}

function isOfDay({ appendedAtMillis }: StoredChunk, day: string): boolean {
  return dayKey(appendedAtMillis * 1000) === day;
}

function matchesFilter(event: LoggedEvent, { from, to, customer, type, source, properties = {} }: VoidFilter): boolean {
  return (
    event.occurredAtMicros >= microsOf(from) &&
    event.occurredAtMicros < microsOf(to) &&
    (customer === undefined || event.customer === customer) &&
    (type === undefined || event.type === type) &&
    (source === undefined || event.source === source) &&
    Object.entries(properties).every(
      ([name, value]) => Object.hasOwn(event.properties, name) && event.properties[name] === value,
    )
  );
}

function sampled({ event: { id, customer, source, type, occurredAtMicros } }: PartitionEvent): SampledEvent {
  return { id, customer, source, type, time: instantOfMicros(occurredAtMicros) };
}
