import { Layer, layers, Model, ops, registerLayer } from '../lib/index.js';
import type { CallContext, LayerConfig, LayerOptions, Tensor } from '../lib/index.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// ResNet-34 as A. Géron writes it in "Hands-On Machine Learning", chapter 14: a `ResidualUnit` layer, and a list of
// filters from which the model is stacked. 'same' padding as in TensorFlow, BatchNormalization with Keras's defaults.

export interface ResidualUnitOptions extends LayerOptions {
  filters: number;
  /** Above 1 the shortcut is a 1x1 convolution with the same strides. */
  strides?: number;
}

/** relu(conv-bn-relu-conv-bn (x) + shortcut(x)). */
export class ResidualUnit extends Layer {
  readonly filters: number;
  readonly strides: number;
  readonly conv1: Layer;
  readonly bn1 = layers.batchNormalization({ name: 'bn1' });
  readonly conv2: Layer;
  readonly bn2 = layers.batchNormalization({ name: 'bn2' });
  readonly skipConv?: Layer;
  readonly skipBn?: Layer;

  constructor({ filters, strides = 1, ...options }: ResidualUnitOptions) {
    super(options);
    this.filters = filters;
    this.strides = strides;
    this.conv1 = conv('conv1', filters, 3, strides);
    this.conv2 = conv('conv2', filters, 3);
    if (strides > 1) {
      this.skipConv = conv('skip_conv', filters, 1, strides);
      this.skipBn = layers.batchNormalization({ name: 'skip_bn' });
    }
  }

  call(x: Tensor, _context: CallContext): Tensor {
    const y = this.bn2.apply(this.conv2.apply(ops.relu(this.bn1.apply(this.conv1.apply(x)))));
    const shortcut = this.skipBn && this.skipConv ? this.skipBn.apply(this.skipConv.apply(x)) : x;
    return ops.relu(ops.add(y, shortcut));
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), filters: this.filters, strides: this.strides };
  }
}

registerLayer(ResidualUnit, 'fovea');

function conv(name: string, filters: number, kernelSize: number, strides = 1): Layer {
  return layers.conv2d({
    name,
    filters,
    kernelSize,
    strides,
    padding: 'same',
    useBias: false,
    kernelInitializer: 'heNormal',
  });
}

/** Filters of the sixteen units; a unit with more than the one before it halves the image. */
const FILTERS = [64, 64, 64, 128, 128, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512, 512] as const;

/** The chapter's ResNet-34: 21,306,826 parameters with ten classes, 3.66 G multiply-adds. */
export const bookResNet34 = pretrained('resnet34_book', (options: ModelOptions = {}): Model => {
  const { name = 'resnet34', classes = 10 } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name });
  let x = conv('stem_conv', 64, 7, 2).apply(inputs);
  x = layers.batchNormalization({ name: 'stem_bn' }).apply(x);
  x = layers.activation({ name: 'stem_relu', activation: 'relu' }).apply(x);
  x = layers.maxPooling2d({ name: 'stem_pool', poolSize: 3, strides: 2, padding: 'same' }).apply(x);
  for (const [i, filters] of FILTERS.entries()) {
    const strides = filters === (FILTERS[i - 1] ?? 64) ? 1 : 2;
    x = new ResidualUnit({ name: `unit${i}`, filters, strides }).apply(x);
  }
  const outputs = head(x, { ...options, classes }, { pool: 'pool', dense: 'predictions' });
  return new Model({ name, inputs, outputs });
});
