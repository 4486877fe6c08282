import { type ContractVersion, contractSourceOf } from '../catalog/contract.ts';
import type { Envelope } from '../catalog/envelope.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import { withTerms } from '../catalog/with-terms.ts';
import type { PriceSources } from './rate.ts';

/** A plan as one customer has it, and where its prices come from that are not its own. */
export interface EffectivePlan {
  readonly plan: PlanVersion;
  readonly sources?: PriceSources | undefined;
}

/**
 * Lays a contract over a plan: what the contract says beats the plan, what it does not say stays the plan's. Charges and
 * envelopes it names that this version of the plan does not have are left out. Pure.
 */
export function effectivePlan(plan: PlanVersion, contract: ContractVersion | null): EffectivePlan {
  if (contract === null) return { plan };
  const source = contractSourceOf(contract);
  const touched = new Set([
    ...contract.overrides.map(({ charge }) => charge),
    ...(contract.envelopes === undefined ? [] : burners([...(plan.envelopes ?? []), ...(contract.envelopes ?? [])])),
  ]);
  const isDiscounted = contract.discount !== undefined;
  const charges = plan.charges
    .filter(({ key }) => isDiscounted || touched.has(key))
    .map(({ key }) => [key, source] as const);
  return {
    plan: withTerms(plan, contract),
    sources: {
      charges: Object.fromEntries(charges),
      ...(contract.commitment === undefined ? {} : { commitment: source }),
    },
  };
}

function burners(envelopes: readonly Envelope[]): readonly string[] {
  return envelopes.flatMap(({ burn }) => burn.map(({ charge }) => charge));
}
