import type { CostColumn, CostTable } from './cost.ts';
import type { Weight } from './function-weight.ts';
import { type GrowthRow, spreadOf } from './growth.ts';
import type { CpuRatio } from './handler-cpu.ts';
import type { RateOps } from './rate-ops.ts';

/** The results under the names that others rely on. */
export function handlerJson({ large, small }: { large: CpuRatio; small: CpuRatio }) {
  return { handler_cpu_ratio: large.ratio, handler_cpu_ratio_250b: small.ratio, handler_cpu: { large, small } };
}

export function rateOpsJson(result: RateOps) {
  return { rate_ops_ratio: result.ratio, rate_ops: result };
}

function usdBySize(columns: readonly CostColumn[]) {
  return Object.fromEntries(columns.map(({ eventsPerRequest, carried }) => [eventsPerRequest, carried.usd]));
}

export function costJson({ rates, foreignIdsExtra }: CostTable) {
  const { at_1000_per_s: full = [], ...others } = rates;
  const beside = Object.fromEntries(Object.entries(others).map(([name, columns]) => [name, usdBySize(columns)]));
  return {
    usd_per_million_events: { ...usdBySize(full), ...beside, foreign_ids_extra: foreignIdsExtra },
    usd_dominated_by: Object.fromEntries(
      Object.entries(rates).map(([name, columns]) => [
        name,
        Object.fromEntries(columns.map(({ eventsPerRequest, carried }) => [eventsPerRequest, largestLine(carried)])),
      ]),
    ),
    bills: Object.fromEntries(
      Object.entries(rates).map(([name, columns]) => [
        name,
        Object.fromEntries(columns.map(({ eventsPerRequest, carried }) => [eventsPerRequest, carried])),
      ]),
    ),
  };
}

export const GROWTH_COLUMNS = {
  usd_per_million_events: 'usdPerMillion',
  write_units_per_1000_events: 'writesPerThousandEvents',
  read_units_per_1000_events: 'readsPerThousandEvents',
  usage_query_read_units: 'usageQueryReadUnits',
  as_of_read_units: 'asOfReadUnits',
  entitlement_check_read_units: 'checkReadUnits',
} as const satisfies Record<string, keyof GrowthRow>;

export function growthJson(rows: readonly GrowthRow[]) {
  const columns = Object.entries(GROWTH_COLUMNS);
  return {
    growth: rows.map((row) => ({
      events: row.events,
      ...Object.fromEntries(columns.map(([name, column]) => [name, row[column]])),
    })),
    growth_spread: Object.fromEntries(columns.map(([name, column]) => [name, spreadOf(rows, column)])),
  };
}

/** The dearest line of a bill and its share of the whole. */
function largestLine({ lines, usd }: CostColumn['carried']): string {
  const [largest] = lines;
  return largest === undefined ? '' : `${largest.name}, ${Math.round((100 * largest.usd) / usd)} %`;
}

export function weightJson(weights: readonly Weight[]) {
  return {
    bundle_kb: Object.fromEntries(weights.map(({ name, wholeKb, ownKb }) => [name, { own: ownKb, whole: wholeKb }])),
    init_ms: Object.fromEntries(weights.map(({ name, initMs }) => [name, initMs])),
  };
}
