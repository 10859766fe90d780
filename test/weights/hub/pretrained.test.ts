import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createModel, efficientNetB0, leNet5, resNet18 } from '../../../models/index.js';
import { saveWeights } from '../../../lib/index.js';
import type { Model } from '../../../lib/index.js';
import type * as Facts from '../../../lib/weights/hub/facts.js';
import { findWeights } from '../../../lib/weights/hub/index.js';
import { encodeSafetensors } from '../../../lib/weights/safetensors.js';
import { FileServer } from '../../support/file-server.js';
import { encodeKerasWeights } from '../../support/keras-file.js';
import { expectOutputs } from '../../support/outputs.js';
import { encodeTorchLegacy, encodeTorchZip } from '../../support/torch-file.js';
import { disposeModel, fixtureState, FULL, readModel, type ModelFixture } from '../../support/zoo.js';

// Files of the official formats, made from the fixtures' weights and served by a mirror, through `weights: 'imagenet'` to
// the fixtures' logits. Nobody can make a file with the official digests, so those are left out here.

vi.mock('../../../lib/weights/hub/facts.js', async (original) => {
  const facts = await original<typeof Facts>();
  const bare = (file: Facts.WeightsFile): Facts.WeightsFile => ({ path: file.path, url: file.url });
  const entries = facts.published().map((entry) => ({
    ...entry,
    withTop: entry.withTop.map(bare),
    withoutTop: entry.withoutTop.map(bare),
  }));
  return { published: () => entries };
});

let server: FileServer;
let folder = '';
const cache = process.env['FOVEA_CACHE'];

beforeAll(async () => {
  server = await FileServer.start();
});
beforeEach(async () => {
  server.reset();
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-pretrained-'));
  process.env['FOVEA_CACHE'] = folder;
});
afterEach(() => rm(folder, { recursive: true, force: true }));
afterAll(async () => {
  await server.close();
  if (cache === undefined) delete process.env['FOVEA_CACHE'];
  else process.env['FOVEA_CACHE'] = cache;
});

/** Puts a file where the mirror has the published weights of a network. */
function offer(model: string, bytes: Uint8Array, includeTop = true): void {
  const entry = findWeights(model);
  const [file] = includeTop ? entry.withTop : entry.withoutTop;
  server.files.set(`/${file!.path}`, bytes);
}

const from = (): { weights: string; mirror: string; progress: false } => ({
  ...{ weights: 'imagenet', mirror: server.url, progress: false },
});

const KERAS: readonly (readonly [string, string])[] = [
  ['MobileNet', 'mobilenet'],
  ['MobileNetV2', 'mobilenet_v2'],
  ['ResNet50-notop', 'resnet50_keras'],
  ['DenseNet121', 'densenet121'],
  ['Xception', 'xception'],
  ['Xception-notop', 'xception'],
  ['ResNet50', 'resnet50_keras'],
  ['ResNet50V2', 'resnet50v2'],
  ['ResNet101', 'resnet101_keras'],
  ['ResNet152', 'resnet152_keras'],
  ['InceptionV3', 'inception_v3'],
  ['InceptionResNetV2', 'inception_resnet_v2'],
  ['VGG16', 'vgg16'],
  ['VGG19', 'vgg19'],
];
const TORCH: readonly (readonly [string, string])[] = [
  ['resnet18', 'resnet18'],
  ['googlenet', 'googlenet_torchvision'],
  ['legacy_seresnet18', 'seresnet18'],
  ['alexnet', 'alexnet_torchvision'],
  ['vgg16', 'vgg16_torchvision'],
  ['resnet34', 'resnet34'],
  ['resnet50', 'resnet50'],
  ['resnet101', 'resnet101'],
  ['resnet152', 'resnet152'],
  ['legacy_xception', 'xception_timm'],
  ['legacy_seresnet34', 'seresnet34'],
  ['legacy_seresnet50', 'seresnet50'],
  ['legacy_seresnet101', 'seresnet101'],
  ['legacy_seresnet152', 'seresnet152'],
  ['legacy_senet154', 'senet154'],
  ['seresnet50', 'seresnet50_timm'],
];
const some = (all: typeof KERAS): typeof KERAS => (FULL ? all : all.slice(0, 3));

