import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';
import { conv, maxPool, norm, relu } from './torch-blocks.js';

// F. Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions" (arXiv:1610.02357), figure 5, with
// the names, the symmetric padding and the normalization epsilon of timm's `legacy_xception`, whose weights were
// converted from Keras's.

/** Filters of the separable convolutions of a block, and its strides; the first block begins without ReLU. */
const BLOCKS: readonly { readonly filters: readonly number[]; readonly strides: 1 | 2 }[] = [
  { filters: [128, 128], strides: 2 },
  { filters: [256, 256], strides: 2 },
  { filters: [728, 728], strides: 2 },
  ...Array.from({ length: 8 }, () => ({ filters: [728, 728, 728], strides: 1 as const })),
  { filters: [728, 1024], strides: 2 },
];

/** A 3x3 convolution of every channel, then a 1x1 convolution. */
function separable(x: SymbolicTensor, name: string, filters: number): SymbolicTensor {
  const y = layers
    .depthwiseConv2d({
      name: `${name}.conv1`,
      kernelSize: 3,
      padding: [1, 1, 1, 1],
      useBias: false,
      depthwiseInitializer: 'heNormal',
    })
    .apply(x);
  return conv(y, `${name}.pointwise`, filters, 1);
}

function block(x: SymbolicTensor, name: string, filters: readonly number[], strides: number): SymbolicTensor {
  let y = x;
  let index = 0;
  for (const [i, width] of filters.entries()) {
    if (i > 0 || name !== 'block1') y = relu(y, `${name}.rep.${index++}`);
    y = norm(separable(y, `${name}.rep.${index++}`, width), `${name}.rep.${index++}`);
  }
  if (strides > 1) y = maxPool(y, `${name}.rep.${index}`, 3, strides, 1);
  let shortcut = x;
  if (strides > 1) shortcut = norm(conv(x, `${name}.skip`, filters.at(-1)!, 1, { strides }), `${name}.skipbn`);
  return layers.add({ name: `${name}.add` }).apply([y, shortcut]);
}

/** Xception of timm: 22,855,952 parameters, 8.40 G multiply-adds at 299x299. Images from 33x33. */
export const xceptionTimm = pretrained('xception_timm', (options: ModelOptions = {}): Model => {
  const { name = 'xception' } = options;
  const inputs = imageInput(options, [299, 299, 3], { model: name, least: 7 });
  let x = relu(norm(conv(inputs, 'conv1', 32, 3, { strides: 2, padding: 0 }), 'bn1'), 'act1');
  x = relu(norm(conv(x, 'conv2', 64, 3, { padding: 0 }), 'bn2'), 'act2');
  for (const [i, { filters, strides }] of BLOCKS.entries()) x = block(x, `block${i + 1}`, filters, strides);
  x = relu(norm(separable(x, 'conv3', 1536), 'bn3'), 'act3');
  x = relu(norm(separable(x, 'conv4', 2048), 'bn4'), 'act4');
  const outputs = head(x, options, { pool: 'global_pool.pool', dense: 'fc' });
  return new Model({ name, inputs, outputs });
});
