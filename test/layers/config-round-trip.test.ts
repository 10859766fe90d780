import { describe, expect, test } from 'vitest';
import {
  deserializeLayer,
  resetLayerNames,
  serializeLayer,
  type Layer,
  type LayerConfig,
} from '../../lib/layers/index.js';
import * as factories from '../../lib/layers/factories.js';

const l2 = { className: 'L2', config: { l2: 0.01 } };
const normal = { className: 'RandomNormal', config: { mean: 0.5, stddev: 0.25, seed: 3 } };
const conv = {
  kernelSize: [3, 5],
  strides: [2, 1],
  padding: 'same',
  activation: 'relu',
  useBias: false,
  biasInitializer: normal,
  biasRegularizer: l2,
};

/** For each factory options that are not the usual ones. */
const OPTIONS: Readonly<Record<Exclude<keyof typeof factories, 'input'>, LayerConfig>> = {
  inputLayer: { batchShape: [2, null, 5, 3], dtype: 'int32' },
  dense: { units: 7, activation: 'tanh', useBias: false, kernelInitializer: normal, kernelRegularizer: l2 },
  conv2d: { ...conv, filters: 6, groups: 3, kernelInitializer: normal, kernelRegularizer: l2 },
  conv2dTranspose: { ...conv, filters: 6, outputPadding: [1, 0], kernelInitializer: normal },
  depthwiseConv2d: { ...conv, strides: [2, 2], depthMultiplier: 2, depthwiseInitializer: normal },
  separableConv2d: { ...conv, strides: [2, 2], filters: 6, depthMultiplier: 2, pointwiseInitializer: normal },
  maxPooling2d: { poolSize: [3, 2], strides: [1, 2], padding: 'same' },
  averagePooling2d: { poolSize: [3, 2], strides: [1, 2], padding: 'same' },
  globalAveragePooling2d: { keepDims: true },
  globalMaxPooling2d: { keepDims: true },
  batchNormalization: {
    axis: 1,
    momentum: 0.9,
    epsilon: 1e-5,
    center: false,
    scale: false,
    movingMeanInitializer: normal,
    gammaRegularizer: l2,
  },
  localResponseNormalization: { depthRadius: 3, bias: 2, alpha: 0.5, beta: 0.7 },
  dropout: { rate: 0.25, seed: 5, noiseShape: [null, 1] },
  spatialDropout2d: { rate: 0.25, seed: 5 },
  activation: { activation: 'swish' },
  relu: { maxValue: 6, negativeSlope: 0.1, threshold: 0.2 },
  reLU: { maxValue: 5 },
  leakyReLU: { negativeSlope: 0.1 },
  elu: { alpha: 0.5 },
  prelu: { alphaInitializer: normal, alphaRegularizer: l2, sharedAxes: [1, 2] },
  softmax: { axis: 1 },
  flatten: {},
  reshape: { targetShape: [3, -1] },
  permute: { dims: [2, 1] },
  identity: {},
  add: {},
  subtract: {},
  multiply: {},
  average: {},
  maximum: {},
  minimum: {},
  concatenate: { axis: 1 },
  zeroPadding2d: {
    padding: [
      [1, 2],
      [3, 4],
    ],
  },
  cropping2d: {
    cropping: [
      [1, 2],
      [3, 4],
    ],
  },
  upSampling2d: { size: [2, 3], interpolation: 'bilinear' },
  resizing: { height: 5, width: 6, interpolation: 'nearest' },
  rescaling: { scale: [1, 2, 3], offset: [4, 5, 6] },
  normalization: { axis: -1, mean: [1, 2], variance: [3, 4] },
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Factory = (options: LayerConfig) => Layer;
const makers = Object.entries(factories).filter(([, value]) => typeof value === 'function') as unknown as [
  keyof typeof OPTIONS,
  Factory,
][];

describe('a layer and the one made of its configuration have the same configuration', () => {
  test.each(makers)('%s', (name, make) => {
    const options = OPTIONS[name];
    expect(options, 'options in this table').toBeDefined();
    resetLayerNames();
    const layer = make({ ...options, name: 'own', ...(name === 'inputLayer' ? {} : { trainable: false }) });
    const config = layer.getConfig();
    // What is given is what is told.
    for (const [key, value] of Object.entries(options)) {
      const told = JSON.stringify(config[key]);
      expect(told, key).toBeDefined();
      if (isRecord(value)) expect(JSON.parse(told), key).toMatchObject(value);
      else if (name !== 'activation') expect(JSON.parse(told), key).toEqual(value);
    }
    const json = JSON.parse(JSON.stringify(serializeLayer(layer))) as ReturnType<typeof serializeLayer>;
    const back = deserializeLayer(json);
    expect(back.constructor).toBe(layer.constructor);
    expect(back.name).toBe('own');
    expect(JSON.parse(JSON.stringify(back.getConfig()))).toEqual(json.config);
    expect(serializeLayer(back)).toEqual(serializeLayer(layer));
  });
});
