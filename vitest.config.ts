import { defineConfig } from 'vitest/config';
import CountReporter from './test/support/count-reporter.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**', 'test/golden/**', '**/node_modules/**'],
    // A native addon lives in a process: a crash in one file must not take the others' results along.
    pool: 'forks',
    // The addon computes on its own threads (one per core), so test files running side by side only compete with
    // each other; one file at a time is as fast, and keeps timing-sensitive tests honest.
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', new CountReporter()],
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts', 'models/**/*.ts'],
      reporter: ['text-summary', 'html'],
    },
  },
});
