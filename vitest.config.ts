import { mkdirSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { defineConfig } from 'vitest/config';
import CountReporter from './test/support/count-reporter.js';

const exclude = ['test/soak/**', 'test/golden/**', '**/node_modules/**'];

/** What measures time, or gives a server some tenths of a second to answer: one file at a time, after all others. */
const timed = [
  'test/backends/native-plan.test.ts',
  'test/cli/usage.test.ts',
  'test/data/{batch,dataset,fashion-mnist,iteration,lock}.test.ts',
  'test/data/download*.test.ts',
  'test/data/images/{csv,reading}.test.ts',
  'test/graph/memory-planner.test.ts',
  'test/meta/tooling.test.ts',
  'test/weights/hub/*.test.ts',
];

/** What convolutions of tests remember of their timing is not the user's: its shapes are many, and no program's. */
const tuning = process.env['FOVEA_TUNING'] ?? path.join(import.meta.dirname, 'build/tuning');
if (tuning !== '') mkdirSync(tuning, { recursive: true });

export default defineConfig({
  test: {
    env: { FOVEA_TUNING: tuning },
    // A native addon lives in a process: a crash in one file must not take the others' results along.
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, ...timed],
          // The addon computes on threads of its own, one per core; the second file is for the times in which the first
          // is in JavaScript or waits for a process. More would only compete.
          maxWorkers: Math.min(2, os.availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'timed', include: timed, exclude, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
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
