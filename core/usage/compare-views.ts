import { canonicalJson } from '../canonical-json.ts';
import type { RecountedItem } from './day-recount.ts';
import type { MeterUsage } from './usage-view.ts';
import type { Cell } from './view-cell.ts';

/** One quarter hour of which an item says something else than the log. */
export interface ViewDifference {
  readonly part: string;
  readonly meter: string;
  /** Dimension values as a JSON array. */
  readonly dimensionKey: string;
  /** UTC quarter hour of the day, 0 to 95. */
  readonly quarter: number;
  /** As JSON text, with its members sorted; null where there is nothing. */
  readonly view: string | null;
  readonly log: string | null;
}

/** How an item differs from what the log says at the item's own cursors; empty when it does not. */
export function compareViews({ stored, view }: RecountedItem): ViewDifference[] {
  const found = cellsOf(stored.view.meters);
  const expected = cellsOf(view.meters);
  const differences: ViewDifference[] = [];
  for (const [path, place] of new Map([...found, ...expected])) {
    const [inView, inLog] = [found.get(path)?.text ?? null, expected.get(path)?.text ?? null];
    const { meter, dimensionKey, quarter } = place;
    if (inView !== inLog)
      differences.push({ part: stored.key.part, meter, dimensionKey, quarter, view: inView, log: inLog });
  }
  return differences;
}

interface PlacedCell {
  readonly meter: string;
  readonly dimensionKey: string;
  readonly quarter: number;
  readonly text: string;
}

/** The cells that say anything, by their path. How a meter aggregates and is split up belongs to the path. */
function cellsOf(meters: Readonly<Record<string, MeterUsage>>): Map<string, PlacedCell> {
  const cells = new Map<string, PlacedCell>();
  for (const [meter, { aggregation, names, dimensions }] of Object.entries(meters)) {
    for (const [dimensionKey, quarters] of Object.entries(dimensions)) {
      for (const [quarter, cell] of Object.entries(quarters)) {
        const path = JSON.stringify([meter, aggregation, names, dimensionKey, quarter]);
        if (!isNothing(cell))
          cells.set(path, { meter, dimensionKey, quarter: Number(quarter), text: canonicalJson(cell) });
      }
    }
  }
  return cells;
}

/** What is left of a quarter hour when everything in it was voided. */
function isNothing(cell: Cell): boolean {
  return cell === '0' || (typeof cell === 'object' && Object.keys(cell).length === 0);
}
