import { layers, Sequential } from '../lib/index.js';
import { checkOptions, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// The CNN for Fashion-MNIST of A. Géron, "Hands-On Machine Learning", chapter 14: filters double after each pooling,
// he_normal everywhere, dropout between the dense layers.

export interface FashionCnnOptions extends ModelOptions {
  /** Filters of the first convolution; all other sizes follow from it. 64 unless told. */
  width?: number | undefined;
}

/** Filters in units of the width and kernel sizes; `pool` halves the image. */
const TABLE = [[1, 7], 'pool', [2, 3], [2, 3], 'pool', [4, 3], [4, 3], 'pool'] as const;

/** The chapter's CNN: 1,413,834 parameters, 0.09 G multiply-adds. Images from 8x8, of a size that is known. */
export const fashionCnn = pretrained('fashion_cnn', (options: FashionCnnOptions = {}): Sequential => {
  const { inputShape = [28, 28, 1], classes = 10, width = 64, dropout = 0.5, name = 'fashion_cnn' } = options;
  const { classifierActivation = 'softmax', includeTop = true, pooling } = options;
  checkOptions(name, options, inputShape, { least: 8, fixed: true, keys: ['width'] });
  const kernelInitializer = 'heNormal';
  const dense = (units: number) => layers.dense({ units, activation: 'relu', kernelInitializer });
  const maps = TABLE.map((row) => {
    if (row === 'pool') return layers.maxPooling2d();
    const [factor, kernelSize] = row;
    const filters = factor * width;
    return layers.conv2d({ filters, kernelSize, padding: 'same', activation: 'relu', kernelInitializer });
  });
  const top = () => [
    layers.flatten(),
    ...[dense(2 * width), layers.dropout({ rate: dropout })],
    ...[dense(width), layers.dropout({ rate: dropout })],
    layers.dense({ units: classes, activation: classifierActivation ?? 'linear' }),
  ];
  const pooled = {
    avg: () => [layers.globalAveragePooling2d()],
    max: () => [layers.globalMaxPooling2d()],
  };
  const end = includeTop ? top() : pooling ? pooled[pooling]() : [];
  return new Sequential([layers.input({ shape: inputShape }), ...maps, ...end], { name });
});
