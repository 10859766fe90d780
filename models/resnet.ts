import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';
import { conv, maxPool, norm, relu } from './torch-blocks.js';

// K. He et al. 2016, "Deep Residual Learning for Image Recognition" (arXiv:1512.03385), table 1, as torchvision draws
// it: in the deeper nets the 3x3 convolution takes the stride ("V1.5"). Names are torchvision's.

/** Blocks of the four stages, and their kind. */
export const RESNETS = {
  18: { block: 'basic', blocks: [2, 2, 2, 2] },
  34: { block: 'basic', blocks: [3, 4, 6, 3] },
  50: { block: 'bottleneck', blocks: [3, 4, 6, 3] },
  101: { block: 'bottleneck', blocks: [3, 4, 23, 3] },
  152: { block: 'bottleneck', blocks: [3, 8, 36, 3] },
} as const;

export type ResNetDepth = keyof typeof RESNETS;

/** Filters of the four stages, before a bottleneck's widening. */
const FILTERS = [64, 128, 256, 512] as const;

/** A convolution of a block's residual branch: window, filters, strides, groups. */
export type Row = readonly [kernel: number, filters: number, strides?: number, groups?: number];

/** What a residual block is made of. */
export interface BlockDesign {
  /** The residual branch, each convolution followed by batch normalization, all but the last by ReLU. */
  readonly rows: (filters: number, strides: number) => readonly Row[];
  /** Whether a ReLU follows the last normalization too, before what `attend` adds. */
  readonly reluLast?: boolean;
  /** Comes between the residual branch and the sum: where SE-ResNets scale the maps. */
  readonly attend?: (x: SymbolicTensor, name: string) => SymbolicTensor;
  /** The window of the convolution in the shortcut of blocks with strides. 1 unless given. */
  readonly shortcutKernel?: number;
}

export const BLOCKS = {
  basic: {
    rows: (f, s) => [
      [3, f, s],
      [3, f],
    ],
  },
  bottleneck: {
    rows: (f, s) => [
      [1, f],
      [3, f, s],
      [1, 4 * f],
    ],
  },
} satisfies Record<string, BlockDesign>;

/** y = relu(residual(x) + shortcut(x)); the shortcut is a convolution where the shape changes. */
export function residualBlock(
  x: SymbolicTensor,
  name: string,
  filters: number,
  strides: number,
  { rows, reluLast = false, attend, shortcutKernel = 1 }: BlockDesign,
): SymbolicTensor {
  const convolutions = rows(filters, strides);
  let y = x;
  for (const [i, [kernel, width, by = 1, groups = 1]] of convolutions.entries()) {
    y = conv(y, `${name}.conv${i + 1}`, width, kernel, { strides: by, groups });
    y = norm(y, `${name}.bn${i + 1}`);
    if (i < convolutions.length - 1 || reluLast) y = relu(y, `${name}.relu${i + 1}`);
  }
  if (attend) y = attend(y, name);
  let shortcut = x;
  if (strides !== 1 || x.shape.at(-1) !== y.shape.at(-1)) {
    shortcut = conv(x, `${name}.downsample.0`, y.shape.at(-1)!, strides === 1 ? 1 : shortcutKernel, { strides });
    shortcut = norm(shortcut, `${name}.downsample.1`);
  }
  return relu(layers.add({ name: `${name}.add` }).apply([y, shortcut]), `${name}.relu`);
}

/** The four stages: the first block of each but the first halves the image. */
export function residualStages(x: SymbolicTensor, blocks: readonly number[], design: BlockDesign): SymbolicTensor {
  for (const [stage, count] of blocks.entries()) {
    for (let block = 0; block < count; block++) {
      const strides = stage > 0 && block === 0 ? 2 : 1;
      x = residualBlock(x, `layer${stage + 1}.${block}`, FILTERS[stage]!, strides, design);
    }
  }
  return x;
}

function resNet(depth: ResNetDepth, options: ModelOptions): Model {
  const { block, blocks } = RESNETS[depth];
  const name = options.name ?? `resnet${depth}`;
  const inputs = imageInput(options, [224, 224, 3], { model: name });
  let x = relu(norm(conv(inputs, 'conv1', 64, 7, { strides: 2 }), 'bn1'), 'relu');
  x = maxPool(x, 'maxpool', 3, 2, 1);
  x = residualStages(x, blocks, BLOCKS[block]);
  return new Model({
    name,
    inputs,
    outputs: head(x, options, { pool: 'avgpool', dense: 'fc' }),
  });
}

/** ResNet-18 of torchvision: 11,689,512 parameters, 1.81 G multiply-adds. */
export const resNet18 = pretrained('resnet18', (options: ModelOptions = {}): Model => resNet(18, options));
/** ResNet-34 of torchvision: 21,797,672 parameters, 3.66 G multiply-adds. */
export const resNet34 = pretrained('resnet34', (options: ModelOptions = {}): Model => resNet(34, options));
/** ResNet-50 of torchvision: 25,557,032 parameters, 4.09 G multiply-adds. */
export const resNet50 = pretrained('resnet50', (options: ModelOptions = {}): Model => resNet(50, options));
/** ResNet-101 of torchvision: 44,549,160 parameters, 7.80 G multiply-adds. */
export const resNet101 = pretrained('resnet101', (options: ModelOptions = {}): Model => resNet(101, options));
/** ResNet-152 of torchvision: 60,192,808 parameters, 11.51 G multiply-adds. */
export const resNet152 = pretrained('resnet152', (options: ModelOptions = {}): Model => resNet(152, options));
