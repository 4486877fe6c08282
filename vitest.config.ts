import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        // The runner's default leaves one processor alone: of two that would be one file at a time.
        test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: ['test/scenarios/**'], maxWorkers: '100%' },
      },
      {
        // Each file starts a whole stack: one after the other, and only once the rest has given the processor back.
        extends: true,
        test: {
          name: 'scenarios',
          include: ['test/scenarios/**/*.test.ts'],
          globalSetup: ['test/support/scenario-assembly.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
