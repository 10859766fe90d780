import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resetLayerNames, setPolicy, setRandomSeed, tensor, type Model, type Tensor } from '../../lib/index.js';
import { createModel, listModels, type ModelOptions } from '../../models/index.js';
import { fillSpec } from '../support/fill.js';
import { checkTraining, disposeModel, FULL } from '../support/zoo.js';

const CLASSES = 5;

/** Names of the registry, one of every family; the others are left to `npm run test:zoo -- --full`. */
const FAMILIES = new Set([
  ...['lenet5', 'fashion_cnn', 'alexnet', 'vgg16', 'googlenet', 'googlenet_torchvision', 'se_inception'],
  ...['resnet34_book', 'resnet50', 'resnet50v2', 'seresnet50', 'inception_v3', 'inception_v4', 'inception_resnet_v2'],
  ...['xception', 'mobilenet', 'mobilenet_v2', 'densenet121', 'efficientnetb0'],
]);

/** Height and width of the images where 64 are too few, or fewer do. */
const SIZES: Readonly<Record<string, number>> = {
  lenet5: 32,
  fashion_cnn: 28,
  alexnet: 67,
  vgg11_torchvision: 32,
  vgg16: 32,
  vgg16_torchvision: 32,
  vgg19: 32,
  vgg19_torchvision: 32,
  inception_v3: 75,
  inception_v4: 107,
  inception_resnet_v2: 75,
  xception: 71,
  xception_timm: 71,
};

let made: Model[] = [];
beforeEach(() => setRandomSeed(4));
afterEach(() => {
  setPolicy('float32');
  made.forEach(disposeModel);
  made = [];
});

/** A network that gives scores, made under a policy. */
function build(name: string, policy: 'float32' | 'mixed_bfloat16'): Model {
  const size = SIZES[name] ?? 64;
  const channels = ['lenet5', 'fashion_cnn'].includes(name) ? 1 : 3;
  const options: ModelOptions & { dropConnectRate?: number } = {
    inputShape: [size, size, channels],
    classes: CLASSES,
    dropout: 0,
    classifierActivation: null,
    ...(name.startsWith('efficientnet') ? { dropConnectRate: 0 } : {}),
  };
  resetLayerNames();
  setPolicy(policy);
  const model = createModel(name, options);
  setPolicy('float32');
  made.push(model);
  return model;
}

const rangeOf = (name: string): readonly [number, number] => (name.startsWith('efficientnet') ? [0, 255] : [-1, 1]);

describe('in mixed precision', () => {
  const names = listModels().map(({ name }) => name);

  test.each(names.filter((name) => FULL || FAMILIES.has(name)))('%s', { timeout: 300_000 }, async (name) => {
    const mixed = build(name, 'mixed_bfloat16');
    const range = rangeOf(name);
    expect(new Set(mixed.trainableWeights.map(({ dtype }) => dtype))).toEqual(new Set(['float32']));

    // The same weights in float32 say much the same.
    const whole = build(name, 'float32');
    whole.setWeights(await Promise.all(mixed.weights.map((weight) => weight.data())));
    const shape = [2, ...(mixed.inputShape as number[]).slice(1)];
    const x = tensor(fillSpec({ shape, seed: 5, lo: range[0], hi: range[1] }), shape);
    const rough = (await mixed.predictOnBatch(x)) as Tensor;
    const exact = (await whole.predictOnBatch(x)) as Tensor;
    expect([rough.dtype, exact.dtype]).toEqual(['bfloat16', 'float32']);
    const [a, b] = [await rough.data(), await exact.data()];
    const norm = (values: Iterable<number>): number => Math.hypot(...values);
    const difference = [...a].map((value, i) => value - b[i]!);
    expect(norm(difference)).toBeGreaterThan(0);
    expect(norm(difference) / norm(b)).toBeLessThan(0.05); // 0.004 to 0.019
    for (const made of [rough, exact]) made.dispose();

    // A deep network with normalization and random weights is so rough that one step along a rounded gradient may lead
    // up: the gradients of ResNet-50 in the two precisions are nearly at right angles (PyTorch's autocast has the same
    // cosine, 0.1), and only the last layers' agree.
    const normalized = mixed.nonTrainableWeights.length > 0;
    await checkTraining(mixed, { range, ...(normalized ? { adamSteps: 3 } : {}) });
  });
});
