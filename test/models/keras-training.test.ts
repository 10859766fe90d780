import { afterEach, describe, it } from 'vitest';
import { currentDevice, setDevice, type Layer } from '../../lib/index.js';
import { leNet5 } from '../../models/le-net5.js';
import { checkTraining, disposeModel } from '../support/zoo.js';
import { KERAS_MODELS } from './keras-zoo.js';

let made: Layer | undefined;
afterEach(() => {
  if (made) disposeModel(made);
  made = undefined;
});

describe("A step of training Keras's networks", () => {
  for (const device of ['reference', 'cpu']) {
    it(`LeNet5 [${device}]`, async () => {
      const before = currentDevice();
      setDevice(device);
      try {
        const model = leNet5({ classifierActivation: null });
        made = model;
        await checkTraining(model);
      } finally {
        setDevice(before);
      }
    });
  }

  for (const [name, { make, trainingSize }] of Object.entries(KERAS_MODELS)) {
    it(name, { timeout: 300_000 }, async () => {
      const options = {
        classes: 10,
        classifierActivation: null,
        dropout: 0,
        inputShape: [trainingSize, trainingSize, 3],
      };
      const extra = name.startsWith('EfficientNet') ? { dropConnectRate: 0 } : {};
      const model = make({ ...options, ...extra });
      made = model;
      await checkTraining(model, name.startsWith('EfficientNet') ? { range: [0, 255] } : {});
    });
  }
});
