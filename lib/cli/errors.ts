/** The command line asks for something that is not there or makes no sense: exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Exit codes by convention. An interrupted command ends with 128 + the number of the signal: 130 for Ctrl-C. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;
