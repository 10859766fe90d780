import { afterEach, describe, it } from 'vitest';
import { currentDevice, resetLayerNames, setDevice, type Layer, type Model } from '../../lib/index.js';
import { fashionCnn, leNet5 } from '../../models/index.js';
import { checkCounts, checkLegacyOrder, checkModel, disposeModel, FULL, loadKeras } from '../support/zoo.js';
import { readModel, readSeedModel, report, type ModelFixture, type State } from '../support/zoo.js';
import { KERAS_MODELS } from './keras-zoo.js';

// Weights by the fill, through Keras's names, and what the networks make of the fixtures' images. `npm run test:zoo --
// --full` does it with exact convolutions too (FOVEA_EXACT=1 forbids Winograd), and small ones on the reference.

let made: Layer | undefined;
afterEach(() => {
  if (made) disposeModel(made);
  made = undefined;
});

async function check(
  name: string,
  device: string,
  make: () => Model,
  fixture: ModelFixture,
  load: (model: Layer, state: State) => void = loadKeras,
): Promise<void> {
  const before = currentDevice();
  setDevice(device);
  try {
    const model = make();
    made = model;
    report(`${name} [${device}]`, await checkModel(model, fixture, { load }));
  } finally {
    setDevice(before);
  }
}

describe("Keras's networks, number for number", () => {
  for (const device of ['reference', 'cpu']) {
    for (const [name, make] of [
      ['lenet5', leNet5],
      ['fashion_cnn', fashionCnn],
    ] as const) {
      it(`${name} [${device}]`, async () => {
        resetLayerNames();
        const model = make({ classifierActivation: null });
        const fixture = readSeedModel(name);
        checkCounts(model, fixture);
        checkLegacyOrder(model, fixture, `${name}/`);
        disposeModel(model);
        resetLayerNames();
        const load = (layer: Layer, state: State): void => loadKeras(layer, state, `${name}/`);
        await check(name, device, () => make({ classifierActivation: null }), fixture, load);
      });
    }
  }

  for (const { make, fixtures, reference } of Object.values(KERAS_MODELS)) {
    for (const name of fixtures) {
      const top = !name.endsWith('-notop');
      const build = (): Model => make(top ? { classifierActivation: null } : { includeTop: false, pooling: 'avg' });
      const fixture = readModel(`models-keras/${name}.json`);
      it(`${name} [cpu]`, { timeout: 300_000 }, () => check(name, 'cpu', build, fixture));
      if (FULL && reference)
        it(`${name} [reference]`, { timeout: 900_000 }, () => check(name, 'reference', build, fixture));
    }
  }
});
