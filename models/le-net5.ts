import { layers, Sequential } from '../lib/index.js';
import { checkOptions, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// Y. LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition" (doi:10.1109/5.726791), figure 2, as
// the table of "Hands-On Machine Learning", chapter 14, has it: all maps connected, plain average pooling, and a dense
// output layer instead of radial basis functions.

/** Name, filters of a 5x5 convolution with tanh; the name of the 2x2 average pooling behind. */
const TABLE = [
  ['c1', 6, 's2'],
  ['c3', 16, 's4'],
  ['c5', 120],
] as const;

/** LeNet-5: 61,706 parameters with ten classes, 0.42 M multiply-adds. Images from 32x32, of a size that is known. */
export const leNet5 = pretrained('lenet5', (options: ModelOptions = {}): Sequential => {
  const { inputShape = [32, 32, 1], classes = 10, includeTop = true, pooling, dropout = 0, name = 'lenet5' } = options;
  checkOptions(name, options, inputShape, { least: 32, fixed: true });
  const activation =
    options.classifierActivation === undefined ? 'softmax' : (options.classifierActivation ?? 'linear');
  const maps = TABLE.flatMap(([layer, filters, pool]) => [
    layers.conv2d({ name: layer, filters, kernelSize: 5, activation: 'tanh' }),
    ...(pool ? [layers.averagePooling2d({ name: pool, poolSize: 2 })] : []),
  ]);
  const top = [
    layers.flatten({ name: 'flatten' }),
    layers.dense({ name: 'f6', units: 84, activation: 'tanh' }),
    ...(dropout > 0 ? [layers.dropout({ name: 'dropout', rate: dropout })] : []),
    layers.dense({ name: 'out', units: classes, activation }),
  ];
  const pooled = {
    avg: () => [layers.globalAveragePooling2d({ name: 'pool' })],
    max: () => [layers.globalMaxPooling2d({ name: 'pool' })],
  };
  const end = includeTop ? top : pooling ? pooled[pooling]() : [];
  return new Sequential([layers.input({ shape: inputShape }), ...maps, ...end], { name });
});
