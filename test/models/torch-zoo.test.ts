import { afterEach, describe, expect, test } from 'vitest';
import { currentDevice, setDevice } from '../../lib/index.js';
import type { Model } from '../../lib/index.js';
import {
  alexNet,
  alexNetTorchvision,
  bookResNet34,
  fromStateDict,
  googLeNetTorchvision,
  inceptionV4,
  resNet101,
  resNet152,
  resNet18,
  resNet34,
  resNet50,
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
import {
  checkCounts,
  checkModel,
  checkWeightList,
  FULL,
  loadKeras,
  readModel,
  readSeedModel,
  report,
  type ModelFixture,
  type State,
} from '../support/zoo.js';

// Networks of torchvision and timm, and the book's that have fixtures: weights by the fill through the names that real
// files have, then logits and what single layers make of the fixture's images.

/** Fixture and network. */
const TORCH: readonly (readonly [fixture: string, build: (options: ModelOptions) => Model])[] = [
  ['alexnet', alexNetTorchvision],
  ['googlenet', googLeNetTorchvision],
  ['inception_v4', inceptionV4],
  ['legacy_senet154', seNet154],
  ['legacy_seresnet18', seResNet18],
  ['legacy_seresnet34', seResNet34],
  ['legacy_seresnet50', seResNet50],
  ['legacy_seresnet101', seResNet101],
  ['legacy_seresnet152', seResNet152],
  ['legacy_xception', xceptionTimm],
  ['resnet18', resNet18],
  ['resnet34', resNet34],
  ['resnet50', resNet50],
  ['resnet101', resNet101],
  ['resnet152', resNet152],
  ['seresnet50', seResNet50Timm],
  ['vgg16', vgg16Torchvision],
];

/** Logits, not probabilities: those the fixtures hold. */
const SCORES: ModelOptions = { classifierActivation: null };

/** Small enough for the reference device, a second or so for a hundred million multiply-adds. */
const SMALL = ['alexnet', 'resnet18'];

const load = (model: Model, state: State): void => model.setWeights(fromStateDict(model, state));

/** The fixture in the words of Keras's ones: `parameters` train, `buffers` do not, but for the int64 batch counters. */
function readTorch(name: string): ModelFixture {
  const fixture = readModel(`models-torch/${name}.json`);
  const { parameters, buffers } = fixture.params as unknown as { parameters: number; buffers: number };
  return {
    ...fixture,
    weights: fixture.weights.filter((weight) => !weight.name!.endsWith('num_batches_tracked')),
    params: { total: parameters + buffers, trainable: parameters, nonTrainable: buffers },
    // A mean over the image has no height and width here.
    taps: fixture.taps.map((tap) =>
      tap.shape[1] === 1 && tap.shape[2] === 1 ? { ...tap, shape: [tap.shape[0]!, tap.shape[3]!] } : tap,
    ),
  };
}

/** What a PyTorch module returns is what the last layer below its path makes. */
function lastBelow(model: Model): (tap: string) => string {
  const names = model.layers.map(({ name }) => name);
  return (tap) => names.find((name) => name === tap) ?? names.findLast((name) => name.startsWith(`${tap}.`)) ?? tap;
}

afterEach(() => {
  // Networks of half a gigabyte should not wait for the collector.
  (globalThis as { gc?: () => void }).gc?.();
});

describe('torchvision and timm', () => {
  test.each(TORCH)('%s', async (name, build) => {
    const fixture = readTorch(name);
    const model = build(SCORES);
    checkCounts(model, fixture);
    expect(model.outputShape).toEqual([null, 1000]);
    const errors = await checkModel(model, fixture, {
      load,
      tapLayer: lastBelow(model),
    });
    report(`${name} (${currentDevice()})`, errors);
    for (const weight of model.weights) weight.dispose();
  });

  test.runIf(FULL).each(TORCH.filter(([name]) => SMALL.includes(name)))(
    '%s on reference',
    async (name, build) => {
      const before = currentDevice();
      setDevice('reference');
      try {
        const model = build(SCORES);
        report(`${name} (reference)`, await checkModel(model, readTorch(name), { load, tapLayer: lastBelow(model) }));
      } finally {
        setDevice(before);
      }
    },
    900_000,
  );
});

describe('the book', () => {
  test.each([
    ['alexnet', alexNet],
    ['resnet34', bookResNet34],
  ] as const)('%s', async (name, build) => {
    const seed = readSeedModel(name);
    const fixture = { ...seed, taps: seed.taps.slice(0, -1) };
    const model = build(SCORES);
    checkCounts(model, fixture);
    const prefix = `${name}/`;
    checkWeightList(model, {
      ...fixture,
      weights: fixture.weights.map((weight) => ({ ...weight, path: weight.path!.slice(prefix.length) })),
    });
    // The last tap is the logits.
    report(name, await checkModel(model, fixture, { load: (made, state) => loadKeras(made, state, prefix) }));
  });
});
