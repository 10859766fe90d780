import { layers, Sequential } from '../lib/index.js';

// The CNN for Fashion-MNIST of A. Géron, "Hands-On Machine Learning", chapter 14: filters double after each pooling,
// he_normal everywhere, dropout between the dense layers.

export interface FashionCnnOptions {
  /** Height, width and channels of the images; at least 8 by 8. [28, 28, 1] unless told. */
  readonly inputShape?: readonly number[] | undefined;
  /** How many classes the last layer tells apart. 10 unless told. */
  readonly classes?: number | undefined;
  /** Filters of the first convolution; all other sizes follow from it. 64 unless told. */
  readonly width?: number | undefined;
  /** Rate of both dropouts. 0.5 unless told. */
  readonly dropout?: number | undefined;
  /** `null` (or 'linear') gives scores, to be used with losses `fromLogits`. 'softmax' unless told. */
  readonly classifierActivation?: 'softmax' | 'linear' | null | undefined;
  readonly name?: string | undefined;
}

/** Filters in units of the width and kernel sizes; `pool` halves the image. */
const TABLE = [[1, 7], 'pool', [2, 3], [2, 3], 'pool', [4, 3], [4, 3], 'pool'] as const;

/** The chapter's CNN: 1,413,834 parameters, 0.11 G multiply-adds an image. */
export function fashionCnn(options: FashionCnnOptions = {}): Sequential {
  const { inputShape = [28, 28, 1], classes = 10, width = 64, dropout = 0.5, name = 'fashion_cnn' } = options;
  const { classifierActivation = 'softmax' } = options;
  const kernelInitializer = 'heNormal';
  const dense = (units: number) => layers.dense({ units, activation: 'relu', kernelInitializer });
  return new Sequential(
    [
      layers.input({ shape: inputShape }),
      ...TABLE.map((row) => {
        if (row === 'pool') return layers.maxPooling2d();
        const [factor, kernelSize] = row;
        const filters = factor * width;
        return layers.conv2d({ filters, kernelSize, padding: 'same', activation: 'relu', kernelInitializer });
      }),
      layers.flatten(),
      ...[dense(2 * width), layers.dropout({ rate: dropout })],
      ...[dense(width), layers.dropout({ rate: dropout })],
      layers.dense({ units: classes, activation: classifierActivation ?? 'linear' }),
    ],
    { name },
  );
}
