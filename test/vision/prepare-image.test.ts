import { describe, expect, test } from 'vitest';
import { listModels } from '../../models/index.js';
import { data, tensor, vision } from '../../lib/index.js';
import { published } from '../../lib/weights/hub/facts.js';
import { expectTensorClose, readGolden, type ExpectedTensor } from '../support/golden.js';
import { EXACT, goldenImage, readFixture } from './fixtures.js';

interface Preprocess {
  readonly preprocessInput: {
    readonly image: { shape: number[]; seed: number };
    readonly cases: readonly { mode: 'caffe' | 'tf' | 'torch'; expected: ExpectedTensor }[];
  };
}
const { preprocessInput } = readGolden<Preprocess>('preprocess.json');

interface Transforms {
  readonly file: string;
  readonly cases: readonly {
    resizeShorterSide: number;
    crop: number;
    interpolation: 'bilinear' | 'bicubic';
    resizedSize: [number, number];
    pixels: ExpectedTensor;
    normalized: ExpectedTensor;
  }[];
}
const transforms = readGolden<Transforms>('files/transforms.json.gz');

describe('preprocessInput', () => {
  const image = goldenImage(preprocessInput.image.shape, preprocessInput.image.seed, 'uint8');

  test.each(preprocessInput.cases)('$mode, on the host and as tensor', async ({ mode, expected }) => {
    const host = vision.preprocessInput(image, mode);
    expect(host.dtype).toBe('float32');
    expectTensorClose(host.data, host.shape, expected, { relative: 1e-6 });
    const t = vision.preprocessInput(tensor(image.data, image.shape), mode);
    expectTensorClose(await t.data(), t.shape, expected, { relative: 1e-6 });
  });

  test('none leaves values as they are; a network stands for its mode', () => {
    expect([...vision.preprocessInput(image, 'none').data]).toEqual([...image.data]);
    expect(vision.preprocessInput(image, 'vgg16')).toEqual(vision.preprocessInput(image, 'caffe'));
    expect(vision.preprocessInput(image, 'resnet50')).toEqual(vision.preprocessInput(image, 'torch'));
    expect(vision.preprocessInput(image, 'xception')).toEqual(vision.preprocessInput(image, 'tf'));
  });

  test('refuses unknown names and other channels', () => {
    expect(() => vision.preprocessInput(image, 'resnet51')).toThrow(
      /published weights .*resnet50.* received 'resnet51'/,
    );
    const grey = data.hostTensor(new Uint8Array(4), [2, 2, 1]);
    expect(() => vision.preprocessInput(grey, 'tf')).toThrow(/3 channels/);
  });
});

describe('the steps of torchvision', () => {
  test.each(transforms.cases)('shorter side $resizeShorterSide, crop $crop, $interpolation', async (example) => {
    const image = await vision.decodeImage(readFixture(transforms.file));
    const { interpolation } = example;
    const resized = vision.resizeShorterSide(image, example.resizeShorterSide, { interpolation });
    expect(resized.shape).toEqual([...example.resizedSize.toReversed(), 3]);
    const crop = vision.centerCrop(resized, example.crop);
    expectTensorClose(crop.data, crop.shape, example.pixels, { ...EXACT, label: 'pixels' });
    const y = vision.preprocessInput(crop, 'torch');
    expectTensorClose(y.data, y.shape, example.normalized, { label: 'normalized' });
  });
});

describe('modelPreprocessing', () => {
  interface KerasFacts {
    readonly models: readonly { model: string; inputSize: number[]; preprocess: string; withTop: { file: string } }[];
  }
  interface TorchFacts {
    readonly torchvision: readonly {
      url: string;
      resize: number[];
      crop: number[];
      interpolation: string;
      mean: number[];
      antialias: boolean;
    }[];
    readonly timm: readonly { tag: string; input_size: number[]; mean: number[]; interpolation: string }[];
  }
  const keras = readGolden<KerasFacts>('pretrained-facts-keras.json');
  const torch = readGolden<TorchFacts>('pretrained-facts-torch.json');

  test.each(published())('$model with weights $name is what $source says', (entry) => {
    const found = vision.modelPreprocessing(entry.model, entry.name);
    if (entry.preferred) expect(vision.modelPreprocessing(entry.model)).toEqual(found);
    const file = entry.withTop[0]!;
    if (entry.source === 'keras') {
      const fact = keras.models.find((m) => file.url.endsWith(m.withTop.file))!;
      const mode = fact.preprocess.startsWith('none') ? 'none' : fact.preprocess;
      expect(found).toEqual({ mode, size: fact.inputSize.slice(0, 2), interpolation: 'nearest' });
    } else if (entry.source === 'torchvision') {
      const fact = torch.torchvision.find((m) => m.url === file.url)!;
      expect([fact.antialias, fact.mean]).toEqual([true, vision.IMAGENET_MEAN]);
      expect(found).toMatchObject({ shorterSide: fact.resize[0], size: [fact.crop[0], fact.crop[0]] });
      expect(found.interpolation).toBe(fact.interpolation);
      // torchvision's GoogLeNet turns ImageNet's statistics into -1 to 1 by itself; the zoo's leaves that out.
      expect(found.mode).toBe(entry.model === 'googlenet_torchvision' ? 'tf' : 'torch');
    } else {
      const fact = torch.timm.find((m) => m.tag === entry.name)!;
      expect(found.size).toEqual(fact.input_size.slice(1));
      expect(found.interpolation).toBe(fact.interpolation);
      expect(found.mode).toBe(fact.mean[0] === 0.5 ? 'tf' : 'torch');
    }
  });

  test('agrees with the zoo', () => {
    for (const { name, preprocessing, inputShape, weights } of listModels()) {
      if (weights.length === 0) continue;
      expect([name, vision.modelPreprocessing(name).mode]).toEqual([name, preprocessing]);
      expect([name, ...vision.modelPreprocessing(name).size, 3]).toEqual([name, ...inputShape]);
    }
  });
});

describe('prepareImage', () => {
  test('Keras stretches; torchvision brings the shorter side to size and crops', async () => {
    const image = await vision.decodeImage(readFixture('rocket.jpg'));
    const stretched = vision.resizeImage(image, 224, { interpolation: 'nearest' });
    expect(vision.prepareImage(image, 'vgg16')).toEqual(vision.preprocessInput(stretched, 'caffe'));
    const x = vision.prepareImage(image, 'resnet50', 'IMAGENET1K_V1');
    const shorter = vision.resizeShorterSide(image, 256, { interpolation: 'bilinear' });
    expect(x).toEqual(vision.preprocessInput(vision.centerCrop(shorter, 224), 'torch'));
    expect(vision.stackImages([x, x]).shape).toEqual([2, 224, 224, 3]);
  });

  test('only images of one size are stacked', () => {
    const image = (side: number) => data.hostTensor(new Uint8Array(side * side * 3), [side, side, 3]);
    expect(() => vision.stackImages([image(2), image(3)])).toThrow(/uint8 \[2,2,3\], received uint8 \[3,3,3\]/);
    expect(() => vision.stackImages([])).toThrow(/at least one/);
  });
});
