import { usageViews } from '../../adapters/dynamodb/usage-views.ts';
import type { FoldDeps } from '../../core/usage/fold-partitions.ts';
import type { StoredView, UsageRegistry } from '../../core/usage/ports.ts';
import { type RebuildDeps, rebuildDay } from '../../core/usage/rebuild-day.ts';
import { Actor, PROJECT, TABLES, type World } from './world.ts';

/**
 * Views that say something else than the log, and the rebuild that puts them right while everybody else goes on appending and
 * folding. Only the rebuild's own calls are safe, because a rebuild that died is asked for again, and nothing more.
 */

/** What a rebuild needs beside what folds; a mutant may change it. */
export function rebuildDeps(fold: FoldDeps & { readonly registry: UsageRegistry }): RebuildDeps {
  const disputes = { openDays: async () => [], settle: async () => {} };
  return { ...fold, disputes, isPriced: () => true };
}

/** Adds a thousand calls that never were to some of the views. Answers how many it spoiled. */
export async function spoilViews(world: World): Promise<number> {
  const views = usageViews(world.database.client(new Actor(world, 0).faults), TABLES.views);
  let spoiled = 0;
  for (const [customer, days] of viewedDays(world)) {
    for (const day of days) {
      for (const stored of await views.readViews(PROJECT, customer, day, day)) {
        const next = spoiledView(stored);
        if (next !== null && (await views.writeView(next)) === 'stored') spoiled += 1;
      }
    }
  }
  return spoiled;
}

function spoiledView(stored: StoredView): StoredView | null {
  const { calls } = stored.view.meters;
  if (calls === undefined) return null;
  const dimensions = { ...calls.dimensions, '["nowhere"]': { 7: '1000' } };
  return { ...stored, view: { ...stored.view, meters: { ...stored.view.meters, calls: { ...calls, dimensions } } } };
}

/** Rebuilds every day of every customer; what others were too fast for, again. */
export async function rebuildAll(world: World, deps: RebuildDeps): Promise<void> {
  for (const [customer, days] of viewedDays(world)) {
    for (const day of days) {
      let waiting: readonly string[] = [customer];
      while (waiting.length > 0) {
        const { refused } = await rebuildDay({ project: PROJECT, day, customers: waiting }, deps);
        const lost = refused.find(({ code }) => code !== 'view_contended');
        if (lost !== undefined) throw new Error(`${lost.customer} on ${lost.day}: ${lost.reason}`);
        waiting = refused.map((entry) => entry.customer);
      }
    }
  }
}

/** The UTC days each customer has views of. */
function viewedDays(world: World): Map<string, Set<string>> {
  const days = new Map<string, Set<string>>();
  for (const { pk, day } of world.database.items(TABLES.views)) {
    const [, kind, customer] = (pk?.S ?? '').split('#');
    if (kind !== 'usage' || customer === undefined || day?.S === undefined) continue;
    days.set(customer, (days.get(customer) ?? new Set()).add(day.S));
  }
  return days;
}
