import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { callbacks, createRunFolder, LambdaCallback, loadModel, setRandomSeed } from '../../lib/index.js';
import { ProgressBar } from '../../lib/training/callbacks/progress-bar.js';
import { scores, smallCnn, spots } from './support.js';

let folder = '';
beforeAll(async () => {
  setRandomSeed(3);
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-callbacks-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function compiled() {
  const model = smallCnn();
  model.compile({ optimizer: 'adam', loss: scores(), metrics: ['accuracy'] });
  return model;
}

const { x, y } = spots(24);

describe('callbacks', () => {
  it('are waited for, in their order', async () => {
    const order: string[] = [];
    const slow = (name: string, ms: number): LambdaCallback =>
      new LambdaCallback({
        onEpochEnd: async () => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          order.push(name);
        },
      });
    await compiled().fit(x, y, { verbose: 0, callbacks: [slow('a', 20), slow('b', 0)] });
    expect(order).toEqual(['a', 'b']);
  });

  it('know the model and how long it will take', async () => {
    const model = compiled();
    let seen: unknown;
    const watch = new LambdaCallback({
      onTrainBegin: () => void (seen = { ...watch.params, same: watch.model === model }),
    });
    await model.fit(x, y, { epochs: 2, batchSize: 5, verbose: 0, callbacks: [watch] });
    expect(seen).toEqual({ epochs: 2, steps: 5, verbose: 0, same: true });
    expect(() => new LambdaCallback({}).model).toThrow(/used in a run/);
  });

  it('ProgressBar writes a line an epoch where there is no terminal', async () => {
    let text = '';
    const stream = { write: (part: unknown) => ((text += String(part)), true) };
    await compiled().fit(x, y, {
      epochs: 2,
      validationSplit: 0.5,
      verbose: 0,
      callbacks: [new ProgressBar(2, stream)],
    });
    const lines = text.trim().split('\n');
    expect(lines.length).toBe(2);
    expect(lines[1]).toMatch(
      /^Epoch 2\/2 - 1\/1 - \d+s - .*step - accuracy: .* - loss: .* - val_accuracy: .* - val_loss: /,
    );
    text = '';
    const model = compiled();
    await model.evaluate(x, y, { verbose: 0, callbacks: [new ProgressBar(2, stream)] });
    expect(text).toMatch(/^1\/1 - .* - accuracy: .* - loss: /);
  });

  it('RunLogger leaves history and curves; epochs without validation are NaN there', async () => {
    const run = await createRunFolder({ root: folder, name: 'logged' });
    await compiled().fit(x, y, {
      ...{ epochs: 3, verbose: 0, validationFrequency: 2, validationSplit: 0.5 },
      callbacks: [new callbacks.RunLogger(run, 'title')],
    });
    const csv = (await readFile(run.file('history.csv'), 'utf8')).trim().split('\n');
    expect(csv[0]).toBe('epoch,loss,accuracy,val_loss,val_accuracy');
    expect(csv[1]).toMatch(/,NaN,NaN$/);
    expect(csv[2]).not.toMatch(/NaN/);
    expect((await readdir(run.path)).sort()).toContain('curves.svg');
  });

  it('ModelCheckpoint keeps the best, or one an epoch', async () => {
    const best = path.join(folder, 'best');
    const each = path.join(folder, 'epoch-{epoch}.safetensors');
    await compiled().fit(x, y, {
      ...{ epochs: 2, verbose: 0 },
      callbacks: [
        new callbacks.ModelCheckpoint(best, { monitor: 'loss', saveBestOnly: true }),
        new callbacks.ModelCheckpoint(each, { saveWeightsOnly: true }),
      ],
    });
    expect((await loadModel(best)).weights.length).toBe(8);
    expect((await readdir(folder)).filter((name) => name.startsWith('epoch-')).sort()).toEqual([
      'epoch-01.safetensors',
      'epoch-02.safetensors',
    ]);
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await compiled().fit(x, y, {
      verbose: 0,
      callbacks: [new callbacks.ModelCheckpoint(best, { saveBestOnly: true })],
    });
    expect(warn.mock.calls[0]![0]).toContain('there is no metric val_loss');
    warn.mockRestore();
  });

  it('hear of a failure instead of the end', async () => {
    const heard: string[] = [];
    const watch = new LambdaCallback({
      onTrainBegin: () => {
        throw new Error('no');
      },
      onTrainEnd: () => void heard.push('end'),
      onFailure: (error) => void heard.push((error as Error).message),
    });
    await expect(compiled().fit(x, y, { verbose: 0, callbacks: [watch] })).rejects.toThrow('no');
    expect(heard).toEqual(['no']);
  });
});
