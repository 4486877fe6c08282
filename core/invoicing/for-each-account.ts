import type { ManifestRow, RunOutcome } from './billing-run.ts';

/** Enough to hide the waiting for the database; one account's own calls stay in order. */
const ACCOUNTS_AT_ONCE = 4;

/** Does the work for every account of a batch, a few at a time. Answers all outcomes, in no particular order. */
export async function forEachAccount(
  rows: readonly ManifestRow[],
  work: (row: ManifestRow) => Promise<readonly RunOutcome[]>,
): Promise<readonly RunOutcome[]> {
  const waiting = [...rows];
  const outcomes: RunOutcome[] = [];
  const lane = async () => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) outcomes.push(...(await work(row)));
  };
  await Promise.all(Array.from({ length: ACCOUNTS_AT_ONCE }, lane));
  return outcomes;
}
