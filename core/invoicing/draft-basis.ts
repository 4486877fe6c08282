import type { SubscriptionId } from '../ids.ts';
import type { Instant } from '../time/instant.ts';
import type { BilledEntry, LedgerHead } from './account-ledger.ts';

/**
 * What a draft was rated against and what its issue will change. Stored beside the draft, so that issuing rates nothing and
 * reads nothing but the subscriptions: it only checks that the world is still the one the draft was made for.
 */
export interface DraftBasis {
  /** The account's ledger sequence the draft was measured against. */
  readonly ledgerSequence: number;
  /** The ledger after the issue. */
  readonly head: LedgerHead;
  readonly entries: readonly BilledEntry[];
  readonly subscriptions: readonly BasisSubscription[];
  /** The zone the customer's periods were cut in. */
  readonly timeZone: string;
  /** Meter and dimension combinations with usage that no charge takes, for the run's report. */
  readonly unbilledSlices: number;
  /** Minor units the account is still owed although no invoice follows; absent where one does, or nothing is. */
  readonly creditLeftMinor?: string | undefined;
}

export interface BasisSubscription {
  readonly id: SubscriptionId;
  /** The item's version when it was rated. */
  readonly version: number;
  /** Everything before this is billed once the invoice is issued. */
  readonly billedThrough: Instant;
  /** Fees in advance are billed up to this once the invoice is issued; absent where there are none. */
  readonly advanceThrough?: Instant | undefined;
}
