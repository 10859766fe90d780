import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  callbacks,
  currentDevice,
  LambdaCallback,
  loadCheckpoint,
  optimizers,
  saveCheckpoint,
  setDevice,
  type Sequential,
} from '../../lib/index.js';
import { readSafetensors } from '../../lib/weights/safetensors.js';
import { EPOCHS, trainingData, trainingModel } from './checkpoint-run.js';
import { scores, sgd, smallCnn, spots } from './support.js';
import { testDevices } from '../support/devices.js';
import { program } from '../support/program.js';

let folder = '';
const before = currentDevice();
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-checkpoint-'))));
afterAll(async () => {
  setDevice(before);
  await rm(folder, { recursive: true, force: true });
});

/** Collects `epoch batch loss` of each batch. */
function listener(into: Map<string, number>): LambdaCallback {
  let epoch = 0;
  return new LambdaCallback({
    onEpochBegin: (number) => void (epoch = number),
    onTrainBatchEnd: (batch, logs) => void into.set(`${epoch} ${batch}`, logs['loss']!),
  });
}

async function uninterrupted(seed: number): Promise<{ losses: Map<string, number>; model: Sequential }> {
  const losses = new Map<string, number>();
  const model = trainingModel(seed);
  await model.fit(trainingData(), { epochs: EPOCHS, verbose: 0, callbacks: [listener(losses)] });
  return { losses, model };
}

/** The reference holds more digits than float32 files do: there, near is all that can be asked. */
function expectSame(actual: unknown, expected: unknown): void {
  if (currentDevice() !== 'reference') {
    expect(actual).toEqual(expected);
    return;
  }
  const [a, b] = [numbersIn(actual), numbersIn(expected)];
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 5));
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  return Array.isArray(value) ? value.flatMap(numbersIn) : [];
}

describe.each(testDevices())('resuming on %s', (device) => {
  beforeAll(() => setDevice(device));

  it.each([
    ['in the middle of an epoch', 1, 3],
    ['at its first batch', 1, 0],
    ['at its last batch', 1, 5],
    ['in the first epoch', 0, 2],
  ])('%s gives the same losses and weights, bit for bit', async (name, stopEpoch, stopBatch) => {
    const whole = await uninterrupted(5);
    const file = path.join(folder, `${device}-${name}.safetensors`);
    const losses = new Map<string, number>();
    const first = trainingModel(5);
    let epoch = 0;
    const stop = new LambdaCallback({
      onEpochBegin: (number) => void (epoch = number),
      onTrainBatchEnd: async (batch) => {
        if (epoch !== stopEpoch || batch !== stopBatch) return;
        await saveCheckpoint(first, file);
        throw new Error('killed');
      },
    });
    const fit = { epochs: EPOCHS, verbose: 0 } as const;
    await expect(first.fit(trainingData(), { ...fit, callbacks: [listener(losses), stop] })).rejects.toThrow('killed');
    const second = trainingModel(99); // other weights, other seeds
    const history = await second.fit(trainingData(), { ...fit, resume: file, callbacks: [listener(losses)] });
    expect(history.epoch.at(-1)).toBe(EPOCHS - 1);
    expectSame([...losses], [...whole.losses]);
    expectSame(await second.getWeights(), await whole.model.getWeights());
  });

  it('after each epoch, by BackupAndRestore, also with data in memory that fit shuffles', async () => {
    const { x, y } = spots(20);
    const file = path.join(folder, `${device}-backup.safetensors`);
    const fit = { batchSize: 8, verbose: 0 } as const;
    const whole = trainingModel(5);
    const all = await whole.fit(x, y, { ...fit, epochs: 4 });
    await trainingModel(5).fit(x, y, {
      ...fit,
      epochs: 2,
      callbacks: [new callbacks.BackupAndRestore(file, { deleteCheckpoint: false })],
    });
    const second = trainingModel(6);
    const rest = await second.fit(x, y, {
      ...fit,
      epochs: 4,
      callbacks: [new callbacks.BackupAndRestore(file, { deleteCheckpoint: false })],
    });
    expect(rest.epoch).toEqual([0, 1, 2, 3]);
    expectSame(Object.values(rest.history), Object.values(all.history));
    expectSame(await second.getWeights(), await whole.getWeights());
  });
});

describe('a checkpoint', () => {
  it('that does not fit changes nothing', async () => {
    const file = path.join(folder, 'fit.safetensors');
    const model = trainingModel(1);
    const { x, y } = spots(8);
    await model.trainOnBatch(x, y);
    await saveCheckpoint(model, file);
    const other = smallCnn({ classes: 5 });
    other.compile({ optimizer: optimizers.nadam(), loss: scores() });
    const weights = await other.getWeights();
    await expect(loadCheckpoint(other, file)).rejects.toThrow(/scores\/kernel: expected \[64,5\], received \[64,3\]/);
    expect(await other.getWeights()).toEqual(weights);
    const optimizer = smallCnn();
    optimizer.compile({ optimizer: sgd(), loss: scores() });
    await expect(loadCheckpoint(optimizer, file)).rejects.toThrow(
      'expected a checkpoint of optimizer SGD, received Nadam',
    );
    await expect(loadCheckpoint(smallCnn(), file)).rejects.toThrow(/expected compile\(/);
  });

  it('that is damaged is refused', async () => {
    const file = path.join(folder, 'damaged.safetensors');
    const model = trainingModel(1);
    await saveCheckpoint(model, file);
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 10));
    await expect(loadCheckpoint(model, file)).rejects.toMatchObject({ code: 'ERR_FILE' });
    const { x, y } = spots(8);
    await model.trainOnBatch(x, y);
  });
});

describe('kill -9', () => {
  /** Runs the child; kills it `delay` ms after it has begun to save for the `saves`-th time. What it said. */
  async function run(file: string, saves: number, delay: number): Promise<string[]> {
    const script = program(path.join(import.meta.dirname, 'checkpoint-child.ts'));
    const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    let seen = 0;
    const ended = once(child, 'close');
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line === 'saving' && ++seen === saves) setTimeout(() => child.kill('SIGKILL'), delay);
    }
    await ended;
    return lines;
  }

  it(
    'in the middle of saving leaves the checkpoint before or after it, and training goes on bit for bit',
    { timeout: 240_000 },
    async () => {
      setDevice(before);
      const file = path.join(folder, 'killed', 'checkpoint.safetensors');
      const losses = new Map<string, number>();
      for (const [saves, delay] of [
        [3, 0],
        [4, 1],
        [3, 2],
        [Infinity, 0],
      ] as const) {
        for (const line of await run(file, saves, delay)) {
          const [word, epoch, batch, loss] = line.split(' ');
          if (word !== 'batch') continue;
          const key = `${epoch} ${batch}`;
          // A batch that was run but not yet saved is run again, with the same result.
          if (losses.has(key)) expect(Number(loss), key).toBe(losses.get(key));
          losses.set(key, Number(loss));
        }
        expect((await readSafetensors(file)).tensors.size).toBeGreaterThan(5);
      }
      expect([...losses]).toEqual([...(await uninterrupted(5)).losses]);
      // What was killed left no more than its temporary files, and those of dead processes are removed when they are old.
      expect((await readdir(path.dirname(file))).filter((name) => !name.endsWith('.tmp'))).toEqual([
        'checkpoint.safetensors',
      ]);
    },
  );
});
