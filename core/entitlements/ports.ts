import type { Page, PageRequest } from '../accounts/ports.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import type { Instant } from '../time/instant.ts';
import type { EntitlementGrant, QuotaKey } from './feature.ts';
import type { Quota } from './quota.ts';
import type { FeatureInputs } from './resolve-features.ts';

/** What entitlements need from the outside. A throw of a write means: unknown. */

/** Where it is written what a customer may do. */
export interface FeatureSources {
  /** Undefined for a customer that the project does not know. */
  read(project: ProjectId, customer: CustomerId, at: Instant): Promise<FeatureInputs | undefined>;
}

export interface GrantStore {
  find(project: ProjectId, customer: CustomerId, id: string): Promise<EntitlementGrant | undefined>;
  /** `exists` when the customer has a grant of that id. */
  create(project: ProjectId, grant: EntitlementGrant): Promise<'stored' | 'exists'>;
  list(project: ProjectId, customer: CustomerId, page: PageRequest): Promise<Page<EntitlementGrant>>;
}

/** What a refresh writes. */
export type QuotaFigures = Pick<Quota, 'totals' | 'folded' | 'refreshedAtMillis'>;

/** The quotas that were ever asked for. All reads are strong. */
export interface QuotaStore {
  find(key: QuotaKey): Promise<Quota | undefined>;
  ofCustomer(project: ProjectId, customer: string): Promise<readonly Quota[]>;
  /** Stores a quota that nobody has refreshed yet, unless it is there. */
  create(quota: Quota): Promise<void>;
  /** Writes figures and `version + 1` if the stored version is still `version`; `consumed` stays as it is. */
  refresh(key: QuotaKey, version: number, figures: QuotaFigures): Promise<'stored' | 'refused'>;
  /** Whether any quota of the project was ever asked for; what `markUsed` said. */
  isUsed(project: ProjectId): Promise<boolean>;
  markUsed(project: ProjectId): Promise<void>;
}

/** What a consumption takes out of a quota, under the identity of its event. */
export interface Reservation {
  readonly project: ProjectId;
  /** The event's fingerprint in hex. */
  readonly identity: string;
  /** Names what was asked, so that the same id for something else is told from a retry. */
  readonly request: string;
  /** Exact decimal above 0. */
  readonly quantity: string;
  /** The message that records the event, as the queue gets it. */
  readonly message: string;
  readonly madeAtMillis: number;
}

/** A message that was reserved and perhaps never sent. */
export interface UnsentMessage {
  readonly identity: string;
  readonly message: string;
  readonly madeAtMillis: number;
}

export interface ReservationStore {
  /**
   * One transaction: the reservation is new, its message waits to be sent, and the quota's `consumed` rises. With a guard only
   * if the quota's figures are still of `version` and `consumed` is at most `mostConsumed`; `refused` when they are not, or
   * when another transaction was met.
   */
  reserve(
    reservation: Reservation,
    quota: QuotaKey,
    guard: { readonly version: number; readonly mostConsumed: string } | null,
  ): Promise<'reserved' | 'exists' | 'refused'>;
  find(project: ProjectId, identity: string): Promise<Pick<Reservation, 'request' | 'quantity'> | undefined>;
  /** The message of a reservation that nobody has reported as sent. */
  unsent(project: ProjectId, identity: string): Promise<string | undefined>;
  /** Reports it as sent. */
  sent(project: ProjectId, identity: string): Promise<void>;
  /** All messages that wait to be sent. */
  allUnsent(project: ProjectId): Promise<readonly UnsentMessage[]>;
}
