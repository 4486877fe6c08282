import type { ContractVersion } from '../catalog/contract.ts';
import type { ContractStore, MeterStore, PlanStore } from '../catalog/ports.ts';
import { misfits } from '../catalog/term-faults.ts';
import { BillingError } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Phase } from './phase.ts';
import type { Subscription } from './subscription.ts';

export interface MisfitDeps {
  readonly contracts: Pick<ContractStore, 'ofCustomer'>;
  readonly meters: Pick<MeterStore, 'newest'>;
  readonly plans: Pick<PlanStore, 'find'>;
}

/**
 * Throws `contract_does_not_fit` when a contract of the customer is in force on a plan version that the subscription moves to
 * and cannot be laid over it: found out when it is written, and not when a month is billed.
 */
export async function refuseMisfit(
  { project, wanted }: { readonly project: ProjectId; readonly wanted: Subscription },
  deps: MisfitDeps,
): Promise<void> {
  const { versions } = await deps.contracts.ofCustomer(project, wanted.customer);
  if (versions.length === 0) return;
  const { meters } = await deps.meters.newest(project, 'fresh');
  const newest = [...new Map(versions.map((version) => [version.id, version])).values()];
  for (const phase of wanted.phases) {
    for (const contract of newest.filter((version) => isAbout(version, phase))) {
      const plan = await deps.plans.find(project, phase.plan, phase.planVersion);
      const faults = plan === undefined ? [] : misfits(contract, plan, meters);
      if (faults.length === 0) continue;
      const [first] = faults;
      throw new BillingError({
        kind: 'conflict',
        code: 'contract_does_not_fit',
        message: `The contract ${contract.id} of this customer does not fit ${phase.plan}@${phase.planVersion}: ${first?.field}: ${first?.detail} Write a version of the contract that does, or end it first.`,
        faults,
        context: { contract: contract.id },
      });
    }
  }
}

function isAbout({ plan, end }: ContractVersion, phase: Phase): boolean {
  return plan === phase.plan && (end === null || phase.from < end);
}
