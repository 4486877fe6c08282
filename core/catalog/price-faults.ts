import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { priceSchema } from '../money/decimal-schema.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { matrixFaults } from './matrix-faults.ts';
import type { Aggregation, Meter } from './meter.ts';
import { type PriceModel, TRANSACTION_FIELDS } from './price.ts';
import { SUPPORTED_AGGREGATIONS } from './supported-pairs.ts';
import { tierFaults } from './tier-faults.ts';

type Path = readonly PropertyKey[];

const modelPart = z.looseObject({ meter: z.string(), price: z.looseObject({ model: z.string() }) });
const percentagePart = z.looseObject({
  meter: z.string().optional(),
  allowance: z.unknown().optional(),
  price: z.looseObject({ model: z.literal('percentage') }),
});
const transactionBounds = z.looseObject({
  price: z.looseObject({ transactionMinimum: priceSchema, transactionMaximum: priceSchema }),
});

/**
 * Faults of a charge's price that a schema cannot express: tiers, matrix entries, models that cannot price what the meter
 * yields, and prices per transaction. Each rule looks only at the part it needs. `at` is the path of the charge.
 */
export function priceFaults(charge: unknown, at: Path, meters: readonly Meter[]): Fault[] {
  const price = z.looseObject({ price: z.unknown() }).safeParse(charge).data?.price;
  const meterKey = z.looseObject({ meter: z.string() }).safeParse(charge).data?.meter;
  const meter = meters.find(({ key }) => key === meterKey);
  return [
    ...tierFaults(price, [...at, 'price']),
    ...matrixFaults(price, [...at, 'price'], meter),
    ...pairFaults(charge, at, meters),
    ...balanceFaults(charge, at, meter),
    ...transactionFaults(charge, at, meter),
    ...transactionBoundFaults(charge, at),
  ];
}

/** The fault of a price model that cannot price what the meter's aggregation yields, if it is one. */
export function pairFaults(
  charge: unknown,
  at: Path,
  meters: readonly Meter[],
  supported: Readonly<Record<string, readonly Aggregation[]>> = SUPPORTED_AGGREGATIONS,
): Fault[] {
  const part = modelPart.safeParse(charge).data;
  const aggregation = meters.find((meter) => meter.key === part?.meter)?.aggregation;
  const allowed = part && supported[part.price.model as PriceModel];
  if (!part || !aggregation || !allowed || allowed.includes(aggregation)) return [];
  const expected = `a model for ${aggregation} meters, or a meter of the kind ${allowed.join(', ')}`;
  return [
    {
      field: wirePath([...at, 'price', 'model']),
      code: 'unsupported_pair',
      detail: `Got the model ${part.price.model} on the ${aggregation} meter ${part.meter}; expected ${expected}.`,
      got: shown(part.price.model),
      expected,
    },
  ];
}

/** A price that events bring themselves is due once; a balance that carries over would bill it in every period. */
function balanceFaults(charge: unknown, at: Path, meter: Meter | undefined): Fault[] {
  const model = modelPart.safeParse(charge).data?.price.model;
  if (
    model !== 'dynamic' ||
    meter?.reset !== 'carry_over' ||
    !SUPPORTED_AGGREGATIONS.dynamic.includes(meter.aggregation)
  )
    return [];
  const expected = 'a meter that begins every period at zero';
  return [
    {
      field: wirePath([...at, 'price', 'model']),
      code: 'unsupported_pair',
      detail: `Got the model dynamic on the meter ${meter.key}, which carries over, so that its events would be billed again in every period; expected ${expected}.`,
      got: shown(model),
      expected,
    },
  ];
}

/** A price that looks at single transactions needs a meter that keeps them as they came, and all of them: no allowance. */
function transactionFaults(charge: unknown, at: Path, meter: Meter | undefined): Fault[] {
  const part = percentagePart.safeParse(charge).data;
  const fields = part ? TRANSACTION_FIELDS.filter((field) => part.price[field] !== undefined) : [];
  if (!part || fields.length === 0) return [];
  const faults: Fault[] = [];
  if (meter && SUPPORTED_AGGREGATIONS.percentage.includes(meter.aggregation) && meter.aggregation !== 'transactions') {
    const expected = 'a meter with the aggregation transactions, which keeps single amounts';
    for (const field of fields) {
      faults.push({
        field: wirePath([...at, 'price', field]),
        code: 'needs_transactions',
        detail: `Got a price per transaction on the ${meter.aggregation} meter ${meter.key}; expected ${expected}.`,
        got: shown(meter.aggregation),
        expected,
      });
    }
  }
  if (meter?.rounding) {
    faults.push({
      field: wirePath([...at, 'meter']),
      code: 'meter_rounds',
      detail: `Got the meter ${meter.key}, which rounds its quantity; a price per transaction needs one that does not.`,
      got: shown(meter.key),
    });
  }
  if (part.allowance !== undefined) {
    const expected = 'no allowance: what is free of a price per transaction is its free_amount and free_events';
    faults.push({
      field: wirePath([...at, 'allowance']),
      code: 'allowance_not_allowed',
      detail: `Got ${shown(part.allowance)}; expected ${expected}.`,
      got: shown(part.allowance),
      expected,
    });
  }
  return faults;
}

function transactionBoundFaults(charge: unknown, at: Path): Fault[] {
  const bounds = transactionBounds.safeParse(charge).data?.price;
  if (!bounds) return [];
  const { transactionMinimum: minimum, transactionMaximum: maximum } = bounds;
  if (Decimal.parse(minimum).compare(Decimal.parse(maximum)) <= 0) return [];
  return [
    {
      field: wirePath([...at, 'price', 'transactionMinimum']),
      code: 'minimum_above_maximum',
      detail: `Got a minimum of ${minimum} and a maximum of ${maximum}; expected a minimum of at most the maximum.`,
      got: shown(minimum),
      expected: `at most ${maximum}`,
    },
  ];
}
