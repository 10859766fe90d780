import { Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { add, conv, depthwise, HEAD, norm, padForStrides2, relu6, roundTo8 } from './keras-blocks.js';
import type { MobileNetOptions } from './mobilenet.js';
import { head, imageInput } from './options.js';
import { pretrained } from './pretrained.js';

// M. Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (arXiv:1801.04381), table 2, with the
// layer names of keras.applications.

/** t, c, n, s: how much wider the middle of a block is, its filters, how many there are, strides of the first. */
const TABLE_2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const NORM = { epsilon: 1e-3, momentum: 0.999 } as const;

/** Widens with 1x1 filters, convolves every channel, and narrows again without an activation (figure 3b). */
function invertedResidual(
  x: SymbolicTensor,
  prefix: string,
  [widening, filters, strides]: readonly [number, number, number],
): SymbolicTensor {
  const channels = x.shape.at(-1)!;
  let y = x;
  if (widening > 1) {
    y = conv(y, `${prefix}_expand`, channels * widening, 1);
    y = relu6(norm(y, `${prefix}_expand_BN`, NORM), `${prefix}_expand_relu`);
  }
  if (strides > 1) y = padForStrides2(y, `${prefix}_pad`, 3);
  y = depthwise(y, `${prefix}_depthwise`, 3, { strides, padding: strides > 1 ? 'valid' : 'same' });
  y = relu6(norm(y, `${prefix}_depthwise_BN`, NORM), `${prefix}_depthwise_relu`);
  y = norm(conv(y, `${prefix}_project`, filters, 1), `${prefix}_project_BN`, NORM);
  return channels === filters && strides === 1 ? add([x, y], `${prefix}_add`) : y;
}

/** MobileNetV2: 3,538,984 parameters, 0.30 G multiply-adds at 224x224. Images from 32x32. */
export const mobileNetV2 = pretrained('mobilenet_v2', (options: MobileNetOptions = {}): Model => {
  const { alpha = 1, includeTop = true, name = 'mobilenetv2' } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 32, keys: ['alpha'] });
  let x = conv(inputs, 'Conv1', roundTo8(32 * alpha), 3, { strides: 2 });
  x = relu6(norm(x, 'bn_Conv1', NORM), 'Conv1_relu');
  let block = 0;
  for (const [widening, width, count, strides] of TABLE_2) {
    for (let k = 0; k < count; k++) {
      const prefix = block === 0 ? 'expanded_conv' : `block_${block}`;
      x = invertedResidual(x, prefix, [widening, roundTo8(Math.floor(width * alpha)), k === 0 ? strides : 1]);
      block++;
    }
  }
  x = conv(x, 'Conv_1', alpha > 1 ? roundTo8(1280 * alpha) : 1280, 1, { padding: 'valid' });
  x = relu6(norm(x, 'Conv_1_bn', NORM), 'out_relu');
  const names = { ...HEAD, pool: 'global_average_pooling2d', maxPool: 'global_max_pooling2d' };
  return new Model({ name, inputs, outputs: head(x, { ...options, includeTop }, names) });
});
