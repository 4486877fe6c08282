import { expect, test } from 'vitest';
import { type MutationReport, scoresOf, tableOf } from './score.ts';

const mutant = (status: string, line = 1) => ({
  status,
  mutatorName: 'ConditionalExpression',
  replacement: 'true',
  location: { start: { line, column: 5 }, end: { line, column: 10 } },
});
const report: MutationReport = {
  files: {
    'core/money/b.ts': { source: 'if (a > b) {\n', mutants: [mutant('Killed'), mutant('Timeout')] },
    'core/money/a.ts': {
      source: 'if (a > b) {\nif (c < d) {\n',
      mutants: [
        mutant('Killed'),
        mutant('Survived'),
        mutant('NoCoverage', 2),
        mutant('Ignored'),
        mutant('CompileError'),
      ],
    },
    'core/money/c.ts': { source: '', mutants: [] },
  },
};

test('noticed mutants count against all that could be noticed, cut and never rounded up', () => {
  const { files, total } = scoresOf(report);
  expect(files.map(({ file, score }) => [file, score])).toEqual([
    ['core/money/a.ts', 33.3], // 1 of 3
    ['core/money/b.ts', 100],
    ['core/money/c.ts', 100],
  ]);
  expect(total).toMatchObject({ killed: 2, timedOut: 1, survived: 1, uncovered: 1, score: 60 }); // 3 of 5
});

test('a survivor is shown with the code it replaced', () => {
  expect(scoresOf(report).files[0]?.survivors).toEqual([
    'core/money/a.ts:1:5 ConditionalExpression: a > b -> true',
    'core/money/a.ts:2:5 ConditionalExpression: c < d -> true',
  ]);
});

test('the table has a row a file and one for all', () => {
  expect(tableOf(scoresOf(report)).split('\n')).toEqual([
    '| file | score | killed | timed out | survived | not covered |',
    '| --- | --- | --- | --- | --- | --- |',
    '| core/money/a.ts | 33.3 | 1 | 0 | 1 | 1 |',
    '| core/money/b.ts | 100.0 | 1 | 1 | 0 | 0 |',
    '| core/money/c.ts | 100.0 | 0 | 0 | 0 | 0 |',
    '| all | 60.0 | 2 | 1 | 1 | 1 |',
  ]);
});
