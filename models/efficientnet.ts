import { initializers, layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import {
  activate,
  add,
  conv,
  depthwise,
  HEAD,
  norm,
  padForStrides2,
  roundTo8,
  type ConvOptions,
} from './keras-blocks.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// M. Tan and Q. Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (arXiv:1905.11946),
// table 1, with the layer names of keras.applications.

/** Stages 2 to 8: depthwise window, blocks, filters, how much wider their middle is, strides of the first. */
const TABLE_1 = [
  [3, 1, 16, 1, 1],
  [3, 2, 24, 6, 2],
  [5, 2, 40, 6, 2],
  [3, 3, 80, 6, 2],
  [5, 3, 112, 6, 1],
  [5, 4, 192, 6, 2],
  [3, 1, 320, 6, 1],
] as const;

/** Compound scaling: width, depth, resolution, dropout before the classifier. */
const SCALING = {
  b0: [1.0, 1.0, 224, 0.2],
  b1: [1.0, 1.1, 240, 0.2],
  b2: [1.1, 1.2, 260, 0.3],
  b3: [1.2, 1.4, 300, 0.3],
  b4: [1.4, 1.8, 380, 0.4],
  b5: [1.6, 2.2, 456, 0.4],
  b6: [1.8, 2.6, 528, 0.5],
  b7: [2.0, 3.1, 600, 0.5],
} as const;

/** Standard deviations of ImageNet's channels, squared: by mistake the published weights expect one root too many. */
const IMAGENET_DEVIATIONS = [0.229, 0.224, 0.225] as const;

export interface EfficientNetOptions extends ModelOptions {
  /** How often the last block is left out in training; earlier ones less. 0.2 unless given. */
  dropConnectRate?: number | undefined;
  /** Adds the layer that Keras adds for its ImageNet weights: a division by the root of the deviations. */
  imagenetRescaling?: boolean | undefined;
}

/** What Keras begins with: variances that follow from the fan out, for depthwise kernels too. */
const CONVOLUTIONS = initializers.varianceScaling({ scale: 2, mode: 'fanOut', distribution: 'truncatedNormal' });
const CLASSIFIER = initializers.varianceScaling({ scale: 1 / 3, mode: 'fanOut', distribution: 'uniform' });

interface Block {
  readonly name: string;
  readonly kernel: number;
  readonly filters: number;
  readonly widening: number;
  readonly strides: number;
  readonly dropRate: number;
}

/** A 1x1 convolution. */
const pointwise = (x: SymbolicTensor, name: string, filters: number, options: ConvOptions = {}): SymbolicTensor =>
  conv(x, name, filters, 1, { ...options, initializer: CONVOLUTIONS });

const normSwish = (x: SymbolicTensor, bn: string, activation: string): SymbolicTensor =>
  activate(norm(x, bn), activation, 'swish');

/** An inverted residual (MobileNetV2) with squeeze and excitation. */
function block(x: SymbolicTensor, { name, kernel, filters, widening, strides, dropRate }: Block): SymbolicTensor {
  const channels = x.shape.at(-1)!;
  const wide = channels * widening;
  let y = x;
  if (widening > 1) {
    y = normSwish(pointwise(y, `${name}_expand_conv`, wide), `${name}_expand_bn`, `${name}_expand_activation`);
  }
  if (strides > 1) y = padForStrides2(y, `${name}_dwconv_pad`, kernel);
  y = depthwise(y, `${name}_dwconv`, kernel, {
    strides,
    padding: strides > 1 ? 'valid' : 'same',
    initializer: CONVOLUTIONS,
  });
  y = normSwish(y, `${name}_bn`, `${name}_activation`);

  let scale = layers.globalAveragePooling2d({ name: `${name}_se_squeeze` }).apply(y);
  scale = layers.reshape({ name: `${name}_se_reshape`, targetShape: [1, 1, wide] }).apply(scale);
  const narrow = Math.max(1, Math.floor(channels / 4));
  scale = pointwise(scale, `${name}_se_reduce`, narrow, { useBias: true, activation: 'swish' });
  scale = pointwise(scale, `${name}_se_expand`, wide, { useBias: true, activation: 'sigmoid' });
  y = layers.multiply({ name: `${name}_se_excite` }).apply([y, scale]);

  y = norm(pointwise(y, `${name}_project_conv`, filters), `${name}_project_bn`);
  if (strides > 1 || channels !== filters) return y;
  if (dropRate > 0) {
    y = layers.dropout({ name: `${name}_drop`, rate: dropRate, noiseShape: [null, 1, 1, 1] }).apply(y);
  }
  return add([y, x], `${name}_add`);
}

function efficientNet(size: keyof typeof SCALING, options: EfficientNetOptions): Model {
  const [width, depth, resolution, dropout] = SCALING[size];
  const { name = `efficientnet${size}`, dropConnectRate = 0.2, imagenetRescaling = false } = options;
  const keys = ['dropConnectRate', 'imagenetRescaling'];
  const inputs = imageInput(options, [resolution, resolution, 3], { model: name, least: 32, keys });
  let x = layers.rescaling({ name: 'rescaling', scale: 1 / 255 }).apply(inputs);
  x = layers.normalization({ name: 'normalization' }).apply(x);
  if (imagenetRescaling) {
    const scale = IMAGENET_DEVIATIONS.map((deviation) => 1 / Math.sqrt(deviation));
    x = layers.rescaling({ name: 'rescaling_1', scale }).apply(x);
  }
  x = padForStrides2(x, 'stem_conv_pad', 3);
  x = conv(x, 'stem_conv', roundTo8(32 * width), 3, { strides: 2, padding: 'valid', initializer: CONVOLUTIONS });
  x = normSwish(x, 'stem_bn', 'stem_activation');

  const repeats = TABLE_1.map(([, count]) => Math.ceil(count * depth));
  const total = repeats.reduce((sum, count) => sum + count, 0);
  let done = 0;
  for (const [stage, [kernel, , filters, widening, strides]] of TABLE_1.entries()) {
    for (let k = 0; k < repeats[stage]!; k++) {
      x = block(x, {
        name: `block${stage + 1}${String.fromCharCode(97 + k)}`,
        kernel,
        filters: roundTo8(filters * width),
        widening,
        strides: k === 0 ? strides : 1,
        dropRate: (dropConnectRate * done++) / total,
      });
    }
  }
  x = normSwish(pointwise(x, 'top_conv', roundTo8(1280 * width)), 'top_bn', 'top_activation');
  const names = { ...HEAD, dropout: 'top_dropout', initializer: CLASSIFIER };
  return new Model({ name, inputs, outputs: head(x, { dropout, ...options }, names) });
}

/** What the published weights were trained with. */
const PUBLISHED = { imagenetRescaling: true } as const;

/**
 * EfficientNet-B0: 5,330,571 parameters, 0.39 G multiply-adds at 224x224. Images from 32x32, with values from 0 to 255:
 * the model rescales and normalizes by itself.
 */
export const efficientNetB0 = pretrained(
  'efficientnetb0',
  (options: EfficientNetOptions = {}): Model => efficientNet('b0', options),
  PUBLISHED,
);
/** EfficientNet-B1: 7,856,239 parameters, 0.69 G multiply-adds at 240x240. See {@link efficientNetB0}. */
export const efficientNetB1 = pretrained(
  'efficientnetb1',
  (options: EfficientNetOptions = {}): Model => efficientNet('b1', options),
  PUBLISHED,
);
/** EfficientNet-B2: 9,177,569 parameters, 0.99 G multiply-adds at 260x260. */
export const efficientNetB2 = pretrained(
  'efficientnetb2',
  (options: EfficientNetOptions = {}): Model => efficientNet('b2', options),
  PUBLISHED,
);
/** EfficientNet-B3: 12,320,535 parameters, 1.8 G multiply-adds at 300x300. */
export const efficientNetB3 = pretrained(
  'efficientnetb3',
  (options: EfficientNetOptions = {}): Model => efficientNet('b3', options),
  PUBLISHED,
);
/** EfficientNet-B4: 19,466,823 parameters, 4.4 G multiply-adds at 380x380. */
export const efficientNetB4 = pretrained(
  'efficientnetb4',
  (options: EfficientNetOptions = {}): Model => efficientNet('b4', options),
  PUBLISHED,
);
/** EfficientNet-B5: 30,562,527 parameters, 10.3 G multiply-adds at 456x456. */
export const efficientNetB5 = pretrained(
  'efficientnetb5',
  (options: EfficientNetOptions = {}): Model => efficientNet('b5', options),
  PUBLISHED,
);
/** EfficientNet-B6: 43,265,143 parameters, 19.1 G multiply-adds at 528x528. */
export const efficientNetB6 = pretrained(
  'efficientnetb6',
  (options: EfficientNetOptions = {}): Model => efficientNet('b6', options),
  PUBLISHED,
);
/** EfficientNet-B7: 66,658,687 parameters, 37.7 G multiply-adds at 600x600. */
export const efficientNetB7 = pretrained(
  'efficientnetb7',
  (options: EfficientNetOptions = {}): Model => efficientNet('b7', options),
  PUBLISHED,
);
