import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { activate, add, conv, headWithUnnamedPooling, maxPool, norm, Numbering } from './keras-blocks.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// F. Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions" (arXiv:1610.02357), figure 5, with
// the layer names of keras.applications.

/** Filters of the separable convolutions of blocks 2 to 13; where an image is halved, the shortcut is a convolution. */
const BLOCKS: readonly { readonly filters: readonly number[]; readonly halve: boolean }[] = [
  { filters: [128, 128], halve: true },
  { filters: [256, 256], halve: true },
  { filters: [728, 728], halve: true },
  ...Array.from({ length: 8 }, () => ({ filters: [728, 728, 728], halve: false })),
  { filters: [728, 1024], halve: true },
];

const EXIT = [1536, 2048] as const;

/** Xception: 22,910,480 parameters, 8.4 G multiply-adds at 299x299. Images from 71x71. */
export const xception = pretrained('xception', (options: ModelOptions = {}): Model => {
  const { name = 'xception' } = options;
  const numbers = new Numbering();
  const separable = (x: SymbolicTensor, layer: string, filters: number): SymbolicTensor => {
    const made = layers.separableConv2d({ name: layer, filters, kernelSize: 3, padding: 'same', useBias: false });
    return norm(made.apply(x), `${layer}_bn`);
  };

  const inputs = imageInput(options, [299, 299, 3], { model: name, least: 71 });
  let x = conv(inputs, 'block1_conv1', 32, 3, { strides: 2, padding: 'valid' });
  x = activate(norm(x, 'block1_conv1_bn'), 'block1_conv1_act');
  x = conv(x, 'block1_conv2', 64, 3, { padding: 'valid' });
  x = activate(norm(x, 'block1_conv2_bn'), 'block1_conv2_act');

  for (const [i, { filters, halve }] of BLOCKS.entries()) {
    const block = `block${i + 2}`;
    let shortcut = x;
    if (halve) {
      shortcut = conv(x, numbers.next('conv2d'), filters.at(-1)!, 1, { strides: 2 });
      shortcut = norm(shortcut, numbers.next('batch_normalization'));
    }
    for (const [k, width] of filters.entries()) {
      const layer = `${block}_sepconv${k + 1}`;
      // Block 2 follows a ReLU.
      if (i > 0 || k > 0) x = activate(x, `${layer}_act`);
      x = separable(x, layer, width);
    }
    if (halve) x = maxPool(x, `${block}_pool`, 3, 2, 'same');
    x = add([x, shortcut], numbers.next('add'));
  }
  for (const [k, width] of EXIT.entries()) {
    const layer = `block14_sepconv${k + 1}`;
    x = activate(separable(x, layer, width), `${layer}_act`);
  }
  return new Model({ name, inputs, outputs: head(x, options, headWithUnnamedPooling(options)) });
});
