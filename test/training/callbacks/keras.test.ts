import { describe, expect, it } from 'vitest';
import { callbacks, optimizers, schedules } from '../../../lib/index.js';
import { camelCase } from '../../../lib/util/options.js';
import { Monitor } from '../../../lib/training/callbacks/monitor.js';
import { linear, squares } from '../support.js';
import { drive, tiny, weightOf } from './drive.js';
import keras from './keras.json' with { type: 'json' };

type Series = keyof typeof keras.series;
const names = Object.keys(keras.series) as Series[];
const logs = (name: Series) => keras.series[name].map((value) => ({ val_loss: value }));
const options = (given: object): object =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [camelCase(name), value as unknown]));

describe('EarlyStopping ends and restores where Keras does', () => {
  const cases = names.flatMap((name) => keras.stopping[name].map((row) => ({ name, ...row })));

  it.each(cases)('$name $options', async ({ name, options: given, ...expected }) => {
    const model = tiny();
    const callback = new callbacks.EarlyStopping(options(given));
    const epochs = await drive(callback, model, logs(name));
    if ('baseline' in given && name === 'valley') {
      // Keras goes on while the metric improves, though its documentation says that the baseline must be reached.
      expect([epochs, expected.epochs]).toEqual([3, 4]);
      return;
    }
    expect({ epochs, best: callback.bestEpoch, weights: await weightOf(model) }).toEqual(expected);
  });
});

describe('ReduceLROnPlateau sets the rates that Keras sets', () => {
  const cases = names.flatMap((name) => keras.plateau[name].map((row) => ({ name, ...row })));

  it.each(cases)('$name $options', async ({ name, options: given, rates }) => {
    const model = tiny();
    const seen: number[] = [];
    await drive(new callbacks.ReduceLROnPlateau(options(given)), model, logs(name), () =>
      seen.push(Math.fround(model.optimizer!.learningRate)),
    );
    expect(seen.length).toBe(rates.length);
    seen.forEach((rate, i) => expect(rate / rates[i]!, `epoch ${i}`).toBeCloseTo(1, 6));
  });
});

describe('EarlyStopping', () => {
  it('restores the best weights also when training came to its end, or another callback ended it', async () => {
    const model = tiny();
    const stopping = { patience: 5, restoreBestWeights: true };
    const series = [0.9, 0.7, 0.71, 0.72].map((val_loss) => ({ val_loss }));
    const callback = new callbacks.EarlyStopping(stopping);
    expect(await drive(callback, model, series)).toBe(4);
    expect(callback.stoppedEpoch).toBeUndefined();
    expect(await weightOf(model)).toBe(1);
    await drive(new callbacks.EarlyStopping(stopping), model, series, (epoch) => {
      if (epoch === 2) model.stopTraining = true;
    });
    expect(await weightOf(model)).toBe(1);
  });

  it('never takes NaN for the best', async () => {
    const model = tiny();
    const callback = new callbacks.EarlyStopping({ patience: 2, restoreBestWeights: true });
    await drive(
      callback,
      model,
      [NaN, 0.5, NaN, NaN, 0.4].map((val_loss) => ({ val_loss })),
    );
    expect([callback.bestEpoch, callback.stoppedEpoch, await weightOf(model)]).toEqual([1, 3, 1]);
  });

  it('says what it does when asked', async () => {
    const said: string[] = [];
    const print = (line: string): void => void said.push(line);
    const callback = new callbacks.EarlyStopping({ restoreBestWeights: true, verbose: 1, print });
    await drive(callback, tiny(), [{ val_loss: 1 }, { val_loss: 2 }]);
    expect(said).toEqual(['Epoch 2: early stopping', 'Restoring model weights from the end of the best epoch: 1.']);
  });
});

describe('Monitor', () => {
  it('knows by the name which is better, and asks when it does not', () => {
    const better = (name: string): boolean => new Monitor(name, 'auto').isBetter(2, 1);
    for (const name of ['accuracy', 'val_accuracy', 'top5Acc', 'val_auc', 'recall', 'cosine_similarity']) {
      expect(better(name), name).toBe(true);
    }
    for (const name of ['loss', 'val_loss', 'accuracyHead_loss', 'meanSquaredError', 'mae', 'kl_divergence']) {
      expect(better(name), name).toBe(false);
    }
    expect(() => new Monitor('val_score', 'auto')).toThrow(
      "monitor: expected mode 'min' or 'max' for val_score, whose name does not tell which is better; received 'auto'",
    );
    expect(() => new Monitor('loss', 'least' as never)).toThrow(/expected mode to be auto, min or max, received least/);
  });
});

describe('LearningRateScheduler', () => {
  it('gives the epoch and the rate, sets and logs what comes back', async () => {
    const model = tiny(1);
    const given: [number, number][] = [];
    const callback = new callbacks.LearningRateScheduler((epoch, rate) => {
      given.push([epoch, rate]);
      return epoch === 0 ? rate : rate / 2;
    });
    const history = await model.fit([[1], [2]], [[1], [2]], { epochs: 3, verbose: 0, callbacks: [callback] });
    expect(given).toEqual([
      [0, 1],
      [1, 1],
      [2, 0.5],
    ]);
    expect(history.history['learning_rate']).toEqual([1, 0.5, 0.25]);
  });

  it('refuses what is no schedule', () => {
    expect(() => new callbacks.LearningRateScheduler(0.1 as never)).toThrow('expected a function of epoch');
  });

  it('refuses what is no rate, and an optimizer that has a schedule', async () => {
    const fit = { epochs: 1, verbose: 0 } as const;
    for (const wrong of [NaN, -1, '0.1', undefined]) {
      const callback = new callbacks.LearningRateScheduler(() => wrong as never);
      await expect(tiny().fit([[1]], [[1]], { ...fit, callbacks: [callback] })).rejects.toThrow(
        /LearningRateScheduler: expected schedule\(0, 0.1\) to be a finite number of at least 0, received/,
      );
    }
    const model = linear([0]);
    const learningRate = schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 5, decayRate: 0.8 });
    model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: squares });
    for (const callback of [
      new callbacks.LearningRateScheduler(() => 1),
      new callbacks.ReduceLROnPlateau({ monitor: 'loss' }),
    ]) {
      await expect(model.fit([[1]], [[1]], { ...fit, callbacks: [callback] })).rejects.toThrow(
        /expected an optimizer with a number as learning rate, received one with the schedule ExponentialDecay/,
      );
    }
    expect(() => new callbacks.ReduceLROnPlateau({ factor: 1 })).toThrow(/factor above 0 and below 1, received 1/);
  });
});

describe('TerminateOnNaN', () => {
  it('ends training, or rejects when asked', async () => {
    const nan = { epochs: 3, verbose: 0 } as const;
    const callback = new callbacks.TerminateOnNaN({ raiseError: true });
    const run = tiny().fit([[NaN]], [[1]], { ...nan, callbacks: [callback] });
    await expect(run).rejects.toThrow(/Batch 0: invalid loss NaN/);
  });
});

describe('Options that cannot be', () => {
  it.each([{ patience: -1 }, { patience: 1.5 }, { minDelta: NaN }, { startFromEpoch: -1 }])(
    'EarlyStopping %j',
    (wrong) => {
      const [name] = Object.keys(wrong);
      expect(() => new callbacks.EarlyStopping(wrong)).toThrow(`EarlyStopping: expected ${name} to be`);
    },
  );

  it('ModelCheckpoint without a path', () => {
    expect(() => new callbacks.ModelCheckpoint('')).toThrow('ModelCheckpoint: expected the path');
  });
});
