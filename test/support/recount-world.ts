import { parkingLot } from '../../adapters/dynamodb/parking-lot.ts';
import { usageLog } from '../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../adapters/dynamodb/usage-views.ts';
import type { MeterRevision } from '../../core/catalog/meter.ts';
import type { LoggedEvent } from '../../core/usage/chunk.ts';
import type { CustomerDay, DayGroupDeps } from '../../core/usage/day-groups.ts';
import { type FoldDeps, foldPartitions } from '../../core/usage/fold-partitions.ts';
import type { ViewLimits } from '../../core/usage/fold-view.ts';
import { hourKey } from '../../core/usage/log-partition.ts';
import { PartitionState } from '../../core/usage/partition-state.ts';
import { planChunk } from '../../core/usage/plan-chunk.ts';
import type { UsageRegistry } from '../../core/usage/ports.ts';
import { reconcileDays } from '../../core/usage/reconcile-days.ts';
import type { Random } from '../faults/random.ts';
import { Actor, World } from '../faults/world.ts';
import { NOW_MILLIS, PROJECT, share, TABLES } from './usage-fixtures.ts';

/** A log that grows and is folded while something else is at its views, in an order of calls that the seed decides. */
export class RecountWorld {
  readonly world: World;
  readonly random: Random;
  readonly deps: FoldDeps & { readonly registry: UsageRegistry };
  readonly #states = new Map<string, PartitionState>();
  readonly #revisions: Map<number, MeterRevision>;
  #batches = 0;

  readonly #limits: ViewLimits | undefined;

  /** Views are as small as the world says, unless `limits` says otherwise. */
  constructor(random: Random, revisions: readonly MeterRevision[], limits?: ViewLimits) {
    this.#limits = limits;
    this.random = random;
    this.world = new World(random);
    this.world.millis = NOW_MILLIS;
    this.#revisions = new Map(revisions.map((revision) => [revision.revision, revision]));
    this.deps = this.worker();
  }

  /** From now on these are the newest meters. */
  revise(revision: MeterRevision): void {
    this.#revisions.set(revision.revision, revision);
  }

  /** One more worker over the same tables. */
  worker(): FoldDeps & { readonly registry: UsageRegistry } {
    const client = this.world.database.client(new Actor(this.world, 0).faults);
    return {
      log: usageLog(client, TABLES.log),
      views: usageViews(client, TABLES.views),
      registry: usageRegistry(client, TABLES.views),
      parking: parkingLot(client, TABLES.views),
      meters: {
        newest: async () => [...this.#revisions.values()].at(-1) ?? { revision: 0, meters: [] },
        revision: async (_project, number) => {
          const found = this.#revisions.get(number);
          if (found === undefined) throw new Error(`no revision ${number}`);
          return found;
        },
      },
      clock: this.world.clock,
      seen: new Set(),
      viewLimits: this.#limits ?? this.world.viewLimits,
    };
  }

  async append(partition: string, events: readonly LoggedEvent[]): Promise<void> {
    const state = this.#states.get(partition) ?? new PartitionState();
    this.#states.set(partition, state);
    this.#batches += 1;
    const chunk = planChunk(state, [share(`b-${this.#batches}`, events)], this.world.millis);
    if (chunk === null) throw new Error('nothing to append');
    const place = { project: PROJECT, partition };
    await this.deps.registry.register(place, hourKey(this.world.millis), 2_000_000_000);
    await this.deps.log.putChunk(place, chunk);
    state.apply(chunk);
  }

  /** Folds some of the partitions a few times, each time as another worker. */
  async foldSome(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await this.fold(this.random.some([...this.#states.keys()], 0.7));
  }

  async fold(partitions: readonly string[] = [...this.#states.keys()]): Promise<void> {
    const targets = partitions.map((partition) => ({ place: { project: PROJECT, partition } }));
    const { failed } = await foldPartitions(targets, this.worker());
    if (failed[0] !== undefined) throw failed[0].error;
  }

  /** Runs tasks at once, call by call. */
  run(...tasks: readonly Promise<unknown>[]): Promise<void> {
    const failures: unknown[] = [];
    const watched = tasks.map((task) => task.catch((error: unknown) => void failures.push(error)));
    return this.world.run(watched).then(() => {
      if (failures.length > 0) throw failures[0];
    });
  }
}

/** All that holding the days against the log says. */
export async function reconciledDays(days: readonly CustomerDay[], deps: DayGroupDeps) {
  const found: { views: number; findings: unknown[]; unprovable: CustomerDay[] } = {
    views: 0,
    findings: [],
    unprovable: [],
  };
  for await (const { views, findings, unprovable } of reconcileDays(PROJECT, days, deps)) {
    found.views += views;
    found.findings.push(...findings);
    found.unprovable.push(...unprovable);
  }
  return found;
}
