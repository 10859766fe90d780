import { Layer, layers, ops, registerLayer, tensor } from '../lib/index.js';
import type { LayerConfig, LayerOptions, SymbolicShape, SymbolicTensor, Tensor } from '../lib/index.js';
import { classifier, head, type ModelOptions } from './options.js';

// Parts of networks drawn as torchvision and timm draw them: explicit symmetric padding, layers named by the paths of
// PyTorch's modules (`layer1.0.conv1`), so that `torch-names.ts` can map weights mechanically.

/** One size for both directions, or height and width. */
export type Size = number | readonly [number, number];

export interface ConvOptions {
  strides?: number;
  /** Zeros on both sides; half the window, which keeps the size at strides 1, unless given. */
  padding?: Size;
  groups?: number;
  useBias?: boolean;
}

const both = (size: Size): readonly [number, number] => (typeof size === 'number' ? [size, size] : size);

/** PyTorch's `Conv2d`: as many zeros before as after, whatever the strides. */
export function conv(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernel: Size,
  { strides = 1, padding, groups = 1, useBias = false }: ConvOptions = {},
): SymbolicTensor {
  const [h, w] = both(kernel);
  const [rows, columns] = both(padding ?? [(h - 1) / 2, (w - 1) / 2]);
  const explicit = [rows, rows, columns, columns] as const;
  return layers
    .conv2d({
      name,
      filters,
      kernelSize: [h, w],
      strides,
      padding: explicit,
      groups,
      useBias,
      kernelInitializer: 'heNormal',
    })
    .apply(x);
}

/** PyTorch's `BatchNorm2d`; its momentum of 0.1 is 0.9 in Keras's words. */
export function norm(x: SymbolicTensor, name: string, epsilon = 1e-5): SymbolicTensor {
  return layers.batchNormalization({ name, epsilon, momentum: 0.9 }).apply(x);
}

export function relu(x: SymbolicTensor, name: string): SymbolicTensor {
  return layers.activation({ name, activation: 'relu' }).apply(x);
}

/** Convolution, batch normalization and ReLU: `<name>.conv`, `<name>.bn`, `<name>.relu`. */
export function convNormRelu(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernel: Size,
  options: ConvOptions & { epsilon?: number } = {},
): SymbolicTensor {
  const { epsilon = 1e-3, ...window } = options;
  return relu(norm(conv(x, `${name}.conv`, filters, kernel, window), `${name}.bn`, epsilon), `${name}.relu`);
}

/** PyTorch's `MaxPool2d`; padding never wins. */
export function maxPool(x: SymbolicTensor, name: string, size: number, strides: number, padding = 0): SymbolicTensor {
  const explicit = [padding, padding, padding, padding] as const;
  return layers.maxPooling2d({ name, poolSize: size, strides, padding: explicit }).apply(x);
}

/** PyTorch's `MaxPool2d(ceil_mode=True)`: windows may reach past the end of the image, not past its beginning. */
export function maxPoolCeil(x: SymbolicTensor, name: string, size: number, strides: number): SymbolicTensor {
  const explicit = [0, strides - 1, 0, strides - 1] as const;
  return layers.maxPooling2d({ name, poolSize: size, strides, padding: explicit }).apply(x);
}

/**
 * Squeeze and excitation (Hu et al. 2018, arXiv:1709.01507, figure 2): the mean of every feature map, through a narrow
 * and a wide layer, scales the map. Written with 1x1 convolutions, as the published weights are.
 *
 * @param ratio - how much narrower the hidden layer is
 */
export function squeezeExcite(x: SymbolicTensor, name: string, ratio = 16): SymbolicTensor {
  const channels = x.shape.at(-1) ?? 0;
  let y = layers.globalAveragePooling2d({ name: `${name}.squeeze`, keepDims: true }).apply(x);
  y = relu(conv(y, `${name}.fc1`, Math.floor(channels / ratio), 1, { useBias: true }), `${name}.relu`);
  y = conv(y, `${name}.fc2`, channels, 1, { useBias: true });
  y = layers.activation({ name: `${name}.sigmoid`, activation: 'sigmoid' }).apply(y);
  return layers.multiply({ name: `${name}.scale` }).apply([x, y]);
}

export interface AdaptivePoolingOptions extends LayerOptions {
  outputSize: readonly [number, number];
}

/**
 * PyTorch's `AdaptiveAvgPool2d`: means over a grid of patches, from floor(i * n / size) to ceil((i + 1) * n / size), which
 * overlap or repeat where the size does not divide the image.
 */
export class AdaptiveAveragePooling2D extends Layer {
  readonly outputSize: readonly [number, number];

  constructor({ outputSize, ...options }: AdaptivePoolingOptions) {
    super(options);
    this.outputSize = outputSize;
  }

  call(x: Tensor): Tensor {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const [rows, columns] = this.outputSize;
    // Two products with matrices that hold the means: [rows, h] from the left, [columns, w] for each row.
    const tall = ops.matmul(patchMeans(rows, h), ops.reshape(x, [n, h, w * c]));
    const small = ops.matmul(patchMeans(columns, w), ops.reshape(tall, [n * rows, w, c]));
    return ops.reshape(small, [n, rows, columns, c]);
  }

  override computeOutputShape([batch, , , channels]: SymbolicShape): SymbolicShape {
    return [batch!, ...this.outputSize, channels!];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), outputSize: this.outputSize };
  }
}

registerLayer(AdaptiveAveragePooling2D, 'fovea');

/** [size, n]: row i is 1 / length on patch i. */
function patchMeans(size: number, n: number): Tensor {
  const values = new Float32Array(size * n);
  for (let i = 0; i < size; i++) {
    const [from, to] = [Math.floor((i * n) / size), Math.ceil(((i + 1) * n) / size)];
    values.fill(1 / (to - from), i * n + from, i * n + to);
  }
  return tensor(values, [size, n]);
}

/** Means over a grid of `size` x `size` patches; an image of that size stays as it is. */
export function adaptiveAveragePool(x: SymbolicTensor, name: string, size: number): SymbolicTensor {
  const [, h, w] = x.shape;
  if (h === size && w === size) return layers.activation({ name, activation: 'linear' }).apply(x);
  if (h && w && h % size === 0 && w % size === 0) {
    return layers.averagePooling2d({ name, poolSize: [h / size, w / size] }).apply(x);
  }
  return new AdaptiveAveragePooling2D({ name, outputSize: [size, size] }).apply(x);
}

export interface DenseHead {
  /** What the image is averaged to first; it stays as it is unless given. */
  readonly grid?: number;
  readonly names: readonly [string, string, string];
  readonly dropoutFirst?: boolean;
}

/** The three dense layers of AlexNet and VGG with dropout before or behind the first two. */
export function denseHead(
  x: SymbolicTensor,
  { grid, names, dropoutFirst = false }: DenseHead,
  options: ModelOptions,
): SymbolicTensor {
  const { includeTop = true, dropout = 0.5 } = options;
  if (!includeTop) return head(x, options, { pool: 'pool', dense: names[2] });
  let y = grid === undefined ? x : adaptiveAveragePool(x, 'avgpool', grid);
  y = layers.flatten({ name: 'flatten' }).apply(y);
  for (const name of names.slice(0, 2)) {
    const drop = layers.dropout({ name: `${name}.dropout`, rate: dropout });
    const dense = layers.dense({ name, units: 4096, activation: 'relu', kernelInitializer: 'heNormal' });
    y = dropoutFirst ? dense.apply(drop.apply(y)) : drop.apply(dense.apply(y));
  }
  return classifier(y, names[2], options);
}
