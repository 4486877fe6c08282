import { expect, test } from 'vitest';
import { textTable } from '../../cli/text-table.ts';

test('a table is plain text with a rule below its head only', () => {
  const table = textTable({
    head: ['customer', 'invoiced'],
    rows: [
      ['acme', '114.39'],
      ['bolt', 9],
    ],
    aligns: ['left', 'right'],
  });
  expect(table).toBe(
    [
      '┌──────────┬──────────┐',
      '│ customer │ invoiced │',
      '├──────────┼──────────┤',
      '│ acme     │   114.39 │',
      '│ bolt     │        9 │',
      '└──────────┴──────────┘',
    ].join('\n'),
  );
});

test('a table without rows keeps its head', () => {
  expect(textTable({ head: ['id'], rows: [] })).toBe(['┌────┐', '│ id │', '└────┘'].join('\n'));
});
