import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';
import { convNormRelu, maxPool, type Size } from './torch-blocks.js';

// C. Szegedy et al. 2017, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning"
// (arXiv:1602.07261), figures 3 to 9. Names are timm's, which follow the original TensorFlow weights.

/** A convolution: name in the module, filters, window; 'valid' has no padding, 'half' neither and strides 2. */
type Conv = readonly [name: string, filters: number, kernel: Size, how?: 'valid' | 'half'];
/** A 3x3 pooling: 'max' halves the image, 'average' keeps it; or two convolutions of the same input side by side. */
type Step = Conv | 'max' | 'average' | { readonly fork: readonly [Conv, Conv] };
/** Branches that run side by side and are concatenated. */
type Module = readonly (readonly Step[])[];

const WIDE = [1, 7] as const;
const HIGH = [7, 1] as const;

/** Figure 3, the stem: two plain convolutions in, then three times two branches. */
const STEM: readonly Conv[] = [
  ['features.0', 32, 3, 'half'],
  ['features.1', 32, 3, 'valid'],
  ['features.2', 64, 3],
];
const STEM_A: Module = [['max'], [['conv', 96, 3, 'half']]];
const STEM_B: Module = [
  [
    ['branch0.0', 64, 1],
    ['branch0.1', 96, 3, 'valid'],
  ],
  [
    ['branch1.0', 64, 1],
    ['branch1.1', 64, WIDE],
    ['branch1.2', 64, HIGH],
    ['branch1.3', 96, 3, 'valid'],
  ],
];
const STEM_C: Module = [[['conv', 192, 3, 'half']], ['max']];

/** Figure 4. */
const INCEPTION_A: Module = [
  [['branch0', 96, 1]],
  [
    ['branch1.0', 64, 1],
    ['branch1.1', 96, 3],
  ],
  [
    ['branch2.0', 64, 1],
    ['branch2.1', 96, 3],
    ['branch2.2', 96, 3],
  ],
  ['average', ['branch3.1', 96, 1]],
];
/** Figure 7 with k, l, m, n = 192, 224, 256, 384. */
const REDUCTION_A: Module = [
  [['branch0', 384, 3, 'half']],
  [
    ['branch1.0', 192, 1],
    ['branch1.1', 224, 3],
    ['branch1.2', 256, 3, 'half'],
  ],
  ['max'],
];
/** Figure 5. */
const INCEPTION_B: Module = [
  [['branch0', 384, 1]],
  [
    ['branch1.0', 192, 1],
    ['branch1.1', 224, WIDE],
    ['branch1.2', 256, HIGH],
  ],
  [
    ['branch2.0', 192, 1],
    ['branch2.1', 192, HIGH],
    ['branch2.2', 224, WIDE],
    ['branch2.3', 224, HIGH],
    ['branch2.4', 256, WIDE],
  ],
  ['average', ['branch3.1', 128, 1]],
];
/** Figure 8. */
const REDUCTION_B: Module = [
  [
    ['branch0.0', 192, 1],
    ['branch0.1', 192, 3, 'half'],
  ],
  [
    ['branch1.0', 256, 1],
    ['branch1.1', 256, WIDE],
    ['branch1.2', 320, HIGH],
    ['branch1.3', 320, 3, 'half'],
  ],
  ['max'],
];
/** Figure 6. */
const INCEPTION_C: Module = [
  [['branch0', 256, 1]],
  [
    ['branch1_0', 384, 1],
    {
      fork: [
        ['branch1_1a', 256, [1, 3]],
        ['branch1_1b', 256, [3, 1]],
      ],
    },
  ],
  [
    ['branch2_0', 384, 1],
    ['branch2_1', 448, [3, 1]],
    ['branch2_2', 512, [1, 3]],
    {
      fork: [
        ['branch2_3a', 256, [1, 3]],
        ['branch2_3b', 256, [3, 1]],
      ],
    },
  ],
  ['average', ['branch3.1', 256, 1]],
];

/** Figure 9: the modules in order, from `features.3` on. */
const MODULES: readonly Module[] = [
  ...[STEM_A, STEM_B, STEM_C],
  ...Array<Module>(4).fill(INCEPTION_A),
  REDUCTION_A,
  ...Array<Module>(7).fill(INCEPTION_B),
  REDUCTION_B,
  ...Array<Module>(3).fill(INCEPTION_C),
];

function convolution(x: SymbolicTensor, name: string, [, filters, kernel, how]: Conv): SymbolicTensor {
  const strides = how === 'half' ? 2 : 1;
  return convNormRelu(x, name, filters, kernel, how ? { strides, padding: 0 } : {});
}

/** One branch's outputs: two where it ends in a fork. */
function branch(x: SymbolicTensor, name: string, index: number, steps: readonly Step[]): SymbolicTensor[] {
  let outputs = [x];
  for (const step of steps) {
    const from = outputs[0]!;
    if (step === 'max') outputs = [maxPool(from, `${name}.maxpool`, 3, 2)];
    else if (step === 'average') outputs = [averagePool(from, `${name}.branch${index}.0`)];
    else if ('fork' in step) outputs = step.fork.map((conv) => convolution(from, `${name}.${conv[0]}`, conv));
    else outputs = [convolution(from, `${name}.${step[0]}`, step)];
  }
  return outputs;
}

/** Padding is left out of the mean. */
function averagePool(x: SymbolicTensor, name: string): SymbolicTensor {
  return layers.averagePooling2d({ name, poolSize: 3, strides: 1, padding: 'same' }).apply(x);
}

/** Inception-v4: 42,679,816 parameters, 12.3 G multiply-adds at 299x299. Images from 75x75. */
export const inceptionV4 = pretrained('inception_v4', (options: ModelOptions = {}): Model => {
  const { name = 'inception_v4' } = options;
  const inputs = imageInput(options, [299, 299, 3], { model: name, least: 75 });
  let x = inputs;
  for (const row of STEM) x = convolution(x, row[0], row);
  for (const [i, module] of MODULES.entries()) {
    const name = `features.${STEM.length + i}`;
    const branches = module.flatMap((steps, index) => branch(x, name, index, steps));
    x = layers.concatenate({ name: `${name}.concat` }).apply(branches);
  }
  const outputs = head(x, options, { pool: 'global_pool.pool', dense: 'last_linear' });
  return new Model({ name, inputs, outputs });
});
