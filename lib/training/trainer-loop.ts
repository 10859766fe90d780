import { setImmediate as turn } from 'node:timers/promises';
import { clock } from '../util/clock.js';
import type { Batch, BatchFeed } from './data-source.js';

/** The steps of one epoch or evaluation: what the loop asks of its caller. */
export interface StepLoop<R> {
  readonly feed: BatchFeed;
  /** The step to begin with; more than 0 when an epoch is resumed. */
  readonly start?: number;
  /** Steps in all; until the data ends when left out. */
  readonly limit: number | undefined;
  /** Whether the data begins anew when it ends before `limit`. */
  readonly repeat: boolean;
  /** Whether {@link end} must come before the next step is started. */
  readonly exact: boolean;
  readonly signal?: AbortSignal | undefined;
  begin(step: number): Promise<void> | undefined;
  /** Starts a step; the promise is of its results. */
  launch(batch: Batch): Promise<R>;
  end(step: number, result: R): Promise<void> | undefined;
  /** Asked after each step. */
  stopped(): boolean;
}

/** The event loop gets its turn at least this often, even where nothing is ever waited for. */
const TURN_MS = 15;

/**
 * Runs steps so that the device is never idle: while step k computes, the batch of step k + 1 is fetched and put on the
 * device, and unless `exact` its step is enqueued before the results of step k are looked at. At most two steps and three
 * batches exist at once.
 *
 * @returns the number of the last step, plus one
 */
export async function runSteps<R>(loop: StepLoop<R>): Promise<number> {
  const { feed, limit = Infinity, exact, signal } = loop;
  let step = loop.start ?? 0;
  let upcoming: Promise<Batch | undefined> | undefined;
  let running: { step: number; result: Promise<R> } | undefined;
  let turned = clock();

  const fetch = (): Promise<Batch | undefined> => {
    const batch = loop.repeat ? feed.next().then((b) => b ?? feed.next()) : feed.next();
    batch.catch(() => undefined); // whoever awaits it gets the error
    return batch;
  };
  const finish = async (): Promise<void> => {
    const last = running;
    running = undefined;
    if (!last) return;
    const result = await last.result;
    const waiting = loop.end(last.step, result);
    if (waiting) await waiting;
  };

  try {
    while (step < limit) {
      if (signal?.aborted) break;
      const batch = await (upcoming ?? fetch());
      upcoming = undefined;
      if (!batch) break;
      const before = running;
      try {
        const waiting = loop.begin(step);
        if (waiting) await waiting;
        const result = loop.launch(batch);
        result.catch(() => undefined); // whoever awaits it gets the error
        running = { step, result };
      } finally {
        batch.dispose();
      }
      step++;
      if (step < limit) upcoming = fetch();
      if (exact) await finish();
      else if (before) {
        const waiting = loop.end(before.step, await before.result);
        if (waiting) await waiting;
      }
      if (clock() - turned > TURN_MS) {
        await turn();
        turned = clock();
      }
      if (loop.stopped()) break;
    }
    await finish();
    signal?.throwIfAborted();
    return step;
  } finally {
    // Whatever happened: nothing stays running, and no batch stays on the device.
    await running?.result.catch(() => undefined);
    const unused = await upcoming?.catch(() => undefined);
    unused?.dispose();
  }
}
