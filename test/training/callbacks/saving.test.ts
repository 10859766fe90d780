import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { callbacks, data, LambdaCallback, loadModel } from '../../../lib/index.js';
import { fillTemplate } from '../../../lib/training/callbacks/path-template.js';
import { EPOCHS, trainingData, trainingModel } from '../checkpoint-run.js';
import { drive, tiny, weightOf } from './drive.js';

let root = '';
let folder = '';
let count = 0;
beforeAll(async () => (root = await mkdtemp(path.join(tmpdir(), 'fovea saving '))));
beforeEach(() => (folder = path.join(root, String(count++))));
afterAll(() => rm(root, { recursive: true, force: true }));

const files = async (): Promise<string[]> => (await readdir(folder)).sort();
const losses = (...values: number[]) => values.map((val_loss) => ({ val_loss }));

describe('fillTemplate', () => {
  it('formats as Python does', () => {
    const values = { epoch: 7, batch: 12, val_loss: 0.123456, accuracy: 1e-7, big: 12345.678 };
    const fill = (template: string): string => fillTemplate('test', template, values);
    expect(fill('{epoch}-{val_loss}')).toBe('07-0.1235');
    expect(fill('{epoch:d}-{epoch:03d}-{val_loss:.2f}')).toBe('7-007-0.12');
    expect(fill('{val_loss:08.3f} {accuracy:.1e} {big:.2e} {epoch:3d} {val_loss:f}')).toBe(
      '0000.123 1.0e-07 1.23e+04   7 0.123456',
    );
    expect(() => fill('{val_acc}')).toThrow(
      'test: expected the fields of {val_acc} to be among epoch, batch, val_loss, accuracy, big, received val_acc',
    );
    expect(() => fill('{epoch:x}')).toThrow(/expected fields like .* received \{epoch:x\}/);
  });
});

describe('ModelCheckpoint', () => {
  const at = (name: string): string => path.join(folder, name);

  it('keeps the best only', async () => {
    const model = tiny();
    await drive(
      new callbacks.ModelCheckpoint(at('best'), { saveBestOnly: true }),
      model,
      losses(0.5, 0.3, NaN, 0.4, 0.31),
    );
    expect(await weightOf(await loadModel(at('best')))).toBe(1);
  });

  it('saves nothing that does not improve on the threshold, and says so', async () => {
    const said: string[] = [];
    const options = { saveBestOnly: true, saveWeightsOnly: true, initialValueThreshold: 0.35, verbose: 1 } as const;
    await drive(
      new callbacks.ModelCheckpoint(at('{epoch:d}-{val_loss:.2f}.safetensors'), {
        ...options,
        print: (line) => void said.push(line),
      }),
      tiny(),
      losses(0.5, 0.3, 0.4),
    );
    expect(await files()).toEqual(['2-0.30.safetensors']);
    expect(said).toEqual([
      'Epoch 1: val_loss did not improve from 0.35000',
      `Epoch 2: val_loss improved from 0.35000 to 0.30000, saving model to ${at('2-0.30.safetensors')}`,
      'Epoch 3: val_loss did not improve from 0.30000',
    ]);
  });

  it('keeps the best where an epoch has no metric; without any it saves and warns', async () => {
    const model = tiny();
    const options = { saveBestOnly: true };
    await drive(new callbacks.ModelCheckpoint(at('best'), options), model, [{ val_loss: 1 }, { loss: 1 }]);
    expect(await weightOf(await loadModel(at('best')))).toBe(0);
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await drive(new callbacks.ModelCheckpoint(at('never'), options), model, [{ loss: 1 }, { loss: 1 }]);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
    expect(await weightOf(await loadModel(at('never')))).toBe(1);
  });

  it('saves every so many batches, counted on over epochs', async () => {
    const model = tiny();
    const x = Array.from({ length: 5 }, (_, i) => [i]);
    const checkpoint = new callbacks.ModelCheckpoint(at('{epoch:d}-{batch:d}.safetensors'), {
      ...{ saveFreq: 3, saveWeightsOnly: true },
    });
    await model.fit(x, x, { epochs: 2, batchSize: 1, verbose: 0, callbacks: [checkpoint] });
    expect(await files()).toEqual(['1-3.safetensors', '2-1.safetensors', '2-4.safetensors']);
    for (const saveFreq of [0, 1.5, 'batch' as never]) {
      expect(() => new callbacks.ModelCheckpoint('x', { saveFreq })).toThrow(/saveFreq to be 'epoch' or a whole/);
    }
  });
});

