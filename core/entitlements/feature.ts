import { createHash } from 'node:crypto';
import type { MeteredEntitlement } from '../catalog/entitlement.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import { base32 } from '../ids.ts';
import type { Instant } from '../time/instant.ts';

/** A half-open span over which the usage of a quota counts. */
export interface QuotaWindow {
  readonly start: Instant;
  readonly end: Instant;
}

/** What usage a quota counts, and from when to when. */
export interface QuotaScope {
  readonly feature: string;
  readonly meter: string;
  readonly filter: NonNullable<MeteredEntitlement['filter']>;
  readonly window: QuotaWindow;
}

/** Where one subscription has a feature from. */
export interface FeatureSource {
  readonly subscription: string;
  /** `<plan>@<version>`, or `contract:<id>@<version>` where the contract says it. */
  readonly source: string;
  /** Of a metered feature: what it adds to the limit; null is unlimited. */
  readonly limit?: string | null;
  /** False where it watches other usage than the first subscription's and adds nothing. */
  readonly isCounted?: boolean;
}

interface Common {
  readonly feature: string;
  readonly sources: readonly FeatureSource[];
}

/** A feature of a customer, all its subscriptions, contracts and grants taken together. */
export type Feature =
  | (Common & { readonly kind: 'boolean' })
  | (Common & { readonly kind: 'static'; readonly value: string })
  | (Common & {
      readonly kind: 'metered';
      readonly scope: QuotaScope;
      /** Of plans and contracts together, without grants; null is unlimited. */
      readonly limit: string | null;
      readonly isHard: boolean;
      readonly grants: readonly EntitlementGrant[];
    });

export type MeteredFeature = Extract<Feature, { kind: 'metered' }>;

/** Extra allowance of one customer for a metered feature, added to its limit on `[effective, expires)`. */
export interface EntitlementGrant {
  readonly id: string;
  readonly customer: CustomerId;
  readonly feature: string;
  /** Units of the feature's meter, above 0, in every window of the feature. */
  readonly quantity: string;
  readonly effective: Instant;
  readonly expires: Instant | null;
}

/** Whose quota, and which. */
export interface QuotaKey {
  readonly project: ProjectId;
  readonly customer: string;
  readonly feature: string;
  readonly start: Instant;
  /** Names the rest of the scope. */
  readonly digest: string;
}

/** A quota is kept under its whole scope, so that one whose plan counts something else from now on begins anew. */
export function quotaKeyOf(project: ProjectId, customer: string, scope: QuotaScope): QuotaKey {
  const filter = Object.entries(scope.filter)
    .map(([dimension, values]) => [dimension, [...values].sort()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([scope.meter, filter, scope.window.start, scope.window.end]);
  const digest = base32(createHash('sha256').update(text).digest(), 12);
  return { project, customer, feature: scope.feature, start: scope.window.start, digest };
}

/** Whether a grant counts at an instant. */
export function isGrantValid({ effective, expires }: EntitlementGrant, at: Instant): boolean {
  return effective <= at && (expires === null || at < expires);
}
