import { Layer, layers, Model, ops, registerLayer } from '../lib/index.js';
import type { LayerConfig, LayerOptions, SymbolicTensor, Tensor } from '../lib/index.js';
import { activate, concat, conv, headWithUnnamedPooling, maxPool, norm, Numbering, type Size } from './keras-blocks.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// C. Szegedy et al. 2017, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning"
// (arXiv:1602.07261), figures 15 to 19, as keras.applications has it (with the stem of Inception-v3), and Keras's
// numbered layer names.

/** A convolution with batch normalization and ReLU: filters, window, and what differs from strides 1 and 'same'. */
type Row = readonly [filters: number, kernel: Size, how?: 'valid' | 'valid, strides 2'];
type Branch = readonly Row[];

const STEM: Branch = [
  [32, 3, 'valid, strides 2'],
  [32, 3, 'valid'],
  [64, 3],
];
const STEM_2: Branch = [
  [80, 1, 'valid'],
  [192, 3, 'valid'],
];

/** Before the residual blocks; a pooled branch with 64 filters stands beside. */
const MIXED_5B: readonly Branch[] = [
  [[96, 1]],
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

/** Figure 7 ("reduction A" with k, l, m, n = 256, 256, 384, 384), beside a max pooling. */
const MIXED_6A: readonly Branch[] = [
  [[384, 3, 'valid, strides 2']],
  [
    [256, 1],
    [256, 3],
    [384, 3, 'valid, strides 2'],
  ],
];

/** Figure 18, beside a max pooling. */
const MIXED_7A: readonly Branch[] = [
  [
    [256, 1],
    [384, 3, 'valid, strides 2'],
  ],
  [
    [256, 1],
    [288, 3, 'valid, strides 2'],
  ],
  [
    [256, 1],
    [288, 3],
    [320, 3, 'valid, strides 2'],
  ],
];

/** Figures 16, 17 and 19: what is added to the input, scaled down (section 3.3), and how many such blocks there are. */
const BLOCKS = {
  block35: {
    count: 10,
    scale: 0.17,
    branches: [
      [[32, 1]],
      [
        [32, 1],
        [32, 3],
      ],
      [
        [32, 1],
        [48, 3],
        [64, 3],
      ],
    ],
  },
  block17: {
    count: 20,
    scale: 0.1,
    branches: [
      [[192, 1]],
      [
        [128, 1],
        [160, [1, 7]],
        [192, [7, 1]],
      ],
    ],
  },
  block8: {
    count: 10,
    scale: 0.2,
    branches: [
      [[192, 1]],
      [
        [192, 1],
        [224, [1, 3]],
        [256, [3, 1]],
      ],
    ],
  },
} as const satisfies Record<string, { count: number; scale: number; branches: readonly Branch[] }>;

/** x + scale * residual, for inputs [x, residual]. */
export class CustomScaleLayer extends Layer {
  readonly scale: number;

  constructor({ scale, ...options }: LayerOptions & { scale: number }) {
    super(options);
    this.scale = scale;
  }

  call([x, residual]: readonly [Tensor, Tensor]): Tensor {
    return ops.add(x, ops.mul(residual, this.scale));
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), scale: this.scale };
  }
}

registerLayer(CustomScaleLayer, 'fovea');

/** Inception-ResNet-v2: 55,873,736 parameters, 13.2 G multiply-adds at 299x299. Images from 75x75. */
export const inceptionResNetV2 = pretrained('inception_resnet_v2', (options: ModelOptions = {}): Model => {
  const { name = 'inception_resnet_v2' } = options;
  const numbers = new Numbering();

  const row = (x: SymbolicTensor, [filters, kernel, how]: Row, named?: string): SymbolicTensor => {
    const strides = how === 'valid, strides 2' ? 2 : 1;
    const convName = named ?? numbers.next('conv2d');
    const y = conv(x, convName, filters, kernel, { strides, padding: how ? 'valid' : 'same' });
    const [bn, ac] = named ? [`${named}_bn`, `${named}_ac`] : [numbers.next('batch_normalization'), undefined];
    return activate(norm(y, bn, { scale: false }), ac ?? numbers.next('activation'));
  };
  const branch = (x: SymbolicTensor, rows: Branch): SymbolicTensor => rows.reduce((y, step) => row(y, step), x);
  const halve = (x: SymbolicTensor): SymbolicTensor => maxPool(x, numbers.next('max_pooling2d'), 3, 2);
  const reduction = (x: SymbolicTensor, branches: readonly Branch[], mixed: string): SymbolicTensor =>
    concat([...branches.map((rows) => branch(x, rows)), halve(x)], mixed);
  const residuals = (x: SymbolicTensor, kind: keyof typeof BLOCKS): SymbolicTensor => {
    const { count, scale, branches } = BLOCKS[kind];
    for (let k = 1; k <= count; k++) {
      const block = `${kind}_${k}`;
      // The very last block is added whole, and no ReLU follows.
      const last = kind === 'block8' && k === count;
      const mixed = concat(
        branches.map((rows: Branch) => branch(x, rows)),
        `${block}_mixed`,
      );
      const up = conv(mixed, `${block}_conv`, x.shape.at(-1)!, 1, { useBias: true });
      const scaled = new CustomScaleLayer({ name: numbers.next('custom_scale_layer'), scale: last ? 1 : scale });
      x = scaled.apply([x, up]);
      if (!last) x = activate(x, `${block}_ac`);
    }
    return x;
  };

  const inputs = imageInput(options, [299, 299, 3], { model: name, least: 75 });
  let x = halve(branch(inputs, STEM));
  x = halve(branch(x, STEM_2));
  const parts = MIXED_5B.map((rows) => branch(x, rows));
  const mean = layers
    .averagePooling2d({ name: numbers.next('average_pooling2d'), poolSize: 3, strides: 1, padding: 'same' })
    .apply(x);
  x = residuals(concat([...parts, row(mean, [64, 1])], 'mixed_5b'), 'block35');
  x = residuals(reduction(x, MIXED_6A, 'mixed_6a'), 'block17');
  x = residuals(reduction(x, MIXED_7A, 'mixed_7a'), 'block8');
  x = row(x, [1536, 1], 'conv_7b');
  return new Model({ name, inputs, outputs: head(x, options, headWithUnnamedPooling(options)) });
});