describe('CSVLogger', () => {
  const file = (): string => path.join(folder, 'log.csv');
  const text = (): Promise<string> => readFile(file(), 'utf8');

  it('writes sorted columns, and NA for what an epoch has not', async () => {
    await drive(new callbacks.CSVLogger(file()), tiny(), [
      { loss: 1, accuracy: 0.5 },
      { loss: 0.5, accuracy: 1, val_loss: 2 },
    ]);
    expect(await text()).toBe('epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1,NA,NA\n1,1,0.5,NA,2\n');
  });

  it('appends under the right names, and takes out an unfinished line', async () => {
    const logger = (append = true) => new callbacks.CSVLogger(file(), { append, separator: ';' });
    await drive(logger(), tiny(), [{ loss: 1, val_loss: 2 }]);
    await writeFile(file(), `${await text()}1;0.`);
    await drive(logger(), tiny(), [{ val_loss: 4, loss: 3, 'a;"b"': 5 }]);
    expect(await text()).toBe('epoch;loss;val_loss;"a;""b"""\n0;1;2;NA\n0;3;4;5\n');
    await drive(logger(), tiny(), [{ 'a;"b"': 6, loss: 7 }]);
    expect(await text()).toBe('epoch;loss;val_loss;"a;""b"""\n0;1;2;NA\n0;3;4;5\n0;7;NA;6\n');
    await drive(logger(false), tiny(), [{ loss: 8, val_loss: 9 }]);
    expect(await text()).toBe('epoch;loss;val_loss\n0;8;9\n');
    expect(() => new callbacks.CSVLogger('x', { separator: ', ' })).toThrow(/expected separator to be one character/);
  });
});

