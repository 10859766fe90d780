import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { activate, concat, conv, headWithUnnamedPooling, maxPool, norm, Numbering, type Size } from './keras-blocks.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// C. Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision" (arXiv:1512.00567), table 1 and
// figures 5 to 7, 10, as keras.applications has it: with the batch normalization, and Keras's numbered layer names.

/** A convolution with batch normalization and ReLU: filters, window, and what differs from strides 1 and 'same'. */
type Row = readonly [filters: number, kernel: Size, how?: 'valid' | 'valid, strides 2'];
/** Convolutions one after the other; a last list of rows stands side by side (figure 7). */
type Branch = readonly (Row | { readonly split: readonly Row[]; readonly name?: string })[];

const STEM: Branch = [
  [32, 3, 'valid, strides 2'],
  [32, 3, 'valid'],
  [64, 3],
];
const STEM_2: Branch = [
  [80, 1, 'valid'],
  [192, 3, 'valid'],
];

/** Figure 5, 35x35. */
const A: readonly Branch[] = [
  [[64, 1]],
  [
    [48, 1],
    [64, 5],
  ],
  [
    [64, 1],
    [96, 3],
    [96, 3],
  ],
];

/** Figure 6, 17x17, with n = 7 and as many inner filters as each module says. */
const b = (inner: number): readonly Branch[] => [
  [[192, 1]],
  [
    [inner, 1],
    [inner, [1, 7]],
    [192, [7, 1]],
  ],
  [
    [inner, 1],
    [inner, [7, 1]],
    [inner, [1, 7]],
    [inner, [7, 1]],
    [192, [1, 7]],
  ],
];

/** The end of a branch in figure 7: 1x3 beside 3x1. */
const beside = (filters: number, name?: string): Branch[number] => ({
  split: [
    [filters, [1, 3]],
    [filters, [3, 1]],
  ],
  ...(name === undefined ? {} : { name }),
});

/** Figure 7, 8x8. */
const c = (mixed: string): readonly Branch[] => [
  [[320, 1]],
  [[384, 1], beside(384, mixed)],
  [[448, 1], [384, 3], beside(384)],
];

/** The modules: branches, and the filters behind a 3x3 average pooling; 'max' halves the image by pooling instead. */
const MODULES: readonly (readonly [name: string, branches: readonly Branch[], pool: number | 'max'])[] = [
  ['mixed0', A, 32],
  ['mixed1', A, 64],
  ['mixed2', A, 64],
  [
    'mixed3',
    [
      [[384, 3, 'valid, strides 2']],
      [
        [64, 1],
        [96, 3],
        [96, 3, 'valid, strides 2'],
      ],
    ],
    'max',
  ],
  ['mixed4', b(128), 192],
  ['mixed5', b(160), 192],
  ['mixed6', b(160), 192],
  ['mixed7', b(192), 192],
  [
    'mixed8',
    [
      [
        [192, 1],
        [320, 3, 'valid, strides 2'],
      ],
      [
        [192, 1],
        [192, [1, 7]],
        [192, [7, 1]],
        [192, 3, 'valid, strides 2'],
      ],
    ],
    'max',
  ],
  ['mixed9', c('mixed9_0'), 192],
  ['mixed10', c('mixed9_1'), 192],
];

/** Inception-v3: 23,851,784 parameters, 5.7 G multiply-adds at 299x299. Images from 75x75. */
export const inceptionV3 = pretrained('inception_v3', (options: ModelOptions = {}): Model => {
  const { name = 'inception_v3' } = options;
  const numbers = new Numbering();

  const row = (x: SymbolicTensor, [filters, kernel, how]: Row): SymbolicTensor => {
    const strides = how === 'valid, strides 2' ? 2 : 1;
    const y = conv(x, numbers.next('conv2d'), filters, kernel, { strides, padding: how ? 'valid' : 'same' });
    return activate(norm(y, numbers.next('batch_normalization'), { scale: false }), numbers.next('activation'));
  };
  const branch = (x: SymbolicTensor, rows: Branch): SymbolicTensor => {
    for (const step of rows) {
      if (!('split' in step)) x = row(x, step);
      else {
        const parts = step.split.map((part) => row(x, part));
        x = concat(parts, step.name ?? numbers.next('concatenate'));
      }
    }
    return x;
  };
  const halve = (x: SymbolicTensor): SymbolicTensor => maxPool(x, numbers.next('max_pooling2d'), 3, 2);
  const mean = (x: SymbolicTensor): SymbolicTensor =>
    layers
      .averagePooling2d({ name: numbers.next('average_pooling2d'), poolSize: 3, strides: 1, padding: 'same' })
      .apply(x);

  const inputs = imageInput(options, [299, 299, 3], { model: name, least: 75 });
  let x = halve(branch(inputs, STEM));
  x = halve(branch(x, STEM_2));
  for (const [module, branches, pool] of MODULES) {
    const parts = branches.map((rows) => branch(x, rows));
    x = concat([...parts, pool === 'max' ? halve(x) : row(mean(x), [pool, 1])], module);
  }
  return new Model({ name, inputs, outputs: head(x, options, headWithUnnamedPooling(options)) });
});
