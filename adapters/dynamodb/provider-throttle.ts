import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { BillingError } from '../../core/errors.ts';
import type { ProjectId } from '../../core/ids.ts';
import { type Lease, leaseSlots, type ThrottleState } from '../../core/payments/throttle.ts';
import { keyAttributes, numberAt, textAt } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { isConditionRefused } from './refusals.ts';

export interface ProviderThrottleInput {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly project: ProjectId;
  readonly provider: string;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A turn further away than this is not waited for. */
const MAX_WAIT_MS = 30_000;
const WRITE_TRIES = 12;

interface Known {
  readonly version: number;
  readonly state: ThrottleState;
}

/**
 * The provider's rate shared by all workers through one item: slots are leased in blocks, as many as callers of this process are
 * waiting for the endpoint, by a write over the version that was read. `take` resolves at the caller's slot; it throws
 * `not-ready` (`provider_throttled`) when the next free one is more than 30 s away.
 */
export function providerThrottle(input: ProviderThrottleInput): { take(endpoint: string): Promise<void> } {
  const waiting = new Map<string, { resolve: (atMs: number) => void; reject: (error: unknown) => void }[]>();
  let isServing = false;
  const bucket = leasedBucket(input);

  /** Serves all endpoints in turn, one lease at a time in this process. */
  async function serve(): Promise<void> {
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const [endpoint, callers] = next;
      waiting.delete(endpoint);
      try {
        const slots = await bucket.lease(endpoint, callers.length);
        for (const [index, caller] of callers.entries()) caller.resolve(slots[index] ?? 0);
      } catch (error) {
        for (const caller of callers) caller.reject(error);
      }
    }
    // In the same breath as the last look at `waiting`, so that nobody waits unseen.
    isServing = false;
  }

  return {
    async take(endpoint) {
      const slot = await new Promise<number>((resolve, reject) => {
        waiting.set(endpoint, [...(waiting.get(endpoint) ?? []), { resolve, reject }]);
        if (!isServing) {
          isServing = true;
          queueMicrotask(() => void serve());
        }
      });
      const waitMs = slot - input.nowMs();
      if (waitMs > 0) await input.sleep(waitMs);
    },
  };
}

function leasedBucket(input: ProviderThrottleInput) {
  let known: Known | null = null;
  return {
    async lease(endpoint: string, count: number): Promise<readonly number[]> {
      for (let attempt = 0; attempt < WRITE_TRIES; attempt += 1) {
        known ??= await readState(input);
        const lease = leaseSlots(known.state, { endpoint, count, nowMs: input.nowMs(), maxWaitMs: MAX_WAIT_MS });
        if (!lease.granted) {
          // What this process knows may be old; refuse only on what is stored.
          known = null;
          if (attempt > 0) throw throttled(lease);
          continue;
        }
        known = await writeState(input, known, lease.state);
        if (known !== null) return lease.slotsMs;
      }
      throw throttled({ granted: false, freeInMs: 1000 });
    },
  };
}

async function readState({ client, table, project, provider }: ProviderThrottleInput): Promise<Known> {
  const Key = keyAttributes(billingKeys.throttle(project, provider));
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  if (Item === undefined) return { version: 0, state: {} };
  return { version: numberAt(Item, 'version'), state: JSON.parse(textAt(Item, 'doc')) as ThrottleState };
}

/** Null when another worker wrote since. */
async function writeState(input: ProviderThrottleInput, known: Known, state: ThrottleState): Promise<Known | null> {
  const { version } = known;
  try {
    await input.client.send(
      new PutItemCommand({
        TableName: input.table,
        Item: {
          ...keyAttributes(billingKeys.throttle(input.project, input.provider)),
          version: { N: String(version + 1) },
          doc: { S: JSON.stringify(state) },
        },
        ConditionExpression: version === 0 ? 'attribute_not_exists(pk)' : 'version = :version',
        ...(version === 0 ? {} : { ExpressionAttributeValues: { ':version': { N: String(version) } } }),
      }),
    );
    return { version: version + 1, state };
  } catch (error) {
    if (isConditionRefused(error)) return null;
    throw error;
  }
}

function throttled(lease: Lease & { readonly granted: false }): BillingError {
  return new BillingError({
    kind: 'not-ready',
    code: 'provider_throttled',
    message: `All calls to the provider for the next while are taken; the next is free in ${lease.freeInMs} ms. Try again later.`,
  });
}
