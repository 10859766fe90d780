import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InterruptError, interruptible, LambdaCallback, loadModel, onInterrupt } from '../../lib/index.js';
import { EPOCHS, trainingData, trainingModel } from './checkpoint-run.js';
import { linear, sgd, squares } from './support.js';
import { program } from '../support/program.js';

let root = '';
beforeAll(async () => (root = await mkdtemp(path.join(tmpdir(), 'fovea-interrupt-'))));
afterAll(() => rm(root, { recursive: true, force: true }));

interface Ended {
  readonly lines: string[];
  readonly errors: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Runs the child; sends a signal after so many lines, the same at once when it has been heard (as `npm run` and `tsx` hand
 * Ctrl-C on), and another one later when asked.
 */
async function run(
  folder: string,
  mode: string,
  after = Infinity,
  sent: NodeJS.Signals = 'SIGINT',
  again = false,
): Promise<Ended> {
  const script = program(path.join(import.meta.dirname, 'interrupt-child.ts'));
  const child = spawn(process.execPath, [script, folder, mode]);
  const lines: string[] = [];
  let [errors, heard] = ['', false];
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
    if (heard || !errors.includes('ending after')) return;
    heard = true;
    child.kill(sent);
    if (again) setTimeout(() => child.kill(sent), 900);
  });
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (lines.length === after) child.kill(sent);
  }
  const [code, signal] = await ended;
  return { lines, errors, code, signal };
}

const losses = ({ lines }: Ended): Map<string, string> =>
  new Map(lines.filter((line) => line.startsWith('batch')).map((line) => [line.slice(0, -1), line]));

describe('Ctrl-C', { timeout: 60_000 }, () => {
  it('ends training after the running batch with a checkpoint and exit code 130; the next run goes on bit for bit', async () => {
    const folder = path.join(root, 'orderly');
    const [whole, first] = [await run(path.join(root, 'whole'), 'whole'), await run(folder, 'orderly', 8, 'SIGINT')];
    expect(whole.code, whole.errors).toBe(0);
    expect(first).toMatchObject({ code: 130, signal: null });
    expect(first.errors).toContain('interrupted by Ctrl-C: ending after the running batch (Ctrl-C again ends at once)');
    expect(first.lines.at(-1)).toBe('ended, 0 listeners');
    expect(losses(first).size).toBeLessThan(6 * EPOCHS);
    expect((await readdir(folder)).sort()).toEqual(['backup.safetensors', 'model']);
    expect((await loadModel(path.join(folder, 'model'))).weights.length).toBeGreaterThan(0);
    const second = await run(folder, 'whole');
    expect(second.code, second.errors).toBe(0);
    expect([...losses(first).values(), ...losses(second).values()]).toEqual([...losses(whole).values()]);
    expect(await readdir(folder)).toEqual(['model']);
  });

  it('a second time ends the process at once', async () => {
    const ended = await run(path.join(root, 'stuck'), 'stuck', 1, 'SIGINT', true);
    expect(ended).toMatchObject({ code: null, signal: 'SIGINT' });
    expect(ended.errors).toContain('Ctrl-C again ends at once');
    expect(ended.lines.length).toBe(1);
  });

  it('SIGTERM does the same, with its own exit code', async () => {
    const ended = await run(path.join(root, 'term'), 'orderly', 2, 'SIGTERM');
    expect(ended).toMatchObject({ code: 143, signal: null });
    expect(await readdir(path.join(root, 'term'))).toContain('backup.safetensors');
  });
});

describe('onInterrupt', () => {
  it('leaves nothing installed', async () => {
    const before = process.listenerCount('SIGINT');
    {
      using interrupt = onInterrupt();
      expect(interrupt.signal.aborted).toBe(false);
      expect(process.listenerCount('SIGINT')).toBe(before + 1);
    }
    expect(process.listenerCount('SIGINT')).toBe(before);
    await expect(interruptible(async () => Promise.reject(new Error('other')))).rejects.toThrow('other');
    expect(await interruptible(async () => 3)).toBe(3);
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual([
      before,
      process.listenerCount('SIGTERM'),
    ]);
    expect(new InterruptError('SIGINT').exitCode).toBe(130);
  });
});

describe('an aborted signal', () => {
  const compiled = () => {
    const model = linear([1]);
    model.compile({ optimizer: sgd(), loss: squares });
    return model;
  };
  const x = Array.from({ length: 6 }, (_, i) => [i]);

  it('ends fit, evaluate and predict after the running batch, with its reason', async () => {
    for (const kind of ['fit', 'evaluate', 'predict'] as const) {
      const controller = new AbortController();
      const reason = new Error(`enough ${kind}`);
      const heard: string[] = [];
      let batches = 0;
      const abort = (batch: number): void => {
        batches++;
        if (batch === 2) controller.abort(reason);
      };
      const watch = new LambdaCallback({
        ...{ onTrainBatchEnd: abort, onTestBatchEnd: abort, onPredictBatchEnd: abort },
        onInterrupt: (why, logs) => void heard.push(`${(why as Error).message} ${Object.keys(logs).join()}`),
        onFailure: (error) => void heard.push((error as Error).message),
        onTrainEnd: () => void heard.push('end'),
      });
      const options = { batchSize: 1, verbose: 0, signal: controller.signal, callbacks: [watch] } as const;
      const model = compiled();
      const run = kind === 'predict' ? model.predict(x, options) : model[kind](x, x, options);
      await expect(run).rejects.toBe(reason);
      expect(batches).toBeLessThan(5);
      expect(heard).toEqual(kind === 'fit' ? ['enough fit loss', 'enough fit'] : [`enough ${kind}`]);
      // The model is of use afterwards.
      await model.fit(x, x, { verbose: 0 });
    }
  });

  it('before the beginning trains nothing', async () => {
    const model = trainingModel(1);
    const before = await model.getWeights();
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(model.fit(trainingData(), { verbose: 0, signal })).rejects.toThrow('too late');
    expect(await model.getWeights()).toEqual(before);
  });
});
