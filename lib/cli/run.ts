import { CommanderError } from 'commander';
import { EXIT, UsageError } from './errors.js';
import { buildProgram } from './program.js';

/**
 * Runs the command line.
 *
 * @param argv - without the program's name
 * @returns the exit code: 0 done, 1 failed, 2 the command line or the configuration is wrong, 130 interrupted
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it. Help that was asked for is no error; help instead of a command is one.
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    return report(error, argv.includes('--json'));
  }
}

function report(error: unknown, json: boolean): number {
  const { name, message, code, exitCode, stack } = describe(error);
  const status = exitCode ?? (error instanceof UsageError ? EXIT.usage : EXIT.failure);
  // An error of the library's own kind says all there is; anything else is a defect, whose place matters.
  const known = ['UsageError', 'FoveaError'].includes(name) && !process.env['FOVEA_DEBUG'];
  // Who was interrupted knows.
  if (name !== 'InterruptError') process.stderr.write(`fovea: ${known ? message : (stack ?? message)}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ error: { name, code, message } }, null, 2)}\n`);
  return status;
}

interface Described {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly exitCode?: number;
  readonly stack?: string;
}

function describe(error: unknown): Described {
  return error instanceof Error ? error : { name: 'Error', message: String(error) };
}
