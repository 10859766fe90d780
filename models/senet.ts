import { Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';
import { BLOCKS as TORCHVISION, residualStages, RESNETS, type BlockDesign, type ResNetDepth } from './resnet.js';
import { conv, maxPool, maxPoolCeil, norm, relu, squeezeExcite } from './torch-blocks.js';

// J. Hu et al. 2018, "Squeeze-and-Excitation Networks" (arXiv:1709.01507), table 1: ResNets whose residual branches end
// in a squeeze-and-excitation module. Drawn as the authors' Caffe weights have it (timm's `legacy_*`): the first 1x1
// convolution of a bottleneck takes the stride, and the first pooling window may reach past the image's end.

const attend = (x: SymbolicTensor, name: string): SymbolicTensor => squeezeExcite(x, `${name}.se_module`);

const BLOCKS = {
  basic: {
    rows: (f, s) => [
      [3, f, s],
      [3, f],
    ],
    reluLast: true,
    attend,
  },
  bottleneck: {
    rows: (f, s) => [
      [1, f, s],
      [3, f],
      [1, 4 * f],
    ],
    attend,
  },
  /** SENet-154: a wider middle in 64 groups, and 3x3 shortcuts. */
  senet154: {
    rows: (f, s) => [
      [1, 2 * f],
      [3, 4 * f, s, 64],
      [1, 4 * f],
    ],
    attend,
    shortcutKernel: 3,
  },
} satisfies Record<string, BlockDesign>;

/** Filters and strides of the 3x3 convolutions that stand in SENet-154 for the 7x7 one. */
const STEM_154 = [
  [64, 2],
  [64, 1],
  [128, 1],
] as const;

function stem(x: SymbolicTensor, kernel: number, rows: readonly (readonly [number, number])[]): SymbolicTensor {
  for (const [i, [filters, strides]] of rows.entries()) {
    x = conv(x, `layer0.conv${i + 1}`, filters, kernel, { strides });
    x = relu(norm(x, `layer0.bn${i + 1}`), `layer0.relu${i + 1}`);
  }
  return maxPoolCeil(x, 'pool0', 3, 2);
}

function seResNet(depth: ResNetDepth, options: ModelOptions): Model {
  const { block, blocks } = RESNETS[depth];
  const name = options.name ?? `seresnet${depth}`;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 3 });
  const x = residualStages(stem(inputs, 7, [[64, 2]]), blocks, BLOCKS[block]);
  const outputs = head(x, options, { pool: 'global_pool.pool', dense: 'last_linear' });
  return new Model({ name, inputs, outputs });
}

/** SE-ResNet-18: 11,778,592 parameters. */
export const seResNet18 = pretrained('seresnet18', (options: ModelOptions = {}): Model => seResNet(18, options));
/** SE-ResNet-34: 21,958,868 parameters. */
export const seResNet34 = pretrained('seresnet34', (options: ModelOptions = {}): Model => seResNet(34, options));
/** SE-ResNet-50: 28,088,024 parameters. */
export const seResNet50 = pretrained('seresnet50', (options: ModelOptions = {}): Model => seResNet(50, options));
/** SE-ResNet-101: 49,326,872 parameters. */
export const seResNet101 = pretrained('seresnet101', (options: ModelOptions = {}): Model => seResNet(101, options));
/** SE-ResNet-152: 66,821,848 parameters. */
export const seResNet152 = pretrained('seresnet152', (options: ModelOptions = {}): Model => seResNet(152, options));

/** SENet-154, the winner of ILSVRC 2017: 115,088,984 parameters. */
export const seNet154 = pretrained('senet154', (options: ModelOptions = {}): Model => {
  const { name = 'senet154' } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 3 });
  const x = residualStages(stem(inputs, 3, STEM_154), RESNETS[152].blocks, BLOCKS.senet154);
  const outputs = head(x, { dropout: 0.2, ...options }, { pool: 'global_pool.pool', dense: 'last_linear' });
  return new Model({ name, inputs, outputs });
});

/** timm's `seresnet50`: torchvision's ResNet-50 with the modules; 28,088,024 parameters. */
export const seResNet50Timm = pretrained('seresnet50_timm', (options: ModelOptions = {}): Model => {
  const { name = 'seresnet50' } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name });
  let x = relu(norm(conv(inputs, 'conv1', 64, 7, { strides: 2 }), 'bn1'), 'act1');
  x = maxPool(x, 'maxpool', 3, 2, 1);
  const scaled: BlockDesign = { ...TORCHVISION.bottleneck, attend: (y, name) => squeezeExcite(y, `${name}.se`) };
  x = residualStages(x, RESNETS[50].blocks, scaled);
  const outputs = head(x, options, { pool: 'global_pool.pool', dense: 'fc' });
  return new Model({ name, inputs, outputs });
});
