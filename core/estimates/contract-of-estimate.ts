import type { ContractVersion } from '../catalog/contract.ts';
import type { Meter } from '../catalog/meter.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import { contractFaults } from '../catalog/read-contract.ts';
import type { CustomerId } from '../ids.ts';
import { type EffectivePlan, effectivePlan } from '../rating/effective-plan.ts';
import type { BillingPeriod } from '../time/billing-period.ts';
import type { EstimateOptions } from './estimate-request.ts';
import { estimateInvalid } from './estimate-span.ts';

/**
 * The plan with the terms of the request laid over it, held to the rules of a contract that is written. Its lines name their prices
 * `contract:estimate@0`. Throws `estimate_invalid` with every fault of the terms, at `contract`.
 */
export function withContract(
  plan: PlanVersion,
  terms: EstimateOptions['contract'],
  context: { readonly meters: readonly Meter[]; readonly period: BillingPeriod },
): EffectivePlan {
  if (terms === undefined) return { plan };
  const { currency, interval } = plan;
  const written = { id: 'estimate', customer: 'estimate' as CustomerId, plan: plan.plan, currency };
  const { start } = context.period;
  const faults = contractFaults({ ...written, start, ...terms }, [plan], context.meters);
  if (faults.length > 0) {
    throw estimateInvalid(faults.map((fault) => ({ ...fault, field: `contract.${fault.field}` })));
  }
  const contract: ContractVersion = { ...written, version: 0, interval, start, end: null, ...terms };
  return effectivePlan(plan, contract);
}
