import { defineConfig } from 'vitest/config';

/** The tests that guard the folder under mutation, and no others: Stryker runs them once for every mutant (test/mutation/run.ts). */
const folder = process.env.MUTATED_FOLDER ?? '{money,time,rating}';

export default defineConfig({
  test: { include: [`test/core/${folder}/**/*.test.ts`], testTimeout: 20_000 },
});
