import type { PlanVersion } from '../catalog/plan.ts';
import type { PlanStore } from '../catalog/ports.ts';
import { conflict } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { overlapOf } from './overlap.ts';
import type { StoredCustomer, SubscriptionStore } from './ports.ts';
import type { Subscription } from './subscription.ts';

export interface OverlapDeps {
  readonly plans: Pick<PlanStore, 'find'>;
  readonly subscriptions: Pick<SubscriptionStore, 'findAll'>;
}

/**
 * Throws `subscription_overlaps` when another subscription of the customer would bill the same plan or meter at the same time
 * as `wanted`, naming it, what both would bill, and from when. To be trusted only under a write that fails when the customer
 * has changed since it was read.
 */
export async function refuseOverlap(
  asked: { project: ProjectId; wanted: Subscription; customer: StoredCustomer },
  deps: OverlapDeps,
): Promise<void> {
  const { project, wanted, customer } = asked;
  const ids = customer.subscriptions.filter((id) => id !== wanted.id);
  const others = (await deps.subscriptions.findAll(project, ids)).map(({ subscription }) => subscription);
  if (others.length === 0) return;
  const plans = await plansOf(project, [wanted, ...others], deps.plans);
  for (const other of others) {
    const overlap = overlapOf(wanted, other, (phase) => plans.get(nameOf(phase)));
    if (overlap === null) continue;
    throw conflict(
      'subscription_overlaps',
      `The subscription ${shortened(other.id)} (from ${other.start} to ${other.end ?? 'open'}) already bills ${overlap.what} of this customer at ${overlap.from}. End or pause it first, or begin when it ends.`,
      { subscription: other.id, what: overlap.what, from: overlap.from },
    );
  }
}

async function plansOf(project: ProjectId, subscriptions: readonly Subscription[], plans: OverlapDeps['plans']) {
  const found = new Map<string, PlanVersion | undefined>();
  for (const phase of subscriptions.flatMap(({ phases }) => phases)) {
    const name = nameOf(phase);
    if (!found.has(name)) found.set(name, await plans.find(project, phase.plan, phase.planVersion));
  }
  return found;
}

function nameOf({ plan, planVersion }: { plan: string; planVersion: number }): string {
  return `${plan}@${planVersion}`;
}

/** An id as messages show it. */
export function shortened(text: string): string {
  return text.length > 64 ? `${text.slice(0, 61)}...` : text;
}
