import { BillingError } from '../../../core/errors.ts';

/** What strikes one operation: a kill of the worker, or a lost call; before or after it took effect. */
export type Strike = 'kill_before' | 'kill_after' | 'lost_before' | 'lost_after';
export const STRIKES: readonly Strike[] = ['kill_before', 'kill_after', 'lost_before', 'lost_after'];

export class Killed extends Error {}

/** Counts operations and strikes the planned ones. */
export class Faults {
  count = 0;
  readonly names: string[] = [];
  readonly plan = new Map<number, Strike>();

  async around<T>(name: string, effect: () => T | Promise<T>): Promise<T> {
    this.count += 1;
    this.names.push(name);
    const strike = this.plan.get(this.count);
    // Others may run between any two operations.
    await Promise.resolve();
    if (strike === 'kill_before') throw new Killed(name);
    if (strike === 'lost_before') throw lost(name);
    const result = await effect();
    if (strike === 'kill_after') throw new Killed(name);
    if (strike === 'lost_after') throw lost(name);
    return result;
  }
}

function lost(name: string): BillingError {
  return new BillingError({ kind: 'provider', code: 'provider_unreachable', message: `${name} was lost` });
}
