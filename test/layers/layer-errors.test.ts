import { beforeEach, describe, expect, test } from 'vitest';
import { setDevice } from '../../lib/backends/registry.js';
import * as layers from '../../lib/layers/index.js';
import { Layer, type CallContext, type Nest } from '../../lib/layers/index.js';
import { ones, zeros } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { messageOf } from '../support/message-of.js';

beforeEach(() => {
  setDevice('reference');
});

describe('arguments are checked when a layer is made', () => {
  const wrong: [name: string, make: () => unknown, message: string][] = [
    [
      'filters',
      () => layers.conv2d({ name: 'c', filters: 0, kernelSize: 3 }),
      'conv2d "c": expected filters to be a whole number of at least 1, received 0',
    ],
    [
      'kernelSize',
      () => layers.conv2d({ name: 'c', filters: 1, kernelSize: [3, 0] }),
      'conv2d "c": expected kernelSize to be one or two whole numbers of at least 1, received [3,0]',
    ],
    [
      'groups',
      () => layers.conv2d({ name: 'c', filters: 3, kernelSize: 3, groups: 2 }),
      'conv2d "c": expected filters to be divisible by groups 2, received 3',
    ],
    [
      'padding',
      () => layers.conv2d({ name: 'c', filters: 1, kernelSize: 3, padding: 'sane' as 'same' }),
      `conv2d "c": expected padding to be 'same', 'valid' or [top, bottom, left, right], received 'sane'; did you mean 'same'?`,
    ],
    [
      'strides and dilation',
      () => layers.conv2d({ name: 'c', filters: 1, kernelSize: 3, strides: 2, dilationRate: 2 }),
      'conv2d "c": expected dilationRate to be 1 where strides are more than 1, received 2',
    ],
    [
      'option',
      () => layers.conv2d({ name: 'c', filters: 1, kernel_size: 3 } as never),
      `conv2d "c": expected options among filters, kernelInitializer, kernelRegularizer, groups, kernelSize, strides, padding, dilationRate, activation, useBias, biasInitializer, biasRegularizer, received 'kernel_size'; did you mean 'kernelSize'?`,
    ],
    [
      'activation',
      () => layers.dense({ name: 'd', units: 1, activation: 'rellu' }),
      `dense "d": activation: expected one of ${layers.activationNames.join(', ')}, or a function, received 'rellu'; did you mean 'relu'?`,
    ],
    [
      'initializer',
      () => layers.dense({ name: 'd', units: 1, kernelInitializer: 'glorotUniformed' }),
      'dense "d": kernelInitializer: initializer: unknown name glorotUniformed; there are: ',
    ],
    [
      'units',
      () => layers.dense({ name: 'd', units: 2.5 }),
      'dense "d": expected units to be a whole number of at least 1, received 2.5',
    ],
    [
      'missing',
      () => layers.dense({ name: 'd' } as never),
      'dense "d": expected units to be a whole number of at least 1',
    ],
    [
      'flag',
      () => layers.dense({ name: 'd', units: 1, useBias: 'no' as never }),
      `dense "d": expected useBias to be true or false, received 'no'`,
    ],
    [
      'rate',
      () => layers.dropout({ name: 'd', rate: 1.5 }),
      'dropout "d": expected rate to be a number from 0 to 1, received 1.5',
    ],
    [
      'NaN',
      () => layers.dropout({ name: 'd', rate: NaN }),
      'dropout "d": expected rate to be a number from 0 to 1, received NaN',
    ],
    [
      'interpolation',
      () => layers.upSampling2d({ name: 'u', interpolation: 'bicubic' as 'nearest' }),
      `upSampling2d "u": expected interpolation to be 'nearest' or 'bilinear', received 'bicubic'`,
    ],
    [
      'targetShape',
      () => layers.reshape({ name: 'r', targetShape: [-1, -1] }),
      'reshape "r": expected targetShape to be a list of sizes, at most one of them -1, received [-1,-1]',
    ],
    [
      'dims',
      () => layers.permute({ name: 'p', dims: [0, 1] }),
      'permute "p": expected dims to be the axes from 1 in some order, received [0,1]',
    ],
    [
      'sides',
      () => layers.zeroPadding2d({ name: 'z', padding: -1 }),
      'zeroPadding2d "z": expected padding to be a whole number, [height, width] or [[top, bottom], [left, right]], received -1',
    ],
    [
      'axis',
      () => layers.batchNormalization({ name: 'b', axis: 2 }),
      'batchNormalization "b": expected axis to be -1, the last, received 2',
    ],
    [
      'outputPadding',
      () => layers.conv2dTranspose({ name: 't', filters: 1, kernelSize: 3, outputPadding: 1 }),
      'conv2dTranspose "t": expected outputPadding to be smaller than strides [1,1], received 1',
    ],
    [
      'trainable',
      () => layers.flatten({ name: 'f', trainable: 1 as never }),
      'flatten "f": expected trainable to be true or false, received 1',
    ],
    [
      'shape of input',
      () => layers.input({ name: 'i', shape: [28, -1] }),
      'inputLayer "i": expected shape to be a list of sizes, null where one is open, received [28,-1]',
    ],
  ];
  test.each(wrong)('%s', (_, make, message) => {
    expect(messageOf(make)).toContain(message);
  });

  test('Keras spellings that change nothing are taken', () => {
    expect(layers.flatten({ dataFormat: 'channels_last', dtype: 'float32' } as layers.LayerOptions).name).toBe(
      'flatten',
    );
    expect(() => layers.flatten({ dataFormat: 'channels_first' } as layers.LayerOptions)).toThrow(`'dataFormat'`);
    expect(layers.activation({ activation: 'leaky_relu' }).getConfig()).toMatchObject({ activation: 'leakyRelu' });
  });
});

