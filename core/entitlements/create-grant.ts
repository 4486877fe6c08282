import * as z from 'zod';
import { customerIdSchema } from '../accounts/customer.ts';
import type { CustomerStore } from '../accounts/ports.ts';
import { canonicalJson } from '../canonical-json.ts';
import { catalogKeySchema } from '../catalog/key.ts';
import { conflict, type Fault, faulty, invariantBroken, notFound } from '../errors.ts';
import { EXTERNAL_ID_PATTERN, type ProjectId } from '../ids.ts';
import { positiveSchema } from '../money/decimal-schema.ts';
import type { Clock } from '../time/clock.ts';
import { isInstantText, parseInstant } from '../time/instant.ts';
import { instantSchema } from '../time/instant-schema.ts';
import type { EntitlementGrant } from './feature.ts';
import type { FeatureSources, GrantStore } from './ports.ts';
import { resolveFeatures } from './resolve-features.ts';

const timeTextSchema = z
  .string()
  .refine(isInstantText, { error: 'expected an RFC 3339 time such as "2026-11-21T03:00:00Z"' })
  .meta({ format: 'date-time' });

/** A grant as its author writes it. */
export const grantInputSchema = z.strictObject({
  id: z
    .string()
    .regex(EXTERNAL_ID_PATTERN, { error: 'expected 1 to 255 characters without control characters' })
    .min(1)
    .meta({ description: 'Your own id, unique for the customer: the same grant twice is one grant.' }),
  customer: customerIdSchema,
  feature: catalogKeySchema,
  quantity: positiveSchema,
  effective: timeTextSchema.optional().meta({ description: 'From when it counts; now when absent.' }),
  expires: timeTextSchema.nullable().default(null).meta({ description: 'Until when it counts; null: for good.' }),
});

export const grantSchema = grantInputSchema.extend({
  effective: instantSchema,
  expires: instantSchema.nullable(),
}) satisfies z.ZodType<EntitlementGrant>;

export interface CreateGrantDeps {
  readonly grants: GrantStore;
  readonly features: FeatureSources;
  readonly customers: Pick<CustomerStore, 'find'>;
  readonly clock: Clock;
}

/** Everybody who checks reads all grants of a customer. */
const MAX_GRANTS = 100;

/**
 * Gives a customer extra allowance for a metered feature that it has now or when the grant begins. The same grant again is that
 * grant. Throws `grant_invalid` with every fault, `customer_not_found`, `grant_exists` (its id, another grant) or
 * `too_many_grants`.
 */
export async function createGrant(
  input: { readonly project: ProjectId; readonly grant: z.output<typeof grantInputSchema> },
  deps: CreateGrantDeps,
): Promise<{ readonly grant: EntitlementGrant; readonly isNew: boolean }> {
  const { project, grant: given } = input;
  const { customer, id } = given;
  if (!(await deps.customers.find(project, customer))) {
    throw notFound('customer_not_found', `No customer ${customer.slice(0, 64)} in this project.`);
  }
  const known = await deps.grants.find(project, customer, id);
  const asked = given.effective === undefined ? null : parseInstant(given.effective);
  const expires = given.expires === null ? null : parseInstant(given.expires);
  const grant: EntitlementGrant = { ...given, expires, effective: asked ?? known?.effective ?? deps.clock.now() };
  if (known !== undefined) return sameOr(known, grant);
  const faults = [...spanFaults(grant), ...(await featureFaults(project, grant, deps))];
  if (faults.length > 0) throw faulty('grant_invalid', 'The grant', faults);
  const others = await deps.grants.list(project, customer, { limit: MAX_GRANTS });
  if (others.items.length >= MAX_GRANTS) {
    throw conflict('too_many_grants', `The customer has ${MAX_GRANTS} grants, the most there can be.`);
  }
  if ((await deps.grants.create(project, grant)) === 'stored') return { grant, isNew: true };
  const made = await deps.grants.find(project, customer, id);
  if (made === undefined) throw invariantBroken('grant_missing', `The grant ${id} is taken and is not there.`);
  return sameOr(made, { ...grant, effective: asked ?? made.effective });
}

function sameOr(known: EntitlementGrant, grant: EntitlementGrant) {
  if (canonicalJson(known) === canonicalJson(grant)) return { grant: known, isNew: false };
  throw conflict('grant_exists', `Another grant of the customer has the id ${known.id.slice(0, 64)}; use another id.`);
}

function spanFaults({ effective, expires }: EntitlementGrant): Fault[] {
  if (expires === null || effective < expires) return [];
  const expected = `a time after ${effective}, when it begins`;
  return [
    {
      field: 'expires',
      code: 'expires_invalid',
      detail: `Got ${expires}; expected ${expected}.`,
      got: expires,
      expected,
    },
  ];
}

async function featureFaults(project: ProjectId, grant: EntitlementGrant, deps: CreateGrantDeps): Promise<Fault[]> {
  const { customer, feature, effective } = grant;
  const metered = new Set<string>();
  for (const at of [deps.clock.now(), effective]) {
    const inputs = await deps.features.read(project, customer, at);
    if (inputs === undefined) continue;
    for (const known of resolveFeatures(inputs, at).values()) if (known.kind === 'metered') metered.add(known.feature);
  }
  if (metered.has(feature)) return [];
  const expected = `a metered feature of the customer: ${[...metered].sort().join(', ') || '(it has none)'}`;
  return [
    {
      field: 'feature',
      code: 'feature_not_metered',
      detail: `Got ${feature}; expected ${expected}.`,
      got: feature,
      expected,
    },
  ];
}
