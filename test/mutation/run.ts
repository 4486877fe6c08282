import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type MutationReport, scoresOf, tableOf } from './score.ts';

/**
 * `npm run mutation`: plants one small defect after another in core/money, core/time and core/rating and counts those that
 * the folder's own tests notice. A folder at a time, with one worker: it takes minutes, so it is no part of CI.
 */
const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['money', 'time', 'rating'] as const;
const REQUIRED = 90;

const command = new Command('npm run mutation --')
  .description('Mutation score of the folders that count money and time; 90 or better is required of each.')
  .argument('[folders...]', `some of ${FOLDERS.join(', ')}; all when absent`)
  .option('--survivors', 'also list every mutant that no test noticed')
  .option(
    '--files <globs>',
    'only these files of the folder, comma-separated, such as "rate.ts,adjustments/*.ts"',
    '**/*.ts',
  )
  .addHelpText('after', '\nExamples:\n  npm run mutation\n  npm run mutation -- money time --survivors\n')
  .parse();
const options = command.opts<{ survivors?: boolean; files: string }>();

function foldersOf(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !(FOLDERS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`expected some of ${FOLDERS.join(', ')}; got ${unknown}`);
  }
  return names.length === 0 ? FOLDERS : names;
}

function mutate(folder: string): MutationReport {
  const file = join(ROOT, '.stryker/report.json');
  rmSync(file, { force: true });
  const files = options.files.split(',').map((glob) => `core/${folder}/${glob}`);
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', '--mutate', files.join(',')],
    { cwd: ROOT, env: { ...process.env, MUTATED_FOLDER: folder }, stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) throw new Error(`Stryker ended with status ${status} in core/${folder}.`);
  return JSON.parse(readFileSync(file, 'utf8')) as MutationReport;
}

let isEnough = true;
for (const folder of foldersOf(command.args)) {
  const scores = scoresOf(mutate(folder));
  if (scores.files.every(({ killed, survived }) => killed + survived === 0))
    throw new Error('There was nothing to mutate.');
  console.log(`\n## core/${folder}\n\n${tableOf(scores)}`);
  if (options.survivors) for (const { survivors } of scores.files) for (const text of survivors) console.log(text);
  isEnough &&= scores.total.score >= REQUIRED;
}
if (!isEnough) {
  console.error(`A folder is below ${REQUIRED}.`);
  process.exitCode = 1;
}
