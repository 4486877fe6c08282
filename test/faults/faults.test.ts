import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { runSchedule } from './schedule.ts';

const SCHEDULES = 2000;
const MUTANT_SCHEDULES = 400;

describe('the usage log under faults', () => {
  it(`counts every accepted event exactly once in ${SCHEDULES} schedules of crashes, lost answers and redeliveries`, async () => {
    const failures: string[] = [];
    for (let seed = 1; seed <= SCHEDULES && failures.length < 5; seed++) {
      const found = await runSchedule(seed);
      if (found.length > 0) failures.push(`seed ${seed}: ${found.slice(0, 3).join('; ')}`);
    }
    expect(failures).toEqual([]);
  }, 240_000);

  it.each(MUTANTS)(
    'fails when a rule is taken away: $name',
    async (mutant) => {
      for (let seed = 1; seed <= MUTANT_SCHEDULES; seed++) {
        if ((await runSchedule(seed, mutant)).length > 0) return;
      }
      expect.fail(`${MUTANT_SCHEDULES} schedules did not notice: ${mutant.name}`);
    },
    120_000,
  );
});
