import cliProgress from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { MUTANTS } from './mutants.ts';
import { runSchedule } from './schedule.ts';

/** `npm run faults`: fault schedules by the thousand, and the proof that they notice a rule taken away. */
function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 on');
  return Number(text);
}

const command = new Command('npm run faults --')
  .description(
    'Runs the real usage log over a database that loses calls and answers, and checks every total against the truth.',
  )
  .option('-n, --schedules <count>', 'how many schedules', wholeNumber, 20_000)
  .option('--seed <seed>', 'the first seed; a failed schedule is repeated with its seed and -n 1', wholeNumber, 1)
  .option('--mutants', 'takes the rules away one by one; every one must be noticed')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run faults\n  npm run faults -- -n 1 --seed 4711\n  npm run faults -- --mutants\n',
  );
const { schedules, seed, mutants } = command.parse().opts<{ schedules: number; seed: number; mutants?: boolean }>();

async function checkSchedules(): Promise<number> {
  const bar = new cliProgress.SingleBar({
    format: '{bar} {value}/{total} schedules, {duration_formatted}, {bad} with differences',
  });
  bar.start(schedules, 0, { bad: 0 });
  let bad = 0;
  for (let i = 0; i < schedules; i++) {
    const found = await runSchedule(seed + i);
    if (found.length > 0) {
      bad += 1;
      console.error(`\nseed ${seed + i}:\n  ${found.join('\n  ')}`);
    }
    bar.update(i + 1, { bad });
  }
  bar.stop();
  console.log(bad === 0 ? `${schedules} schedules, no difference.` : `${bad} of ${schedules} schedules differ.`);
  return bad;
}

async function checkMutants(): Promise<number> {
  let survivors = 0;
  for (const mutant of MUTANTS) {
    let noticed = 0;
    for (let i = 0; i < Math.min(schedules, 3000) && noticed === 0; i++) {
      if ((await runSchedule(seed + i, mutant)).length > 0) noticed = i + 1;
    }
    if (noticed === 0) survivors += 1;
    console.log(
      `${noticed > 0 ? 'noticed ' : 'SURVIVED'}  ${mutant.name}${noticed > 0 ? ` (schedule ${noticed})` : ''}`,
    );
  }
  return survivors;
}

process.exitCode = (await (mutants === true ? checkMutants() : checkSchedules())) === 0 ? 0 : 1;