describe('inputs are checked at every use', () => {
  const conv = (): Layer => {
    const layer = layers.conv2d({ name: 'conv1', filters: 128, kernelSize: 3 });
    layer.apply(zeros([1, 28, 28, 64]));
    return layer;
  };

  test('channels, with the path of the layer', () => {
    class Block extends Layer {
      readonly conv = conv();
      call(x: Tensor): Tensor {
        return this.conv.apply(x);
      }
    }
    expect(messageOf(() => new Block({ name: 'block3' }).apply(zeros([32, 28, 28, 32])))).toBe(
      'conv2d "block3/conv1": expected inputs with 64 channels (kernel is [3,3,64,128]), received [32,28,28,32]',
    );
    expect(messageOf(() => conv().apply(layers.input({ shape: [28, 28, 32] })))).toBe(
      'conv2d "conv1": expected inputs with 64 channels (kernel is [3,3,64,128]), received [null,28,28,32]',
    );
  });

  const wrong: [name: string, use: () => unknown, message: string][] = [
    [
      'rank',
      () => conv().apply(zeros([3, 4])),
      'conv2d "conv1": expected inputs of rank 4 ([batch,height,width,channels]), received [3,4]',
    ],
    [
      'type',
      () => conv().apply(zeros([1, 9, 9, 64], { dtype: 'int32' })),
      'conv2d "conv1": expected x of dtype float32, received int32',
    ],
    [
      'size',
      () => conv().apply(zeros([1, 2, 2, 64])),
      'conv2d "conv1": expected an input at least as large as the window, received 2x2 with padding [0,0,0,0] for a window of 3x3',
    ],
    [
      'several',
      () => conv().apply([zeros([1, 9, 9, 64]), zeros([1])]),
      'conv2d "conv1": expected one input, received 2 of them',
    ],
    ['numbers', () => conv().apply([1, 2] as never), 'conv2d "conv1": expected tensors as inputs, received 1'],
    ['nothing', () => conv().apply(undefined as never), 'conv2d "conv1": expected tensors as inputs, received nothing'],
    [
      'both kinds',
      () => layers.add({ name: 'a' }).apply([zeros([1]), layers.input({ shape: [] })] as never),
      'add "a": expected tensors as inputs, received a mixture of tensors and symbolic tensors',
    ],
    [
      'alone',
      () => layers.add({ name: 'a' }).apply(zeros([1])),
      'add "a": expected a list of at least 2 inputs, received one',
    ],
    [
      'shapes to add',
      () => layers.add({ name: 'a' }).apply([zeros([1, 2]), zeros([1, 3])]),
      'add "a": expected inputs of one shape, or with axes of length 1, received [1,2] and [1,3]',
    ],
    [
      'shapes to join',
      () => layers.concatenate({ name: 'c' }).apply([zeros([1, 2, 3]), zeros([1, 3, 3])]),
      'concatenate "c": expected inputs of one shape but for axis 2, received [1,2,3] and [1,3,3]',
    ],
    [
      'features',
      () => layers.dense({ name: 'd', units: 1 }).apply(layers.input({ shape: [null] })),
      'dense "d": expected a known number of features, received [null,null]',
    ],
    [
      'groups',
      () => layers.conv2d({ name: 'c', filters: 4, kernelSize: 1, groups: 2 }).apply(zeros([1, 2, 2, 3])),
      'conv2d "c": expected inputs with channels divisible by groups 2, received [null,2,2,3]',
    ],
    [
      'elements',
      () => layers.reshape({ name: 'r', targetShape: [5] }).apply(zeros([1, 2, 2, 3])),
      'reshape "r": expected inputs that fit targetShape [5], received [1,2,2,3]',
    ],
    [
      'cropping',
      () => layers.cropping2d({ name: 'c', cropping: 1 }).apply(zeros([1, 2, 2, 3])),
      'cropping2d "c": expected images larger than the cropping [[1,1],[1,1]], received [1,2,2,3]',
    ],
  ];
  test.each(wrong)('%s', (_, use, message) => {
    expect(messageOf(use)).toBe(message);
  });

  test('outputs too', () => {
    class Nothing extends Layer {
      override call(_x: Nest<Tensor>, _context: CallContext): Tensor {
        return undefined as unknown as Tensor;
      }
    }
    class Late extends Layer {
      override call(x: Tensor): Tensor {
        return Promise.resolve(x) as unknown as Tensor;
      }
    }
    expect(messageOf(() => new Nothing({ name: 'n' }).apply(ones([1])))).toBe(
      'nothing "n": expected call to return a tensor, or a list or record of them, received nothing',
    );
    expect(messageOf(() => new Late({ name: 'l' }).apply(ones([1])))).toBe(
      'late "l": expected call to return a tensor, or a list or record of them, received a promise (call must not be async)',
    );
  });
});
