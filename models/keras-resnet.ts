import { Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { activate, add, conv, HEAD, maxPool, norm, Numbering, zeroPad } from './keras-blocks.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// K. He et al. 2016, "Deep Residual Learning for Image Recognition" (arXiv:1512.03385), table 1, and "Identity Mappings
// in Deep Residual Networks" (arXiv:1603.05027), figure 4(e), as keras.applications has them: the 1x1 convolution takes
// the stride in V1, the 3x3 convolution of a stage's last block in V2. Layer names are Keras's.

/** Blocks of the four stages; the stages' inner filters are 64, 128, 256 and 512, their outer ones four times that. */
const TABLE_1 = {
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const;

type Depth = keyof typeof TABLE_1;
type Version = 'v1' | 'v2';

const EPSILON = { epsilon: 1.001e-5 } as const;
const BIAS = { useBias: true } as const;
const VALID = { padding: 'valid' } as const;

const normRelu = (x: SymbolicTensor, name: string): SymbolicTensor =>
  activate(norm(x, `${name}_bn`, EPSILON), `${name}_relu`);

/** relu(conv-bn-relu, conv-bn-relu, conv-bn (x) + shortcut(x)). */
function blockV1(x: SymbolicTensor, name: string, filters: number, strides: number, first: boolean): SymbolicTensor {
  let shortcut = x;
  if (first) {
    shortcut = conv(x, `${name}_0_conv`, 4 * filters, 1, { strides, ...VALID, ...BIAS });
    shortcut = norm(shortcut, `${name}_0_bn`, EPSILON);
  }
  let y = normRelu(conv(x, `${name}_1_conv`, filters, 1, { strides, ...VALID, ...BIAS }), `${name}_1`);
  y = normRelu(conv(y, `${name}_2_conv`, filters, 3, BIAS), `${name}_2`);
  y = norm(conv(y, `${name}_3_conv`, 4 * filters, 1, { ...VALID, ...BIAS }), `${name}_3_bn`, EPSILON);
  return activate(add([shortcut, y], `${name}_add`), `${name}_out`);
}

/** bn-relu-conv, bn-relu-conv, bn-relu-conv (x) + shortcut: what is added is never normalized again. */
function blockV2(
  x: SymbolicTensor,
  name: string,
  filters: number,
  strides: number,
  first: boolean,
  numbers: Numbering,
): SymbolicTensor {
  const ready = normRelu(x, `${name}_preact`);
  let shortcut = x;
  if (first) shortcut = conv(ready, `${name}_0_conv`, 4 * filters, 1, { strides, ...VALID, ...BIAS });
  else if (strides > 1) shortcut = maxPool(x, numbers.next('max_pooling2d'), 1, strides);
  let y = normRelu(conv(ready, `${name}_1_conv`, filters, 1, VALID), `${name}_1`);
  y = conv(zeroPad(y, `${name}_2_pad`, 1), `${name}_2_conv`, filters, 3, { strides, ...VALID });
  y = conv(normRelu(y, `${name}_2`), `${name}_3_conv`, 4 * filters, 1, { ...VALID, ...BIAS });
  return add([shortcut, y], `${name}_out`);
}

function resNet(version: Version, depth: Depth, options: ModelOptions): Model {
  const name = options.name ?? `resnet${depth}${version === 'v2' ? 'v2' : ''}`;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 32 });
  const numbers = new Numbering();
  let x = zeroPad(inputs, 'conv1_pad', 3);
  x = conv(x, 'conv1_conv', 64, 7, { strides: 2, ...VALID, ...BIAS });
  if (version === 'v1') x = normRelu(x, 'conv1');
  x = maxPool(zeroPad(x, 'pool1_pad', 1), 'pool1_pool', 3, 2);
  for (const [stage, count] of TABLE_1[depth].entries()) {
    for (let k = 1; k <= count; k++) {
      const block = `conv${stage + 2}_block${k}`;
      const filters = 64 * 2 ** stage;
      // V1 halves the image where a stage begins, V2 where one ends.
      if (version === 'v1') x = blockV1(x, block, filters, stage > 0 && k === 1 ? 2 : 1, k === 1);
      else x = blockV2(x, block, filters, stage < 3 && k === count ? 2 : 1, k === 1, numbers);
    }
  }
  if (version === 'v2') x = normRelu(x, 'post');
  return new Model({ name, inputs, outputs: head(x, options, HEAD) });
}

/** Keras's ResNet-50: 25,636,712 parameters, 3.86 G multiply-adds at 224x224. Images from 32x32. */
export const kerasResNet50 = pretrained('resnet50_keras', (options: ModelOptions = {}): Model =>
  resNet('v1', 50, options),
);
/** Keras's ResNet-101: 44,707,176 parameters, 7.57 G multiply-adds. */
export const kerasResNet101 = pretrained('resnet101_keras', (options: ModelOptions = {}): Model =>
  resNet('v1', 101, options),
);
/** Keras's ResNet-152: 60,419,944 parameters, 11.3 G multiply-adds. */
export const kerasResNet152 = pretrained('resnet152_keras', (options: ModelOptions = {}): Model =>
  resNet('v1', 152, options),
);

/** ResNet-50 V2: 25,613,800 parameters, 3.48 G multiply-adds at 224x224. Images from 32x32. */
export const resNet50V2 = pretrained('resnet50v2', (options: ModelOptions = {}): Model => resNet('v2', 50, options));
/** ResNet-101 V2: 44,675,560 parameters, 7.19 G multiply-adds. */
export const resNet101V2 = pretrained('resnet101v2', (options: ModelOptions = {}): Model => resNet('v2', 101, options));
/** ResNet-152 V2: 60,380,648 parameters, 10.9 G multiply-adds. */
export const resNet152V2 = pretrained('resnet152v2', (options: ModelOptions = {}): Model => resNet('v2', 152, options));
