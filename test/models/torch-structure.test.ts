import { afterEach, describe, expect, test } from 'vitest';
import { modelFromJSON, tensor, type Layer, type Model, type Tensor } from '../../lib/index.js';
import {
  AdaptiveAveragePooling2D,
  alexNet,
  alexNetTorchvision,
  bookResNet34,
  googLeNet,
  googLeNetTorchvision,
  inceptionV4,
  resNet50,
  seInception,
  seNet154,
  seResNet18,
  seResNet50Timm,
  vgg16Torchvision,
  xceptionTimm,
  type ModelOptions,
} from '../../models/index.js';
import { disposeModel } from '../support/zoo.js';

let made: Layer[] = [];
const keep = <L extends Layer>(layer: L): L => {
  made.push(layer);
  return layer;
};
afterEach(() => {
  made.forEach(disposeModel);
  made = [];
});

/** Networks and the smallest height and width of their images. */
const NETWORKS: Readonly<Record<string, readonly [build: (options?: ModelOptions) => Model, least: number]>> = {
  alexNet: [alexNet, 67],
  alexNetTorchvision: [alexNetTorchvision, 63],
  bookResNet34: [bookResNet34, 1],
  googLeNet: [googLeNet, 15],
  googLeNetTorchvision: [googLeNetTorchvision, 15],
  inceptionV4: [inceptionV4, 75],
  resNet50: [resNet50, 1],
  seInception: [seInception, 15],
  seNet154: [seNet154, 3],
  seResNet18: [seResNet18, 3],
  seResNet50Timm: [seResNet50Timm, 1],
  vgg16Torchvision: [vgg16Torchvision, 32],
  xceptionTimm: [xceptionTimm, 7],
};

describe.each(Object.entries(NETWORKS))('%s', (name, [build, least]) => {
  test('from its own JSON', () => {
    const model = keep(build({ inputShape: [least, least, 3], dropout: 0.25, classes: 3 }));
    const json = JSON.stringify(model);
    const again = keep(modelFromJSON(json));
    expect(JSON.stringify(again)).toBe(json);
    expect(again.weights.map((weight) => weight.name)).toEqual(model.weights.map((weight) => weight.name));
  });

  test('images as small as it allows, not smaller', () => {
    const model = keep(build({ inputShape: [least, least, 3], classes: 2 }));
    expect(model.outputShape).toEqual([null, 2]);
    expect(() => build({ inputShape: [least, least - 1, 3] })).toThrow(/expected inputShape to be/);
  });

  test('images of open size', () => {
    expect(keep(build({ inputShape: [null, null, 3], includeTop: false })).outputShape).toHaveLength(4);
    if (name === 'alexNet') expect(() => build({ inputShape: [null, null, 3] })).toThrow(/expected inputShape/);
    else expect(keep(build({ inputShape: [null, null, 3], classes: 4 })).outputShape).toEqual([null, 4]);
  });
});

test('auxiliary classifiers at small and at open sizes', () => {
  for (const build of [googLeNet, googLeNetTorchvision]) {
    const model = keep(build({ inputShape: [32, 48, 3], classes: 3, auxiliary: true }));
    expect(model.outputShape).toEqual([
      [null, 3],
      [null, 3],
      [null, 3],
    ]);
  }
  const count = (model: Model): number => model.trainableWeights.reduce((sum, { size }) => sum + size, 0);
  expect(count(keep(googLeNet({ auxiliary: true })))).toBe(13_378_280);
  expect(count(keep(googLeNetTorchvision({ auxiliary: true })))).toBe(13_004_888);
});

describe('AdaptiveAveragePooling2D', () => {
  const pool = async (values: number[], shape: number[], outputSize: [number, number]): Promise<number[]> => {
    const layer = new AdaptiveAveragePooling2D({ outputSize });
    return [...(await layer.apply<Tensor>(tensor(values, shape)).data())];
  };

  test('patches overlap where they must, as in PyTorch', async () => {
    // torch.nn.AdaptiveAvgPool1d(3) of 0..4: windows 0-1, 1-3, 3-4.
    const means = await pool([0, 1, 2, 3, 4], [1, 1, 5, 1], [1, 3]);
    for (const [i, mean] of [0.5, 2, 3.5].entries()) expect(means[i]).toBeCloseTo(mean, 6);
  });

  test('repeats what is too small', async () => {
    expect(await pool([1, 3], [1, 1, 2, 1], [2, 4])).toEqual([1, 1, 3, 3, 1, 1, 3, 3]);
  });

  test('keeps channels and images apart', async () => {
    const values = Array.from({ length: 2 * 2 * 2 * 2 }, (_, i) => i);
    expect(await pool(values, [2, 2, 2, 2], [1, 1])).toEqual([3, 4, 11, 12]);
  });
});
