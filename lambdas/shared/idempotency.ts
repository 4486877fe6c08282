import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import type { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';
import type { Context } from 'aws-lambda';
import { BillingError, conflict, invalid } from '../../core/errors.ts';
import type { HttpAnswer } from './problem.ts';

/** What one idempotency key stands for. */
export interface IdempotentRequest {
  /** Partition of the records, so that projects never share a key. */
  readonly partition: string;
  /** The caller's `Idempotency-Key`. */
  readonly key: string;
  /** All that makes the request what it is; the same key with another one is refused. */
  readonly request: { readonly method: string; readonly path: string; readonly body: string };
  readonly context: Context;
}

/** Runs `make` once per key, and answers repetitions with what it answered the first time. */
export type Idempotently = (request: IdempotentRequest, make: () => Promise<HttpAnswer>) => Promise<HttpAnswer>;

/** How long an answer is kept for repetitions, in seconds: a day. */
const KEPT_SECONDS = 86_400;
const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/**
 * Idempotency by Powertools. Answers are kept, errors are not: after one the same key may be used again.
 * Throws `idempotency_key_invalid` (400), `idempotency_key_reused` (422) or `idempotency_in_progress` (409).
 */
export function idempotently(newLayer: (partition: string) => BasePersistenceLayer): Idempotently {
  const layers = new Map<string, BasePersistenceLayer>();
  const layerOf = (partition: string) => {
    const layer = layers.get(partition) ?? newLayer(partition);
    layers.set(partition, layer);
    return layer;
  };
  return async ({ partition, key, request, context }, make) => {
    if (!KEY_PATTERN.test(key)) {
      throw invalid(
        'idempotency_key_invalid',
        'Got an Idempotency-Key that is not 1 to 255 printable ASCII characters.',
      );
    }
    const config = new IdempotencyConfig({
      eventKeyJmesPath: 'key',
      payloadValidationJmesPath: 'request',
      throwOnNoIdempotencyKey: true,
      expiresAfterSeconds: KEPT_SECONDS,
      hashFunction: 'sha256',
      lambdaContext: context,
    });
    const once = makeIdempotent(async (_input: object) => make(), {
      persistenceStore: layerOf(partition),
      config,
      keyPrefix: 'http',
    });
    try {
      return await once({ key, request });
    } catch (error) {
      throw named(error);
    }
  };
}

/** Powertools' errors by name: it bundles more than one copy of its classes, so `instanceof` would not always hold. */
function named(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'IdempotencyValidationError') {
    return invalid(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request. Use a new key for a new request, or send the first one again.',
    );
  }
  if (error.name === 'IdempotencyAlreadyInProgressError') {
    return conflict(
      'idempotency_in_progress',
      'A request with this Idempotency-Key is still being worked on. Send it again in a moment.',
    );
  }
  if (error.name === 'IdempotencyInconsistentStateError') return notReady(error);
  if (error.name === 'IdempotencyPersistenceLayerError') return error.cause ?? error;
  return error;
}

function notReady(cause: unknown): BillingError {
  return new BillingError({
    kind: 'not-ready',
    code: 'service_unavailable',
    message: 'The record of this Idempotency-Key changed while it was read. Send the same request again.',
    cause,
  });
}
