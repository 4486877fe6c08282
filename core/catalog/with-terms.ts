import type { Charge } from './charge.ts';
import type { ChargeOverride, ContractTerms } from './contract.ts';
import type { PlanVersion } from './plan.ts';

/** The plan with a contract's terms instead of its own. */
export function withTerms<P extends Pick<PlanVersion, 'charges' | 'commitment' | 'envelopes'>>(
  plan: P,
  { overrides, commitment, envelopes, discount }: ContractTerms,
): P {
  const byCharge = new Map(overrides.map((override) => [override.charge, override]));
  return {
    ...plan,
    charges: plan.charges.map((charge) =>
      overridden(discount === undefined ? charge : { ...charge, discount }, byCharge.get(charge.key)),
    ),
    ...(commitment === undefined ? {} : { commitment: commitment ?? undefined }),
    ...(envelopes === undefined ? {} : { envelopes: envelopes ?? undefined }),
  };
}

function overridden(charge: Charge, override: ChargeOverride | undefined): Charge {
  if (override === undefined) return charge;
  const { charge: _key, ...fields } = override;
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  // null takes the plan's term away
  const merged = { ...charge, ...Object.fromEntries(given) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)) as unknown as Charge;
}
