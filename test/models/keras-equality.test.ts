import { afterEach, describe, it } from 'vitest';
import { setDevice, currentDevice, type Layer } from '../../lib/index.js';
import { leNet5 } from '../../models/le-net5.js';
import { checkModel, disposeModel, FULL, loadKeras, readModel, readSeedModel, report } from '../support/zoo.js';
import { KERAS_MODELS } from './keras-zoo.js';

let made: Layer | undefined;
afterEach(() => {
  if (made) disposeModel(made);
  made = undefined;
});

describe("Keras's networks, number for number", () => {
  for (const device of ['reference', 'cpu']) {
    it(`lenet5 [${device}]`, async () => {
      const before = currentDevice();
      setDevice(device);
      try {
        const model = leNet5({ classifierActivation: null });
        made = model;
        const fixture = readSeedModel('lenet5');
        const load = (layer: Layer, state: Parameters<typeof loadKeras>[1]): void => loadKeras(layer, state, 'lenet5/');
        report(`lenet5 [${device}]`, await checkModel(model, fixture, { load }));
      } finally {
        setDevice(before);
      }
    });
  }

  for (const { make, fixtures } of Object.values(KERAS_MODELS)) {
    for (const { name, full = false } of fixtures) {
      it.skipIf(full && !FULL)(`${name} [cpu]`, { timeout: 300_000 }, async () => {
        const top = !name.endsWith('-notop');
        const model = make(top ? { classifierActivation: null } : { includeTop: false, pooling: 'avg' });
        made = model;
        report(name, await checkModel(model, readModel(`models-keras/${name}.json`)));
      });
    }
  }
});
