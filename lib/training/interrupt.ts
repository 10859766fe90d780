import { constants } from 'node:os';

/** The signals by which somebody asks a program to end. */
export type InterruptSignal = 'SIGINT' | 'SIGTERM';

/** Why a run was ended by Ctrl-C or `kill`: the reason of the signal that {@link onInterrupt} gives. */
export class InterruptError extends Error {
  /** What the process should exit with: 130 for Ctrl-C, 143 for `kill`. */
  readonly exitCode: number;

  constructor(readonly signal: InterruptSignal) {
    super(`interrupted by ${signal === 'SIGINT' ? 'Ctrl-C' : signal}`);
    this.name = 'InterruptError';
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** An {@link AbortSignal} that is tied to the process's signals until it is disposed. */
export interface Interrupt extends Disposable {
  /** For the `signal` option of `fit`, `evaluate`, `predict` and others; its reason is an {@link InterruptError}. */
  readonly signal: AbortSignal;
}

/** Options of {@link onInterrupt} and {@link interruptible}. */
export interface InterruptOptions {
  /** Called at the first signal. Says on standard error what will happen unless told. */
  readonly notify?: (error: InterruptError) => void;
}

/**
 * A signal that comes again this soon is the same one: a terminal sends Ctrl-C to all its processes, and `npm run` and
 * `tsx`, which are among them, hand it on as well.
 */
const SAME_MS = 500;

/**
 * Listens to Ctrl-C (SIGINT) and SIGTERM: the first one aborts the signal, so that training ends after the running batch.
 * From half a second later on nothing listens any more, and a second one ends the process at once. After disposal nothing
 * listens either (but for the rest of that half second, when there was one).
 *
 * @example
 * using interrupt = onInterrupt();
 * await model.fit(dataset, { signal: interrupt.signal, callbacks: [new callbacks.BackupAndRestore('backup')] });
 */
export function onInterrupt({ notify = tell }: InterruptOptions = {}): Interrupt {
  const controller = new AbortController();
  const stop = (): void => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
  const listener = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) return;
    setTimeout(stop, SAME_MS).unref();
    const error = new InterruptError(signal as InterruptSignal);
    notify(error);
    controller.abort(error);
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      if (!controller.signal.aborted) stop();
    },
  };
}

/**
 * Runs a program's work so that Ctrl-C ends it in order: when the work rejects because of the signal it was given, the
 * process's exit code becomes 130 (143 for SIGTERM) and undefined is answered; other errors are thrown on.
 *
 * @example
 * await interruptible(async (signal) => {
 *   await model.fit(dataset, { signal, callbacks: [new callbacks.BackupAndRestore('backup')] });
 * });
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: InterruptOptions = {},
): Promise<T | undefined> {
  using interrupt = onInterrupt(options);
  try {
    return await work(interrupt.signal);
  } catch (error) {
    const reason: unknown = interrupt.signal.reason;
    if (!(reason instanceof InterruptError) || error !== reason) throw error;
    process.exitCode = reason.exitCode;
    return undefined;
  }
}

function tell(error: InterruptError): void {
  const again = error.signal === 'SIGINT' ? 'Ctrl-C again' : 'a second signal';
  process.stderr.write(`\n${error.message}: ending after the running batch (${again} ends at once)\n`);
}
