import * as z from 'zod';
import { type Meter, meterInputSchema } from '../catalog/meter.ts';
import { type PlanVersion, planInputSchema } from '../catalog/plan.ts';
import { duplicateKeyFaults, meterFaults } from '../catalog/read-meters.ts';
import { planFaults } from '../catalog/read-plan.ts';
import type { Fault } from '../errors.ts';
import { type Currency, currencySchema } from '../money/currency.ts';
import { faultsOf, wirePath } from '../schema-faults.ts';
import { type EstimateOptions, estimateOptionsSchema, PLAN_FIELDS } from './estimate-request.ts';
import { estimateInvalid } from './estimate-span.ts';
import { usageFaults } from './usage-faults.ts';

export interface ReadEstimate {
  /** The plan written in the request, as version 0; null where it names a stored one. */
  readonly inline: PlanVersion | null;
  /** Key of the stored plan, where there is no inline one; null where the customer's own subscriptions are meant. */
  readonly stored: string | null;
  /** Names one of the currencies of the customer, in that case. */
  readonly currency: Currency | undefined;
  /** Those of the request, then the project's. */
  readonly meters: readonly Meter[];
  readonly options: EstimateOptions;
}

const meterListPart = z.looseObject({ meters: z.array(z.looseObject({})) });

/**
 * Reads an estimate's request (camelCase keys) against the project's meters. Throws `invalid` (code `estimate_invalid`) with
 * every fault of plan, meters and usage at once, fields as the caller wrote them.
 */
export function readEstimate(input: unknown, projectMeters: readonly Meter[]): ReadEstimate {
  const given = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  const isOfPlan = ([name]: [string, unknown]) => PLAN_FIELDS.includes(name);
  const plan: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(given).filter(isOfPlan));
  const { own, list, faults: ofMeters } = metersOf(given);
  const options = { ...Object.fromEntries(Object.entries(given).filter((entry) => !isOfPlan(entry))), ...list };
  const parsed = estimateOptionsSchema.safeParse(options);
  const meters = allMeters(own, projectMeters);
  const isInline = 'charges' in plan;
  const isOwn = !isInline && !('plan' in plan) && 'customer' in options;
  const named = { plan: 'estimate', name: 'Estimate', ...plan };
  const faults = [
    ...ofMeters,
    ...(parsed.success ? [] : faultsOf(parsed.error, options).filter((fault) => !fault.field.startsWith('meters['))),
    ...(isInline ? planFaults(named, meters) : isOwn ? ownFaults(plan, options) : storedFaults(plan)),
    ...(parsed.success ? optionFaults(parsed.data, meters, isInline) : []),
  ];
  if (faults.length > 0 || !parsed.success) throw estimateInvalid(faults);
  const inline = isInline ? { ...planInputSchema.parse(named), version: 0 } : null;
  const currency = currencySchema.safeParse(plan.currency).data;
  return { inline, stored: isOwn ? null : String(plan.plan), currency, meters, options: parsed.data };
}

/** Meters need no event type or value here; with both filled in they are held to the rules of every meter. */
function metersOf(given: object): { own: readonly Meter[]; list: object; faults: Fault[] } {
  const written = meterListPart.safeParse(given).data?.meters;
  if (written === undefined) return { own: [], list: {}, faults: [] };
  const meters = written.map((meter) => ({
    eventType: 'estimate',
    ...(meter.aggregation !== 'count' && { value: 'value' }),
    ...meter,
  }));
  const faults = meters.flatMap((meter, index) => meterFaults(meter, ['meters', index]));
  const own = meters.flatMap((meter) => meterInputSchema.safeParse(meter).data ?? []);
  return { own, list: { meters }, faults: [...faults, ...duplicateKeyFaults(meters, ['meters'])] };
}

function allMeters(own: readonly Meter[], projectMeters: readonly Meter[]): readonly Meter[] {
  const keys = new Set(own.map(({ key }) => key));
  return [...own, ...projectMeters.filter(({ key }) => !keys.has(key))];
}

/** What goes with a customer's own subscriptions, which have their plans, their time and their usage. */
const WITH_OWN = ['customer', 'period', 'at', 'bills'];

function ownFaults(plan: Readonly<Record<string, unknown>>, options: object): Fault[] {
  const { currency, ...others } = plan;
  const parsed = currencySchema.optional().safeParse(currency);
  const beside = [...Object.keys(others), ...Object.keys(options).filter((name) => !WITH_OWN.includes(name))];
  return [
    ...(parsed.success ? [] : faultsOf(parsed.error, currency, ['currency'])),
    ...beside
      .filter((name) => PLAN_FIELDS.includes(name) || name in estimateOptionsSchema.shape)
      .map((name) => {
        const detail =
          'The subscriptions of the customer have their own; remove this field, or name a plan or write charges.';
        return { field: wirePath([name]), code: 'not_allowed', detail };
      }),
  ];
}

function storedFaults(plan: Readonly<Record<string, unknown>>): Fault[] {
  if (typeof plan.plan !== 'string') {
    const expected = 'charges with their currency, or plan, the key of a plan of the project, or a customer';
    return [{ field: 'charges', code: 'missing', detail: `Got nothing; expected ${expected}.`, expected }];
  }
  return Object.keys(plan)
    .filter((name) => name !== 'plan')
    .map((name) => {
      const detail = 'A stored plan has its own; remove this field, or write the charges too.';
      return { field: name, code: 'not_allowed', detail };
    });
}

function optionFaults(options: EstimateOptions, meters: readonly Meter[], isInline: boolean): Fault[] {
  const faults = [...usageFaults(options, meters), ...usageFaults(options.billed ?? {}, meters, ['billed'])];
  const clash = (field: string, detail: string) => faults.push({ field, code: 'not_allowed', detail });
  if (isInline && options.planVersion !== undefined)
    clash('plan_version', 'The charges are written here, so no version of a plan is read; remove it or the charges.');
  if (options.period !== undefined && (options.at ?? options.anchor) !== undefined)
    clash('period', 'The period is named, so it follows from no time; remove it, or `at` and `anchor`.');
  return faults;
}
