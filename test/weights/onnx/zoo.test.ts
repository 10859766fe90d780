import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, fromStateDict, resetLayerNames, setRandomSeed, tensor } from '../../../lib/index.js';
import type { Model, Tensor } from '../../../lib/index.js';
import { createModel, listModels } from '../../../models/index.js';
import { fillSpec } from '../../support/fill.js';
import { runExported } from '../../support/onnx.js';
import { expectFixture } from '../../support/outputs.js';
import {
  disposeModel,
  fixtureState,
  FULL,
  loadKeras,
  readModel,
  readSeedModel,
  type ModelFixture,
} from '../../support/zoo.js';

// Networks with the fixtures' weights, exported and run by onnxruntime: the fixtures' logits come out of it. A dozen
// here; `npm run test:zoo -- --full` takes all of the zoo.

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-onnx-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The zoo's names of the fixtures. */
const SEED = ['lenet5', 'fashion_cnn'] as const;
const KERAS: Readonly<Record<string, string>> = {
  ...{ MobileNet: 'mobilenet', MobileNetV2: 'mobilenet_v2', EfficientNetB0: 'efficientnetb0' },
  ...{ DenseNet121: 'densenet121', 'Xception-notop': 'xception', 'ResNet50-notop': 'resnet50_keras' },
  ...{ ResNet50V2: 'resnet50v2', InceptionV3: 'inception_v3', InceptionResNetV2: 'inception_resnet_v2' },
  ...{ ResNet101: 'resnet101_keras', ResNet152: 'resnet152_keras', VGG16: 'vgg16', VGG19: 'vgg19' },
};
const TORCH: Readonly<Record<string, string>> = {
  ...{ resnet18: 'resnet18', googlenet: 'googlenet_torchvision', legacy_seresnet18: 'seresnet18' },
  ...{ resnet34: 'resnet34', resnet50: 'resnet50', resnet101: 'resnet101', resnet152: 'resnet152' },
  ...{ alexnet: 'alexnet_torchvision', vgg16: 'vgg16_torchvision', inception_v4: 'inception_v4' },
  ...{ legacy_seresnet34: 'seresnet34', legacy_seresnet50: 'seresnet50', legacy_seresnet101: 'seresnet101' },
  ...{ legacy_seresnet152: 'seresnet152', legacy_senet154: 'senet154', seresnet50: 'seresnet50_timm' },
  ...{ legacy_xception: 'xception_timm' },
};
/** Those that every run takes. */
const QUICK = new Set([
  ...['MobileNet', 'MobileNetV2', 'EfficientNetB0', 'DenseNet121', 'Xception-notop', 'ResNet50-notop', 'ResNet50V2'],
  ...['resnet18', 'googlenet', 'legacy_seresnet18'],
]);
const chosen = (names: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(names).filter(([name]) => FULL || QUICK.has(name));

async function check(model: Model, fixture: ModelFixture): Promise<void> {
  const { values, shape } = await runExported(
    model,
    path.join(folder, 'model.onnx'),
    fillSpec(fixture.input),
    fixture.input.shape,
  );
  expectFixture(values, shape, fixture);
  disposeModel(model);
}

describe('exported networks give the logits of the fixtures', () => {
  it.each(SEED)('%s', async (name) => {
    const fixture = readSeedModel(name);
    resetLayerNames();
    const model = createModel(name, { classifierActivation: null });
    loadKeras(model, fixtureState(fixture), `${name}/`);
    await check(model, fixture);
  });

  it.each(chosen(KERAS))('%s', { timeout: 300_000 }, async (name, zoo) => {
    const fixture = readModel(`models-keras/${name}.json`);
    const top = !name.endsWith('-notop');
    const model = createModel(zoo, top ? { classifierActivation: null } : { includeTop: false, pooling: 'avg' });
    loadKeras(model, fixtureState(fixture));
    await check(model, fixture);
  });

  it.each(chosen(TORCH))('%s', { timeout: 300_000 }, async (name, zoo) => {
    const fixture = readModel(`models-torch/${name}.json`);
    const model = createModel(zoo, { classifierActivation: null });
    model.setWeights(fromStateDict(model, fixtureState(fixture)));
    await check(model, fixture);
  });
});

/** Networks without a fixture, at the smallest sizes they take. */
const done = new Set([...SEED, ...Object.values(KERAS), ...Object.values(TORCH)]);
const others = listModels().filter(({ name }) => !done.has(name as (typeof SEED)[number]));

describe.runIf(FULL)('the rest of the zoo: as here, at small sizes', () => {
  it.each(others.map((info) => [info.name, info] as const))(
    '%s',
    { timeout: 300_000 },
    async (name, { inputShape }) => {
      setRandomSeed(1);
      const size = name === 'alexnet' ? 67 : 64;
      const model = createModel(name, { inputShape: [size, size, inputShape[2]] });
      const shape = [2, size, size, inputShape[2]];
      const x = fillSpec({ shape, seed: 3, lo: 0, hi: 1 });
      const { values } = await runExported(model, path.join(folder, 'model.onnx'), x, shape);
      const run = compile((t: Tensor) => model.apply<Tensor>(t));
      const expected = (await run(tensor(x, shape)).data()) as Float32Array;
      const worst = expected.reduce((most, want, i) => Math.max(most, Math.abs(want - values[i]!)), 0);
      expect(worst).toBeLessThan(1e-4);
      run.dispose();
      disposeModel(model);
    },
  );
});
