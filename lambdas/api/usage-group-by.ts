import type { Meter } from '../../core/catalog/meter.ts';
import { type Fault, invalid } from '../../core/errors.ts';

/** The dimensions that the query parameter `group_by` names, by commas. Throws `group_by_invalid` for one that no meter asked for has. */
export function usageGroupBy(text: string | undefined, meters: readonly Meter[]): readonly string[] {
  const names = [...new Set((text ?? '').split(',').filter((name) => name !== ''))];
  const known = new Set(meters.flatMap(({ dimensions }) => dimensions));
  const faults: Fault[] = names
    .filter((name) => !known.has(name))
    .map((name) => ({
      field: 'group_by',
      code: 'unknown_dimension',
      detail: `Got the dimension ${JSON.stringify(name.slice(0, 64))}, which no meter asked for has.`,
      got: name.slice(0, 64),
      expected: [...known].join(', ').slice(0, 200) || 'nothing: these meters have no dimensions',
    }));
  if (faults.length > 0) throw invalid('group_by_invalid', 'group_by names a dimension that does not exist.', faults);
  return names;
}
