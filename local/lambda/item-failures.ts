/** Which records of a batch failed, by Lambda's rules for ReportBatchItemFailures. */
import type { Outcome } from './environment.ts';

/**
 * The identifiers among `identifiers` that failed. A failed invocation, and a report that cannot be read (no list, an empty
 * or unknown identifier), fail all; without `isReporting` the answer does not matter.
 */
export function failedItems(
  outcome: Outcome,
  identifiers: readonly string[],
  isReporting: boolean,
): ReadonlySet<string> {
  const all = new Set(identifiers);
  if (outcome.kind === 'error') return all;
  const answer = isReporting ? (JSON.parse(outcome.payload) as { batchItemFailures?: unknown } | null) : null;
  if (answer === null || typeof answer !== 'object' || answer.batchItemFailures == null) return new Set();
  if (!Array.isArray(answer.batchItemFailures)) return all;
  const failed = new Set<string>();
  for (const failure of answer.batchItemFailures as { itemIdentifier?: unknown }[]) {
    const identifier = failure?.itemIdentifier;
    if (typeof identifier !== 'string' || !all.has(identifier)) return all;
    failed.add(identifier);
  }
  return failed;
}
