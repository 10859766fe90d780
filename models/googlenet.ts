import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { LRN } from './alexnet.js';
import { classifier, head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';
import { adaptiveAveragePool, conv, convNormRelu, maxPool, maxPoolCeil, relu, squeezeExcite } from './torch-blocks.js';

// C. Szegedy et al. 2015, "Going Deeper with Convolutions" (arXiv:1409.4842), table 1. `googLeNet` is the paper's net:
// 5x5 branches, local response normalization, biases. `googLeNetTorchvision` takes torchvision's weights: batch
// normalization instead, and the 3x3 in place of the 5x5 that its conversion brought along.

/** Filters: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection; 'pool' halves the image. */
type Row = readonly [string, number, number, number, number, number, number];

const TABLE_1: readonly (Row | 'pool')[] = [
  ['3a', 64, 96, 128, 16, 32, 32],
  ['3b', 128, 128, 192, 32, 96, 64],
  'pool',
  ['4a', 192, 96, 208, 16, 48, 64],
  ['4b', 160, 112, 224, 24, 64, 64],
  ['4c', 128, 128, 256, 24, 64, 64],
  ['4d', 112, 144, 288, 32, 64, 64],
  ['4e', 256, 160, 320, 32, 128, 128],
  'pool',
  ['5a', 256, 160, 320, 32, 128, 128],
  ['5b', 384, 192, 384, 48, 128, 128],
];

export interface GoogLeNetOptions extends ModelOptions {
  /** Adds the two auxiliary classifiers: the outputs are then `{ predictions, auxiliary1, auxiliary2 }`. */
  auxiliary?: boolean | undefined;
  /** Rate of the dropout in the auxiliary classifiers. 0.7 unless told. */
  auxiliaryDropout?: number | undefined;
}

/** What the paper's net, torchvision's and SE-Inception do differently. */
interface Style {
  /** A convolution with all that follows it. */
  readonly conv: (x: SymbolicTensor, name: string, filters: number, kernel: number, strides?: number) => SymbolicTensor;
  readonly pool: (x: SymbolicTensor, name: string, size: number) => SymbolicTensor;
  readonly normalize: (x: SymbolicTensor, name: string) => SymbolicTensor;
  /** The window of the "5x5" branch. */
  readonly large: 5 | 3;
  /** The last pooling's window. */
  readonly lastPool: 3 | 2;
  /** How an auxiliary classifier comes to 4x4 patches. */
  readonly patches: (x: SymbolicTensor, name: string) => SymbolicTensor;
  /** What follows a module. */
  readonly attend: (x: SymbolicTensor, name: string) => SymbolicTensor;
}

const same = (x: SymbolicTensor): SymbolicTensor => x;

const PAPER: Style = {
  conv: (x, name, filters, kernel, strides = 1) =>
    relu(conv(x, `${name}.conv`, filters, kernel, { strides, useBias: true }), `${name}.relu`),
  pool: (x, name, size) => layers.maxPooling2d({ name, poolSize: size, strides: 2, padding: 'same' }).apply(x),
  normalize: (x, name) => layers.localResponseNormalization({ name, ...LRN }).apply(x),
  large: 5,
  lastPool: 3,
  patches: (x, name) => {
    const poolSize = Math.min(5, x.shape[1] ?? 5, x.shape[2] ?? 5);
    return layers.averagePooling2d({ name, poolSize, strides: 3 }).apply(x);
  },
  attend: same,
};

const TORCHVISION: Style = {
  conv: (x, name, filters, kernel, strides = 1) => convNormRelu(x, name, filters, kernel, { strides }),
  pool: (x, name, size) => maxPoolCeil(x, name, size, 2),
  normalize: same,
  large: 3,
  lastPool: 2,
  patches: (x, name) => adaptiveAveragePool(x, name, 4),
  attend: same,
};

function inceptionModule(x: SymbolicTensor, name: string, row: Row, { conv, large, attend }: Style): SymbolicTensor {
  const [, direct, reduce3, filters3, reduce5, filters5, projection] = row;
  const pooled = maxPool(x, `${name}.branch4.0`, 3, 1, 1);
  const branches = [
    conv(x, `${name}.branch1`, direct, 1),
    conv(conv(x, `${name}.branch2.0`, reduce3, 1), `${name}.branch2.1`, filters3, 3),
    conv(conv(x, `${name}.branch3.0`, reduce5, 1), `${name}.branch3.1`, filters5, large),
    conv(pooled, `${name}.branch4.1`, projection, 1),
  ];
  return attend(layers.concatenate({ name: `${name}.concat` }).apply(branches), `${name}.se`);
}

/** Section 5: a classifier on 4x4 patches; its loss counts 0.3 in training. */
function auxiliaryHead(x: SymbolicTensor, name: string, style: Style, options: GoogLeNetOptions): SymbolicTensor {
  let y = style.conv(style.patches(x, `${name}.pool`), `${name}.conv`, 128, 1);
  y = layers.flatten({ name: `${name}.flatten` }).apply(y);
  y = layers.dense({ name: `${name}.fc1`, units: 1024, activation: 'relu' }).apply(y);
  y = layers.dropout({ name: `${name}.dropout`, rate: options.auxiliaryDropout ?? 0.7 }).apply(y);
  return classifier(y, `${name}.fc2`, options);
}

function build(defaultName: string, style: Style, options: GoogLeNetOptions): Model {
  const { name = defaultName } = options;
  const inputs = imageInput(options, [224, 224, 3], {
    model: name,
    least: 15,
    keys: ['auxiliary', 'auxiliaryDropout'],
  });
  let x = style.pool(style.conv(inputs, 'conv1', 64, 7, 2), 'maxpool1', 3);
  x = style.conv(style.normalize(x, 'norm1'), 'conv2', 64, 1);
  x = style.normalize(style.conv(x, 'conv3', 192, 3), 'norm2');
  x = style.pool(x, 'maxpool2', 3);
  const auxiliary: SymbolicTensor[] = [];
  let pools = 2;
  for (const row of TABLE_1) {
    if (row === 'pool') {
      x = style.pool(x, `maxpool${++pools}`, pools === 4 ? style.lastPool : 3);
      continue;
    }
    x = inceptionModule(x, `inception${row[0]}`, row, style);
    if (options.auxiliary && (row[0] === '4a' || row[0] === '4d')) {
      auxiliary.push(auxiliaryHead(x, `aux${auxiliary.length + 1}`, style, options));
    }
  }
  const predictions = head(x, { dropout: 0.4, ...options }, { pool: 'avgpool', dense: 'fc' });
  const [auxiliary1, auxiliary2] = auxiliary;
  const outputs = auxiliary1 && auxiliary2 ? { predictions, auxiliary1, auxiliary2 } : predictions;
  return new Model({ name, inputs, outputs });
}

/** The paper's GoogLeNet: 6,998,552 parameters, 1.58 G multiply-adds. */
export const googLeNet = pretrained('googlenet', (options: GoogLeNetOptions = {}): Model =>
  build('googlenet', PAPER, options),
);

/** GoogLeNet as torchvision has it: 6,624,904 parameters (without auxiliary classifiers), 1.50 G multiply-adds. */
export const googLeNetTorchvision = pretrained('googlenet_torchvision', (options: GoogLeNetOptions = {}): Model =>
  build('googlenet', TORCHVISION, { dropout: 0.2, ...options }),
);

/**
 * SE-Inception as the chapter describes it: every inception module followed by a squeeze-and-excitation block (Hu et
 * al. 2018, figure 2). With batch normalization, as the SENet paper's. 7,485,935 parameters, 1.58 G multiply-adds.
 */
export const seInception = pretrained('se_inception', (options: GoogLeNetOptions = {}): Model =>
  build('se_inception', { ...TORCHVISION, pool: PAPER.pool, lastPool: 3, large: 5, attend: squeezeExcite }, options),
);