async function check(model: Model, fixture: ModelFixture): Promise<void> {
  await expectOutputs(model, fixture);
  disposeModel(model);
}

describe("weights: 'imagenet'", () => {
  it.each(some(KERAS))('%s, from a file of Keras matched by order', { timeout: 300_000 }, async (name, zoo) => {
    const fixture = readModel(`models-keras/${name}.json`);
    const top = !name.endsWith('-notop');
    offer(zoo, encodeKerasWeights(fixture), top);
    const rest = top ? { classifierActivation: null } : { includeTop: false, pooling: 'avg' as const };
    await check(await createModel(zoo, { ...from(), ...rest }), fixture);
  });

  it.each(some(TORCH))('%s, from a file of PyTorch', { timeout: 300_000 }, async (name, zoo) => {
    const fixture = readModel(`models-torch/${name}.json`);
    const state = new Map(fixtureState(fixture));
    // What the official file of GoogLeNet holds besides.
    if (name === 'googlenet') state.set('aux1.fc1.weight', { shape: [1], data: new Float32Array(1) });
    const encode = name === 'resnet18' || name === 'vgg16' ? encodeTorchLegacy : encodeTorchZip;
    offer(zoo, encode(state));
    await check(await createModel(zoo, { ...from(), classifierActivation: null }), fixture);
  });

  it.runIf(FULL)('inception_v4, from safetensors of the hub', { timeout: 300_000 }, async () => {
    const fixture = readModel('models-torch/inception_v4.json');
    const floats = [...fixtureState(fixture)].filter(([name]) => !name.endsWith('num_batches_tracked'));
    const tensors = new Map(floats.map(([name, tensor]) => [name, { ...tensor, dtype: 'float32' as const }]));
    offer('inception_v4', Buffer.concat(encodeSafetensors('inception_v4', tensors)));
    await check(await createModel('inception_v4', { ...from(), classifierActivation: null }), fixture);
  });

  it('EfficientNet comes with the rescaling its weights were trained with', async () => {
    const fixture = readModel('models-keras/EfficientNetB0.json');
    offer('efficientnetb0', encodeKerasWeights(fixture));
    const model = await efficientNetB0(from());
    expect(model.layers.some(({ name }) => name === 'rescaling_1')).toBe(true);
    const state = fixtureState(fixture);
    for (const name of ['stem_conv/kernel', 'predictions/bias', 'block7a_project_bn/moving_variance']) {
      const weight = model.weights.find((w) => w.name === name)!;
      expect(await weight.data(), name).toEqual(state.get(name)!.data);
    }
    disposeModel(model);
  });

  it("PyTorch's files without the classifier, for one of your own", async () => {
    const fixture = readModel('models-torch/resnet18.json');
    offer('resnet18', encodeTorchZip(fixtureState(fixture)));
    const model = await resNet18({ ...from(), includeTop: false, pooling: 'avg', inputShape: [64, 64, 3] });
    expect(model.outputShape).toEqual([null, 512]);
    disposeModel(model);
  });

  it('takes files, and says what there is when there is none', async () => {
    const saved = leNet5();
    const file = path.join(folder, 'lenet5.safetensors');
    await saveWeights(saved, file);
    const model = await createModel('lenet5', { weights: file });
    expect(await model.weights[0]!.data()).toEqual(await saved.weights[0]!.data());
    disposeModel(model);
    disposeModel(saved);
    await expect(createModel('resnet50', { weights: 'nowhere.pth' })).rejects.toThrow(
      /one of imagenet, IMAGENET1K_V1, IMAGENET1K_V2 or a file, received 'nowhere.pth'/,
    );
    await expect(createModel('lenet5', { weights: 'imagenet' })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  it('refuses other classes than the published ones before it downloads', async () => {
    const wrong = createModel('resnet18', { ...from(), classes: 5 });
    await expect(wrong).rejects.toThrow(/resnet18: expected 1000 classes .* includeTop: false/);
    expect(server.log).toEqual([]);
  });

  it('lists what does not fit', async () => {
    offer('resnet18', encodeTorchZip(new Map([['fc.bias', { shape: [1000], data: new Float32Array(1000) }]])));
    await expect(createModel('resnet18', from())).rejects.toThrow(
      /resnet18-f37072fd\.pth does not fit .*conv1\.weight/s,
    );
  });
});
