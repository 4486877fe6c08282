import type { CustomerId, ProjectId, SubscriptionId } from '../ids.ts';
import type { ApiKeyRecord } from './api-key.ts';
import type { Customer } from './customer.ts';
import type { Project } from './project.ts';
import type { StoredSubscription, Subscription } from './subscription.ts';

/** Part of a list. `cursor` is opaque to callers and null on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor: string | null;
}

export interface PageRequest {
  /** 1 to 100. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface ApiKeyStore {
  /** `fresh` asks for a strongly consistent read. */
  find(project: ProjectId, id: string, read?: 'fresh'): Promise<ApiKeyRecord | undefined>;
  /** Throws `conflict` (`api_key_exists`) when the id is taken. */
  create(record: ApiKeyRecord): Promise<void>;
  list(project: ProjectId, page: PageRequest): Promise<Page<ApiKeyRecord>>;
  /** Sets `revokedAt` unless it is set; answers the record as it then is, undefined when there is none. */
  revoke(project: ProjectId, id: string, at: ApiKeyRecord['createdAt']): Promise<ApiKeyRecord | undefined>;
  /** One transaction: creates `next`, and the old key gets `expiresAt` and `rotatedTo`. Throws `conflict` (`api_key_not_active`). */
  rotate(old: ApiKeyRecord, expiresAt: ApiKeyRecord['createdAt'], next: ApiKeyRecord): Promise<void>;
}

export interface ProjectStore {
  find(project: ProjectId): Promise<Project | undefined>;
  /** One transaction: the project and its entry in the directory. Throws `conflict` (`project_exists`). */
  create(project: Project): Promise<void>;
  list(): Promise<readonly Project[]>;
}

/** A customer as stored. `version` guards every write; the ids of its subscriptions are read with it, strongly consistent. */
export interface StoredCustomer {
  readonly customer: Customer;
  readonly version: number;
  readonly subscriptions: readonly SubscriptionId[];
}

export interface CustomerStore {
  find(project: ProjectId, id: CustomerId): Promise<StoredCustomer | undefined>;
  /** Writes the customer over version `expected` (0: none there yet); `refused` when it has changed. */
  put(project: ProjectId, customer: Customer, expected: number): Promise<'stored' | 'refused'>;
  list(project: ProjectId, page: PageRequest): Promise<Page<Customer>>;
  /** Of these ids, those that are customers. */
  known(project: ProjectId, ids: readonly CustomerId[]): Promise<ReadonlySet<CustomerId>>;
}

/** Customers that usage has named, whether or not they are known. */
export interface SeenCustomers {
  list(project: ProjectId, page: PageRequest): Promise<Page<CustomerId>>;
}

export interface SubscriptionStore {
  find(project: ProjectId, id: SubscriptionId): Promise<StoredSubscription | undefined>;
  /** Those of these ids that exist, read strongly; at most 100 ids. */
  findAll(project: ProjectId, ids: readonly SubscriptionId[]): Promise<readonly StoredSubscription[]>;
  list(project: ProjectId, page: PageRequest): Promise<Page<Subscription>>;
  /**
   * One transaction: the subscription is new, and its customer, unchanged since it was read, names it.
   * `exists`: the id is taken. `refused`: the customer has changed.
   */
  create(
    project: ProjectId,
    subscription: Subscription,
    customer: StoredCustomer,
  ): Promise<'stored' | 'exists' | 'refused'>;
  /**
   * One transaction: version `expected` + 1 over version `expected`, and its customer is unchanged since it was read, so that
   * two subscriptions of one customer never change past each other. `refused` when either has changed.
   */
  replace(
    project: ProjectId,
    subscription: Subscription,
    expected: number,
    customer: StoredCustomer,
  ): Promise<'stored' | 'refused'>;
}
