import { canonicalJson } from '../canonical-json.ts';
import { BillingError, invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { PlanVersion } from './plan.ts';
import type { MeterStore, PlanStore } from './ports.ts';
import { readPlan } from './read-plan.ts';

const TRIES = 5;
/** A version is one item of the database, which holds 400 KB; characters of JSON. */
const MAX_DOCUMENT_LENGTH = 100_000;

/**
 * Creates a plan, or the next version of the plan with its key; a plan that equals its newest version is that version.
 * `input.plan` has camelCase keys. Subscriptions stay on the version they were made with. Throws `plan_invalid` with every
 * fault, those against the project's meters included.
 */
export async function createPlanVersion(
  input: { project: ProjectId; plan: unknown },
  deps: { plans: PlanStore; meters: MeterStore },
): Promise<{ readonly version: PlanVersion; readonly isNew: boolean }> {
  const { meters } = await deps.meters.newest(input.project, 'fresh');
  const plan = readPlan(input.plan, meters);
  if (JSON.stringify(plan).length > MAX_DOCUMENT_LENGTH) {
    throw invalid(
      'plan_too_large',
      `The plan is larger than ${MAX_DOCUMENT_LENGTH} characters; use fewer charges or tiers.`,
    );
  }
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const newest = await deps.plans.newest(input.project, plan.plan);
    const version: PlanVersion = { ...plan, version: (newest?.version ?? 0) + 1 };
    if (newest && canonicalJson({ ...version, version: newest.version }) === canonicalJson(newest)) {
      return { version: newest, isNew: false };
    }
    if ((await deps.plans.create(input.project, version)) === 'stored') return { version, isNew: true };
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: `Other versions of the plan ${plan.plan} were being written. Send the same request again.`,
  });
}
