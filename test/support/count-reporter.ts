import type { Reporter, TestModule, TestRunEndReason, Vitest } from 'vitest/node';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The one line that other tools read: `12 passed, 0 failed`, with `, 3 skipped` when there are any. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Prints the counts as the very last line of a run.
 *
 * A file that does not load, and an error outside any test, count as one failure each: otherwise a run in which nothing
 * could start would end in a cheerful "0 failed".
 */
export default class CountReporter implements Reporter {
  onInit(vitest: Vitest): void {
    // The end-of-run summary of the other reporters, and the coverage table, are printed after onTestRunEnd. What is
    // printed when the process exits comes after all of them.
    const watching = vitest.config.watch;
    if (!watching) process.once('exit', () => this.print());
  }

  private line: string | undefined;

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], _reason: TestRunEndReason): void {
    const counts: Counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      // A failed module with no failed test: it did not load, or a hook outside the tests threw.
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed++;
        else if (state === 'failed') failedTests++;
        else counts.skipped++;
      }
      counts.failed += failedTests === 0 && module.state() === 'failed' ? 1 : failedTests;
    }
    this.line = formatCounts(counts);
  }

  private print(): void {
    if (this.line !== undefined) process.stdout.write(`${this.line}\n`);
  }
}
