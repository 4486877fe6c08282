import type { Page, PageRequest } from '../accounts/ports.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import type { ContractVersion } from './contract.ts';
import type { MeterRevision } from './meter.ts';
import type { PlanVersion } from './plan.ts';
import type { PriceListVersion } from './price-list.ts';

export interface MeterStore {
  /** The newest meters of a project; revision 0 without meters when it has none. `fresh` asks for a strongly consistent read. */
  newest(project: ProjectId, read?: 'fresh'): Promise<MeterRevision>;
  /** An immutable revision; one that is not there is a broken invariant, because nothing names it before it is stored. */
  revision(project: ProjectId, revision: number): Promise<MeterRevision>;
  /** Stores a revision and makes it the newest, in one transaction; `refused` when it is not the next one. */
  write(project: ProjectId, next: MeterRevision): Promise<'stored' | 'refused'>;
}

export interface PlanStore {
  find(project: ProjectId, plan: string, version: number): Promise<PlanVersion | undefined>;
  newest(project: ProjectId, plan: string): Promise<PlanVersion | undefined>;
  /** Stores a version that follows the one before it; `refused` when it is there or its predecessor is not. */
  create(project: ProjectId, version: PlanVersion): Promise<'stored' | 'refused'>;
  /** Every version by plan and version; of one plan when `plan` is given. */
  list(project: ProjectId, page: PageRequest, plan?: string): Promise<Page<PlanVersion>>;
}

/** All contracts of one customer, every version, and the number that any write to them moves by one. */
export interface CustomerContracts {
  readonly versions: readonly ContractVersion[];
  readonly sequence: number;
}

export interface ContractStore {
  /** Read strongly consistent. */
  ofCustomer(project: ProjectId, customer: CustomerId): Promise<CustomerContracts>;
  /** The newest version of a contract. */
  newest(project: ProjectId, id: string): Promise<ContractVersion | undefined>;
  /** The newest versions of all contracts, by id. */
  list(project: ProjectId, page: PageRequest): Promise<Page<ContractVersion>>;
  /**
   * Stores the next version of a contract, in one transaction that expects the customer's contracts as they were read;
   * `taken` when the id is another customer's, `refused` when something else was written meanwhile.
   */
  append(project: ProjectId, version: ContractVersion, sequence: number): Promise<'stored' | 'taken' | 'refused'>;
}

export interface PriceListStore {
  /** Read strongly consistent. */
  newest(project: ProjectId, currency: Currency): Promise<PriceListVersion | undefined>;
  find(project: ProjectId, currency: Currency, version: number): Promise<PriceListVersion | undefined>;
  /** Stores a version that follows the one before it; `refused` when it is there or its predecessor is not. */
  create(project: ProjectId, version: PriceListVersion): Promise<'stored' | 'refused'>;
  /** Every version by currency and version. */
  list(project: ProjectId, page: PageRequest): Promise<Page<PriceListVersion>>;
}
