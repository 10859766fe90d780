import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { conv, depthwise, headWithUnnamedPooling, norm, relu6, zeroPad } from './keras-blocks.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// A. Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications"
// (arXiv:1704.04861), table 1, with the layer names of keras.applications.

/** Filters of the 1x1 convolutions, and strides of the 3x3 depthwise ones before them. */
const TABLE_1 = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

export interface MobileNetOptions extends ModelOptions {
  /** Scales the number of filters of every layer. 1 unless given. */
  alpha?: number | undefined;
}

const normRelu = (x: SymbolicTensor, name: string): SymbolicTensor => relu6(norm(x, `${name}_bn`), `${name}_relu`);

/** MobileNet: 4,253,864 parameters, 0.57 G multiply-adds at 224x224. Images from 32x32. */
export const mobileNet = pretrained('mobilenet', (options: MobileNetOptions = {}): Model => {
  const { alpha = 1, includeTop = true, classes = 1000, dropout = 1e-3, name = 'mobilenet' } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 32, keys: ['alpha'] });
  const width = (filters: number): number => Math.max(1, Math.floor(filters * alpha));
  let x = normRelu(conv(inputs, 'conv1', width(32), 3, { strides: 2 }), 'conv1');
  for (const [i, [filters, strides]] of TABLE_1.entries()) {
    const padding = strides === 1 ? 'same' : 'valid';
    if (strides > 1) {
      x = zeroPad(x, `conv_pad_${i + 1}`, [
        [0, 1],
        [0, 1],
      ]);
    }
    x = normRelu(depthwise(x, `conv_dw_${i + 1}`, 3, { strides, padding }), `conv_dw_${i + 1}`);
    x = normRelu(conv(x, `conv_pw_${i + 1}`, width(filters), 1), `conv_pw_${i + 1}`);
  }
  if (!includeTop) return new Model({ name, inputs, outputs: head(x, options, headWithUnnamedPooling(options)) });
  x = layers.globalAveragePooling2d({ name: 'global_average_pooling2d', keepDims: true }).apply(x);
  if (dropout > 0) x = layers.dropout({ name: 'dropout', rate: dropout }).apply(x);
  x = conv(x, 'conv_preds', classes, 1, { useBias: true });
  x = layers.reshape({ name: 'reshape_2', targetShape: [classes] }).apply(x);
  const activation =
    options.classifierActivation === undefined ? 'softmax' : (options.classifierActivation ?? 'linear');
  return new Model({ name, inputs, outputs: layers.activation({ name: 'predictions', activation }).apply(x) });
});
