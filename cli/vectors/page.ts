import type { Outcome } from './run-vector.ts';

const HEADING = `# Worked examples of other systems

Examples from the test suites of Lago, OpenMeter, FlexPrice and Meteroid and from Stripe's documentation, each run through
\`POST /v1/estimates\` (the API function's own handler, in process) and compared number by number. This page is written by

    npm run vectors -- FOLDER

where FOLDER holds the examples as JSON; the script fails when a number differs without a ruling that says why.

- **reproduced**: the price model gives their number as it is.
- **reproduced with** an option: ours is another default; the option gives their number.
- **later**: it belongs to a capability that is not built yet.
- **differs**: a ruling of ours gives another answer, and the reason names it.

"Not shown" lists what the example also states and an estimate has no field for (a unit price averaged over tiers, a count of events).
`;

const WORDS: Readonly<Record<Outcome['verdict'], string>> = {
  reproduced: 'reproduced',
  option: 'reproduced with',
  later: 'later',
  differs: 'differs',
  mismatch: '**mismatch**',
};

/** docs/vectors.md. */
export function pageOf(outcomes: readonly Outcome[]): string {
  const sources = Map.groupBy(outcomes, ({ id }) => sourceOf(id));
  const parts = [...sources].map(([source, own]) => `## ${source}\n\n${tableOf(own)}\n`);
  return `${HEADING}\n${countsOf(outcomes)}\n\n${parts.join('\n')}`;
}

export function countsOf(outcomes: readonly Outcome[]): string {
  const counts = Object.keys(WORDS).map((verdict) => [
    verdict,
    outcomes.filter((outcome) => outcome.verdict === verdict).length,
  ]);
  const rows = counts
    .filter(([, count]) => count !== 0)
    .map(([verdict, count]) => `| ${WORDS[verdict as Outcome['verdict']]} | ${count} |`);
  return ['| | examples |', '| --- | ---: |', ...rows, `| all | ${outcomes.length} |`].join('\n');
}

function tableOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(
    ({ id, model, verdict, reason, notShown }) =>
      `| ${id} | ${model} | ${WORDS[verdict]} | ${reason.replaceAll('|', '\\|')} | ${notShown.join(', ')} |`,
  );
  return [
    '| example | model | | option, capability or ruling | not shown |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const SOURCES: readonly (readonly [prefix: string, name: string])[] = [
  ['lago-', 'Lago'],
  ['om-', 'OpenMeter'],
  ['fp-', 'FlexPrice'],
  ['me-', 'Meteroid'],
  ['st-', 'Stripe'],
];

function sourceOf(id: string): string {
  return SOURCES.find(([prefix]) => id.startsWith(prefix))?.[1] ?? 'Documentation';
}