describe('BackupAndRestore', () => {
  const stopAt = (epoch: number, batch: number, seen?: Map<string, number>): LambdaCallback => {
    let now = 0;
    return new LambdaCallback({
      onEpochBegin: (number) => void (now = number),
      onTrainBatchEnd: (number, logs) => {
        seen?.set(`${now} ${number}`, logs['loss']!);
        if (now === epoch && number === batch) throw new Error('killed');
      },
    });
  };
  const fit = { epochs: EPOCHS, verbose: 0 } as const;

  it('goes on after the batch that was saved last, and removes the file in the end', async () => {
    const whole = new Map<string, number>();
    const model = trainingModel(5);
    const history = await model.fit(trainingData(), { ...fit, callbacks: [stopAt(-1, 0, whole)] });
    const parts = new Map<string, number>();
    const backup = () => new callbacks.BackupAndRestore(folder, { saveFreq: 4 });
    await expect(
      trainingModel(5).fit(trainingData(), { ...fit, callbacks: [backup(), stopAt(1, 3, parts)] }),
    ).rejects.toThrow('killed');
    expect(await files()).toEqual(['backup.safetensors']);
    const second = trainingModel(6);
    // Batch 8 of 18 was saved last: the second one of epoch 1 is where it goes on.
    const again = new Map<string, number>();
    const rest = await second.fit(trainingData(), { ...fit, callbacks: [backup(), stopAt(-1, 0, again)] });
    expect([...again.keys()][0]).toBe('1 2');
    expect([...new Map([...parts, ...again])]).toEqual([...whole]);
    expect(rest.history).toEqual(history.history);
    expect(await second.getWeights()).toEqual(await model.getWeights());
    expect(await files()).toEqual([]);
  });

  it('knows the logs of an epoch that had all its batches', async () => {
    const held = trainingData();
    const run = { ...fit, epochs: 1, validationData: held };
    const controller = new AbortController();
    const abort = new LambdaCallback({ onTestBatchBegin: () => controller.abort() });
    const backup = new callbacks.BackupAndRestore(path.join(folder, 'x.safetensors'), { deleteCheckpoint: false });
    const whole = await trainingModel(5).fit(trainingData(), run);
    const aborted = trainingModel(5).fit(trainingData(), {
      ...{ ...run, signal: controller.signal },
      callbacks: [backup, abort],
    });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    const rest = await trainingModel(6).fit(trainingData(), { ...run, callbacks: [backup] });
    expect(rest.history).toEqual(whole.history);
  });

  it('brings back what the other callbacks remember', async () => {
    const x = Array.from({ length: 4 }, (_, i) => [i]);
    const y = x.map(([v]) => [2 * v!]);
    const file = path.join(folder, 'state.safetensors');
    const make = (epochs: number) => {
      const model = tiny(0.01);
      const stop = new callbacks.EarlyStopping({
        monitor: 'loss',
        minDelta: 100,
        patience: 4,
        restoreBestWeights: true,
      });
      const list = [
        new callbacks.BackupAndRestore(file, { deleteCheckpoint: false }),
        new callbacks.ReduceLROnPlateau({ monitor: 'loss', minDelta: 100, patience: 2, factor: 0.5, cooldown: 1 }),
        stop,
      ];
      const run = async () => model.fit(x, y, { epochs, batchSize: 2, shuffle: false, verbose: 0, callbacks: list });
      return { model, stop, run };
    };
    const whole = make(10);
    const all = await whole.run();
    await rm(file);
    expect(all.epoch.length).toBe(5);
    await make(2).run();
    const second = make(10);
    const rest = await second.run();
    expect(rest.history).toEqual(all.history);
    expect(second.stop.stoppedEpoch).toBe(whole.stop.stoppedEpoch);
    expect(await second.model.getWeights()).toEqual(await whole.model.getWeights());
    // It was over: started again, nothing is trained, and the best weights are there.
    const third = make(10);
    expect((await third.run()).history).toEqual(all.history);
    expect(await third.model.getWeights()).toEqual(await whole.model.getWeights());
  });

  it('a scheduler is not asked twice for an epoch that is resumed in its middle', async () => {
    const x = Array.from({ length: 4 }, (_, i) => [i]);
    const asked: number[] = [];
    const run = async (stop?: LambdaCallback) => {
      const model = tiny(1);
      const scheduler = new callbacks.LearningRateScheduler((epoch, rate) => {
        asked.push(epoch);
        return rate / 2;
      });
      const backup = new callbacks.BackupAndRestore(folder, { saveFreq: 1 });
      const list = [scheduler, backup, ...(stop ? [stop] : [])];
      return model.fit(x, x, { epochs: 2, batchSize: 1, verbose: 0, callbacks: list });
    };
    await expect(run(stopAt(1, 2))).rejects.toThrow('killed');
    expect((await run()).history['learning_rate']).toEqual([0.5, 0.25]);
    expect(asked).toEqual([0, 1]);
  });

  it('says what it cannot use', () => {
    expect(() => new callbacks.BackupAndRestore('')).toThrow(/expected a file or folder/);
    expect(() => new callbacks.BackupAndRestore('x', { saveFreq: -1 })).toThrow(/received -1/);
    expect(new callbacks.BackupAndRestore('some folder').file).toBe(path.join('some folder', 'backup.safetensors'));
  });
});

describe('ThroughputMeter', () => {
  it('counts samples and steps, without the first one and without validation', async () => {
    let time = 0;
    const meter = new callbacks.ThroughputMeter({}, () => time);
    const watch = new LambdaCallback({
      onTrainBatchBegin: (batch) => void (time += batch === 2 ? 30 : 10),
      onTestBegin: () => void (time += 1000),
    });
    const set = data
      .fromArrays(
        Array.from({ length: 7 }, (_, i) => [i]),
        Array.from({ length: 7 }, (_, i) => [i]),
      )
      .batch(2);
    const history = await tiny().fit(set, { epochs: 2, verbose: 0, validationData: set, callbacks: [watch, meter] });
    // Second epoch: steps of 2, 2, 2 and 1 samples take 10, 10, 30 and 10 ms.
    expect(meter.throughput).toEqual({ samplesPerSecond: 7000 / 60, stepMs: { p50: 10, p90: 30, p99: 30 }, steps: 4 });
    expect(history.history['samples_per_second']).toEqual([5000 / 50, 7000 / 60]);
    expect(history.history['step_ms_p50']).toEqual([10, 10]);
  });
});
