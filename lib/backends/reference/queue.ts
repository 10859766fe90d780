/** How long work may hold the event loop before it lets other events in, in milliseconds. */
const SLICE_MS = 8;

/** Work in steps: the queue may pause between two `yield`s. */
export type Work = Iterator<void, void>;

interface Job {
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Runs jobs first in, first out, on macrotasks of the event loop; a long job is paused between its steps so that
 * timers and I/O keep their turn. A job that throws rejects its own promise, and the next one runs.
 */
export class WorkQueue {
  readonly #jobs: Job[] = [];
  #scheduled = false;

  /** Nothing is waiting or half done. */
  get idle(): boolean {
    return this.#jobs.length === 0;
  }

  /** Appends a job; the promise settles when its last step has run. */
  enqueue(work: Work): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ work, resolve, reject });
      this.#schedule();
    });
  }

  /** Appends a single step that cannot fail. */
  enqueueStep(step: () => void): void {
    void this.enqueue(
      (function* () {
        step();
      })(),
    );
  }

  /** Finishes everything that was enqueued, here and now, including a job that is paused. */
  drain(): void {
    while (this.#jobs.length > 0) this.#advance();
  }

  #schedule(): void {
    if (this.#scheduled || this.#jobs.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const end = performance.now() + SLICE_MS;
      while (this.#jobs.length > 0 && performance.now() < end) this.#advance();
      this.#schedule();
    });
  }

  /** Runs one step of the first job. */
  #advance(): void {
    const job = this.#jobs[0];
    if (job === undefined) return;
    try {
      if (job.work.next().done !== true) return;
      this.#jobs.shift();
      job.resolve();
    } catch (error) {
      this.#jobs.shift();
      job.reject(error);
    }
  }
}
