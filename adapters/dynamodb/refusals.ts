import { BillingError } from '../../core/errors.ts';

/**
 * How DynamoDB says no. A condition that does not hold is an answer, and the adapter that asked gives it a name; a
 * transaction that met another one is not, and may be repeated as it is.
 */

/** Whether the condition of a single write did not hold. */
export function isConditionRefused(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/** The positions in a transaction whose condition did not hold; empty for every other error. */
export function refusedPositions(error: unknown): readonly number[] {
  return reasonsOf(error).flatMap((reason, position) => (reason === 'ConditionalCheckFailed' ? [position] : []));
}

/** Whether a transaction did nothing because it met another one. */
export function isTransactionConflict(error: unknown): boolean {
  return reasonsOf(error).includes('TransactionConflict');
}

/** Rethrows an error of a transaction; one that only met another transaction or was throttled becomes `not-ready`. */
export function rethrowUnrefused(error: unknown): never {
  if (reasonsOf(error).some((reason) => reason === 'TransactionConflict' || reason === 'ThrottlingError')) {
    throw new BillingError({
      kind: 'not-ready',
      code: 'write_contended',
      message: 'Another write to the same records was under way. Send the same request again.',
      cause: error,
    });
  }
  throw error;
}

function reasonsOf(error: unknown): readonly string[] {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return [];
  const reasons: unknown = 'CancellationReasons' in error ? error.CancellationReasons : [];
  return Array.isArray(reasons) ? reasons.map((reason: { Code?: string }) => reason.Code ?? 'None') : [];
}
