import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { losses, ops, setRandomSeed } from '../../lib/index.js';
import type { Layer, Model, Tensor } from '../../lib/index.js';
import {
  alexNet,
  alexNetTorchvision,
  bookResNet34,
  googLeNet,
  googLeNetTorchvision,
  inceptionV4,
  resNet101,
  resNet152,
  resNet18,
  resNet34,
  resNet50,
  seInception,
  seNet154,
  seResNet101,
  seResNet152,
  seResNet18,
  seResNet34,
  seResNet50,
  seResNet50Timm,
  vgg16Torchvision,
  xceptionTimm,
} from '../../models/index.js';
import type { ModelOptions } from '../../models/index.js';
import { checkTraining, disposeModel, FULL } from '../support/zoo.js';

let made: Layer | undefined;
// A narrow layer may begin with all its units closed; with this seed none does.
beforeEach(() => setRandomSeed(4));
afterEach(() => {
  if (made) disposeModel(made);
  made = undefined;
});

const crossentropy = losses.sparseCategoricalCrossentropy({ fromLogits: true });

/** Height and width of the images: enough for something to be left at the end. */
const NETWORKS: Readonly<Record<string, readonly [build: (options: ModelOptions) => Model, size: number]>> = {
  alexNet: [alexNet, 67],
  alexNetTorchvision: [alexNetTorchvision, 63],
  bookResNet34: [bookResNet34, 64],
  googLeNet: [googLeNet, 64],
  googLeNetTorchvision: [googLeNetTorchvision, 64],
  inceptionV4: [inceptionV4, 107],
  resNet18: [resNet18, 64],
  resNet34: [resNet34, 64],
  resNet50: [resNet50, 64],
  resNet101: [resNet101, 64],
  resNet152: [resNet152, 64],
  seInception: [seInception, 64],
  seNet154: [seNet154, 64],
  seResNet18: [seResNet18, 64],
  seResNet34: [seResNet34, 64],
  seResNet50: [seResNet50, 64],
  seResNet50Timm: [seResNet50Timm, 64],
  seResNet101: [seResNet101, 64],
  seResNet152: [seResNet152, 64],
  vgg16Torchvision: [vgg16Torchvision, 32],
  xceptionTimm: [xceptionTimm, 71],
};

/** Those that take more than ten seconds are left to `npm run test:zoo -- --full`. */
const SLOW = new Set([
  ...['alexNetTorchvision', 'inceptionV4', 'resNet101', 'resNet152'],
  ...['seNet154', 'seResNet101', 'seResNet152', 'vgg16Torchvision'],
]);

describe('a step of training', () => {
  test.each(Object.entries(NETWORKS).filter(([name]) => FULL || !SLOW.has(name)))('%s', async (_, [build, size]) => {
    const model = build({ inputShape: [size, size, 3], classes: 5, dropout: 0, classifierActivation: null });
    made = model;
    await checkTraining(model);
  });

  test.each([
    ['googLeNet', googLeNet],
    ['googLeNetTorchvision', googLeNetTorchvision],
    ['seInception', seInception],
  ] as const)('%s with its auxiliary classifiers', async (_, build) => {
    const model = build({
      inputShape: [64, 64, 3],
      classes: 5,
      dropout: 0,
      classifierActivation: null,
      auxiliary: true,
      auxiliaryDropout: 0,
    });
    made = model;
    expect(model.outputNames).toEqual(['predictions', 'auxiliary1', 'auxiliary2']);
    await checkTraining(model, {
      loss: (outputs, labels) => {
        const { predictions, auxiliary1, auxiliary2 } = outputs as unknown as Record<string, Tensor>;
        const [main, first, second] = [predictions, auxiliary1, auxiliary2].map((y) => crossentropy.apply(labels, y!));
        return ops.add(main!, ops.mul(ops.add(first!, second!), 0.3));
      },
    });
  });
});
