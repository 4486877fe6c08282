import Table, { type HorizontalAlignment } from 'cli-table3';

export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** By column; left where nothing is said. */
  readonly aligns?: readonly HorizontalAlignment[];
}

/** A table for the terminal, a pipe or a log alike: no colour, no rule between rows. */
export function textTable({ head, rows, aligns = [] }: TextTable): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => aligns[column] ?? 'left'),
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  // The library draws a rule between any two rows; the one below the head is the third line.
  const [top = '', names = '', rule = '', ...rest] = table.toString().split('\n');
  return [top, names, rule, ...rest.filter((line) => !line.startsWith('├'))].join('\n');
}
