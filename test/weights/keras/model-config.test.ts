import { describe, expect, it } from 'vitest';
import { deserializeLayer, modelFromJSON, type Model } from '../../../lib/index.js';
import { restoreCompiled } from '../../../lib/weights/keras/compile-config.js';
import { readModelConfig } from '../../../lib/weights/keras/model-config.js';
import { messageOf } from '../../support/message-of.js';

const sequential = (...layers: readonly object[]): Record<string, unknown> => ({
  class_name: 'Sequential',
  config: { name: 'net', layers },
});
const dense = { class_name: 'Dense', config: { name: 'd', units: 2, batch_input_shape: [null, 3] } };
const made = (...layers: readonly object[]): Model => modelFromJSON(readModelConfig('net.h5', sequential(...layers)));
const optionsOf = (className: string, config: object): Record<string, unknown> =>
  deserializeLayer(readModelConfig('net.h5', { class_name: className, config: { name: 'x', ...config } })).getConfig();

describe('configurations of layers', () => {
  it.each<[string, object, object]>([
    ['LeakyReLU', { alpha: 0.2 }, { negativeSlope: 0.2 }],
    ['LeakyReLU', { negative_slope: 0.2 }, { negativeSlope: 0.2 }],
    ['BatchNormalization', { axis: [3], momentum: 0.9, beta_constraint: null }, { axis: 3, momentum: 0.9 }],
    ['Dense', { units: 1, activation: 'leaky_relu' }, { activation: 'leakyRelu' }],
    [
      'Dense',
      {
        units: 1,
        activation: { module: 'builtins', class_name: 'function', config: 'relu6', registered_name: 'function' },
      },
      { activation: 'relu6' },
    ],
    [
      'Dense',
      { units: 1, kernel_initializer: { class_name: 'VarianceScaling', config: { mode: 'fan_out', seed: null } } },
      { kernelInitializer: { className: 'VarianceScaling' } },
    ],
    ['GlobalAveragePooling2D', { keepdims: true, data_format: 'channels_last' }, { keepDims: true }],
    ['MaxPool2D', { pool_size: [3, 3], strides: [2, 2], padding: 'same' }, { poolSize: [3, 3], padding: 'same' }],
    [
      'Rescaling',
      { scale: { class_name: '__numpy__', config: { value: [0.5, 1], dtype: 'float32' } } },
      { scale: [0.5, 1] },
    ],
    [
      'Dense',
      { units: 1, dtype: { class_name: 'Policy', config: { name: 'mixed_bfloat16' } } },
      { dtype: 'mixed_bfloat16' },
    ],
    [
      'Dense',
      { units: 1, dtype: { class_name: 'DTypePolicy', config: { name: 'mixed_float16' } } },
      { units: 1, dtype: 'mixed_float16' },
    ],
    [
      'RandomRotation',
      { factor: [-0.1, 0.1], fill_mode: 'constant', fill_value: 7, data_format: 'channels_last', seed: null },
      { factor: [-0.1, 0.1], fillMode: 'constant', fillValue: 7 },
    ],
    ['Resizing', { height: 2, width: 3, fill_mode: 'constant', fill_value: 0 }, { height: 2, width: 3 }],
    ['DepthwiseConv2D', { kernel_size: [3, 3], groups: 1, kernel_initializer: null }, { kernelSize: [3, 3] }],
  ])('%s %j', (className, config, expected) => {
    expect(optionsOf(className, config)).toMatchObject(expected);
  });

  it.each<[string, object, RegExp]>([
    [
      'Conv2D',
      { filters: 1, kernel_size: 1, data_format: 'channels_first' },
      /"x" \(Conv2D\): data_format "channels_first"/,
    ],
    [
      'Dense',
      { units: 1, kernel_constraint: { class_name: 'MaxNorm', config: {} } },
      /kernel_constraint.*not supported/,
    ],
    [
      'Dense',
      { units: 1, activity_regularizer: { class_name: 'L2', config: {} } },
      /activity_regularizer.*not supported/,
    ],
  ])('refuses %s %j', (className, config, message) => {
    expect(messageOf(() => optionsOf(className, config))).toMatch(message);
  });

  it('refuses graphs that are none', () => {
    const broken = (config: object): string =>
      messageOf(() => readModelConfig('net.h5', { class_name: 'Functional', config }));
    expect(broken({ name: 'n' })).toContain('expected layers in a Functional');
    const layers = [{ ...dense, name: 'd', inbound_nodes: [['in']] }];
    expect(broken({ name: 'n', layers })).toContain('expected [layer, use, output]');
    expect(broken({ name: 'n', layers: [dense, dense], input_layers: [] })).toContain('two layers "d"');
    expect(broken({ name: 'n', layers: [dense] })).toContain('input_layers');
    const call = {
      args: [{ class_name: '__keras_tensor__', config: { keras_history: ['d', 0, 0] } }],
      kwargs: { mask: [1] },
    };
    expect(broken({ name: 'n', layers: [{ ...dense, inbound_nodes: [call] }] })).toContain("a call without 'mask'");
  });
});

describe('training configurations', () => {
  it('of Keras 2: names of that time', () => {
    const model = made(dense);
    restoreCompiled('net.h5', model, {
      optimizer_config: {
        class_name: 'SGD',
        config: { lr: 0.25, momentum: 0.5, nesterov: false, decay: 0.5, name: 'SGD' },
      },
      loss: { class_name: 'CategoricalCrossentropy', config: { reduction: 'auto', name: 'cc', from_logits: true } },
      metrics: [[{ class_name: 'MeanMetricWrapper', config: { name: 'acc', fn: 'categorical_accuracy' } }]],
      loss_weights: null,
    });
    expect(model.optimizer?.className).toBe('SGD');
    expect(model.optimizer?.getConfig()).toMatchObject({ momentum: 0.5 });
  });

  it('that are not known leave the model uncompiled, with a warning', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const model = made(dense);
    restoreCompiled('net.h5', model, { optimizer: { class_name: 'Muon', config: {} }, loss: 'mse' });
    expect(model.optimizer).toBeUndefined();
    expect((await warned).message).toMatch(/net\.h5.*call compile.*Muon/);
  });
});
