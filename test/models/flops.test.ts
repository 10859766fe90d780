import { describe, expect, test } from 'vitest';
import { Layer, layers, Model, ops } from '../../lib/index.js';
import type { Nest, SymbolicTensor, Tensor } from '../../lib/index.js';
import { countFlops } from '../../lib/training/flops.js';
import { createModel, listModels } from '../../models/index.js';
import { readGolden } from '../support/golden.js';

function modelOf(shape: readonly (number | null)[], ...chain: Layer[]): Model {
  const inputs = layers.input({ shape });
  return new Model({ inputs, outputs: chain.reduce((x: SymbolicTensor, layer) => layer.apply(x), inputs) });
}

describe('countFlops', () => {
  test.each([
    ['a convolution', layers.conv2d({ filters: 5, kernelSize: 3 }), 6 * 6 * 5 * 9 * 4],
    [
      'strides and padding',
      layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' }),
      4 * 4 * 5 * 9 * 4,
    ],
    ['groups', layers.conv2d({ filters: 6, kernelSize: 3, groups: 2 }), 6 * 6 * 6 * 9 * 2],
    ['a depthwise convolution', layers.depthwiseConv2d({ kernelSize: 3 }), 6 * 6 * 4 * 9],
    ['a separable convolution', layers.separableConv2d({ filters: 7, kernelSize: 3 }), 6 * 6 * 4 * 9 + 6 * 6 * 4 * 7],
    ['a transposed convolution', layers.conv2dTranspose({ filters: 5, kernelSize: 2, strides: 2 }), 8 * 8 * 4 * 4 * 5],
    ['a dense layer', layers.dense({ units: 10 }), 8 * 8 * 4 * 10],
    ['pooling', layers.maxPooling2d(), 0],
    ['normalization', layers.batchNormalization(), 0],
  ])('%s', (_, layer, expected) => {
    const { multiplyAdds, layers: byLayer } = countFlops(modelOf([8, 8, 4], layer));
    expect(multiplyAdds).toBe(expected);
    expect([...byLayer]).toEqual(expected === 0 ? [] : [[layer.name, expected]]);
  });

  test('a layer that is used twice counts twice, one that leads nowhere not at all', () => {
    const inputs = layers.input({ shape: [8] });
    const shared = layers.dense({ units: 8, name: 'shared' });
    layers.dense({ units: 100 }).apply(inputs);
    const { multiplyAdds, layers: byLayer } = countFlops(
      new Model({ inputs, outputs: shared.apply(shared.apply(inputs)) }),
    );
    expect(multiplyAdds).toBe(128);
    expect([...byLayer]).toEqual([['shared', 128]]);
  });

  test('several inputs and outputs, and models in models', () => {
    const [a, b] = [layers.input({ shape: [3] }), layers.input({ shape: [4] })];
    const inner = modelOf([5], layers.dense({ units: 6, name: 'inner' }));
    const x = layers.dense({ units: 5 }).apply(a);
    const model = new Model({
      inputs: { a, b },
      outputs: { x: inner.apply(x), y: layers.dense({ units: 2 }).apply(b) },
    });
    expect(countFlops(model).multiplyAdds).toBe(15 + 30 + 8);
  });

  test('an open size must be told', () => {
    const model = modelOf([null, null, 3], layers.conv2d({ filters: 2, kernelSize: 1 }));
    expect(() => countFlops(model)).toThrow(/^countFlops .*expected an inputShape of known sizes/);
    expect(countFlops(model, { inputShape: [10, 20, 3] }).multiplyAdds).toBe(10 * 20 * 3 * 2);
  });

  test('subclassed layers need a shape', () => {
    class Twice extends Layer {
      readonly dense = layers.dense({ units: 4 });
      override call(x: Nest<Tensor>): Tensor {
        return ops.add(this.dense.apply(x), this.dense.apply(x));
      }
    }
    expect(() => countFlops(new Twice())).toThrow(/expected an inputShape/);
    expect(countFlops(new Twice(), { inputShape: [3] }).multiplyAdds).toBe(24);
  });
});

/** Milliards of multiply-adds as published: torchvision's (in the fixtures), timm's benchmark tables, the papers. */
const PUBLISHED: Readonly<Record<string, number>> = {
  inception_v4: 12.28,
  xception_timm: 8.4,
  seresnet18: 1.82,
  seresnet34: 3.67,
  seresnet50: 3.88,
  seresnet101: 7.61,
  seresnet152: 11.33,
  senet154: 20.77,
  seresnet50_timm: 4.11,
  xception: 8.4,
  mobilenet: 0.569,
  googlenet: 1.582,
  alexnet: 1.135,
};

describe('published multiply-adds are met within 1%', () => {
  const facts = readGolden<{ torchvision: readonly { model: string; gflops: number }[] }>(
    'pretrained-facts-torch.json',
  );
  const torchvision = new Map(facts.torchvision.map(({ model, gflops }) => [model, gflops]));
  const rows = listModels().flatMap(({ name, multiplyAdds }): [string, number, number][] => {
    const plain = name.replace(/_(torchvision|keras)$/, '');
    const same = /^(vgg|mobilenet_v2|densenet121|inception_v3|resnet\d+$|efficientnetb0)|_torchvision$/.test(name);
    const published =
      PUBLISHED[name] ?? (same ? torchvision.get(plain.replace('efficientnetb', 'efficientnet_b')) : undefined);
    return published === undefined ? [] : [[name, multiplyAdds, published]];
  });

  test('most of the zoo has a published number', () => {
    expect(rows.length).toBeGreaterThan(25);
  });

  test.each(rows)('%s', (_, ours, published) => {
    expect(Math.abs(ours / 1e9 / published - 1)).toBeLessThan(0.01);
  });

  test('counted anew', () => {
    expect(countFlops(createModel('resnet50')).multiplyAdds).toBe(4_089_184_256);
  });
});
