/** The networks of training.json.gz, with the weight names of the fixtures. */
import { ops, type Tensor } from '../../lib/index.js';
import * as layers from '../../lib/layers/index.js';
import { Layer } from '../../lib/layers/layer.js';

/** A model in the manner of a subclass: layers in fields, applied in `call`. */
export abstract class Net extends Layer {
  stopTraining = false;
  abstract override call(x: Tensor): Tensor;
  run(layer: Layer, x: Tensor): Tensor {
    return layer.apply(x);
  }
}

interface FashionOptions {
  width: number;
  dropout: number;
  l2?: number;
}

export class FashionNet extends Net {
  readonly stack: Layer[];

  constructor({ width, dropout, l2 }: FashionOptions) {
    super({ name: 'fashion_cnn' });
    const kernelRegularizer = l2 === undefined ? undefined : { className: 'L2', config: { l2 } };
    let count = 0;
    const conv = (filters: number, kernelSize = 3): Layer => {
      const name = count++ === 0 ? 'conv2d' : `conv2d_${count - 1}`;
      return layers.conv2d({ name, filters, kernelSize, padding: 'same', activation: 'relu', kernelRegularizer });
    };
    const dense = (name: string, units: number): Layer =>
      layers.dense({ name, units, activation: 'relu', kernelRegularizer });
    this.stack = [
      conv(width, 7),
      layers.maxPooling2d(),
      ...[conv(2 * width), conv(2 * width), layers.maxPooling2d()],
      ...[conv(4 * width), conv(4 * width), layers.maxPooling2d()],
      layers.flatten(),
      ...[dense('dense', 2 * width), layers.dropout({ rate: dropout })],
      ...[dense('dense_1', width), layers.dropout({ rate: dropout })],
      layers.dense({ name: 'dense_2', units: 10 }),
    ];
  }

  call(x: Tensor): Tensor {
    return this.stack.reduce((h, layer) => this.run(layer, h), x);
  }
}

export class MixedNet extends Net {
  readonly stem = this.#conv('stem', 8, 3, 'relu');
  readonly branchA = this.#conv('branch_a', 8, 1, 'relu');
  readonly branchB = layers.separableConv2d({
    name: 'branch_b',
    filters: 8,
    kernelSize: 3,
    padding: 'same',
    useBias: false,
  });
  readonly branchBBn = layers.batchNormalization({ name: 'branch_b_bn' });
  readonly lrn = layers.localResponseNormalization({ depthRadius: 2, bias: 1, alpha: 0.05, beta: 0.75 });
  readonly reduce = this.#conv('se_reduce', 4, 1, 'relu');
  readonly expand = this.#conv('se_expand', 16, 1, 'sigmoid');
  readonly pool = layers.maxPooling2d({ padding: 'same' });
  readonly depthwise = layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, padding: 'same' });
  readonly head = layers.dense({ name: 'head', units: 5 });

  constructor(lrn?: Partial<{ depthRadius: number; bias: number; alpha: number; beta: number }>) {
    super({ name: 'mixed_net' });
    if (lrn) this.lrn = layers.localResponseNormalization(lrn);
  }

  call(x: Tensor): Tensor {
    const h = this.run(this.stem, x);
    const b = ops.relu(this.run(this.branchBBn, this.run(this.branchB, h)));
    let y = this.run(this.lrn, ops.concat([this.run(this.branchA, h), b], -1));
    const squeezed = ops.mean(y, { axes: [1, 2], keepDims: true });
    y = ops.mul(y, this.run(this.expand, this.run(this.reduce, squeezed)));
    y = this.run(this.pool, y);
    y = ops.relu(ops.add(y, this.run(this.depthwise, y)));
    return this.run(this.head, ops.mean(y, { axes: [1, 2] }));
  }

  #conv(name: string, filters: number, kernelSize: number, activation: string): Layer {
    return layers.conv2d({ name, filters, kernelSize, padding: 'same', activation });
  }
}

/** The nested part of the transfer net. */
class Base extends Net {
  readonly stack: Layer[];

  constructor() {
    super({ name: 'base' });
    this.stack = [8, 16].flatMap((filters, i) => [
      layers.conv2d({
        name: `conv${i + 1}`,
        filters,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        useBias: false,
      }),
      layers.batchNormalization({ name: `bn${i + 1}`, momentum: 0.9 }),
      layers.relu(),
    ]);
  }

  call(x: Tensor): Tensor {
    return ops.mean(
      this.stack.reduce((h, layer) => this.run(layer, h), x),
      { axes: [1, 2] },
    );
  }
}

export class TransferNet extends Net {
  readonly base = new Base();
  readonly head = layers.dense({ name: 'head', units: 3 });

  constructor() {
    super({ name: 'transfer_net' });
  }

  call(x: Tensor): Tensor {
    return this.run(this.head, this.run(this.base, x));
  }
}

/** As in the chapter: two convolutions, and a shortcut that is a 1x1 convolution where the size changes. */
class ResidualUnit extends Layer {
  readonly main: Layer[];
  readonly skip: Layer[];

  constructor(name: string, filters: number, strides: number, momentum: number) {
    super({ name });
    const conv = (part: string, kernelSize: number, stride: number): Layer =>
      layers.conv2d({ name: part, filters, kernelSize, strides: stride, padding: 'same', useBias: false });
    const bn = (part: string): Layer => layers.batchNormalization({ name: part, momentum });
    this.main = [conv('conv1', 3, strides), bn('bn1'), layers.relu(), conv('conv2', 3, 1), bn('bn2')];
    this.skip = strides === 1 ? [] : [conv('skip_conv', 1, strides), bn('skip_bn')];
  }

  call(x: Tensor): Tensor {
    const through = (stack: readonly Layer[]): Tensor => stack.reduce((h, layer) => layer.apply(h), x);
    return ops.relu(ops.add(through(this.main), through(this.skip)));
  }
}

export class ResNet34 extends Net {
  readonly stack: Layer[];

  constructor(momentum: number) {
    super({ name: 'resnet34' });
    const filters = [64, 128, 256, 512].flatMap((width, i) => new Array<number>([3, 4, 6, 3][i]!).fill(width));
    this.stack = [
      layers.conv2d({
        name: 'stem_conv',
        filters: 64,
        kernelSize: 7,
        strides: 2,
        padding: 'same',
        useBias: false,
      }),
      layers.batchNormalization({ name: 'stem_bn', momentum }),
      layers.relu(),
      layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      ...filters.map((width, i) => {
        return new ResidualUnit(`unit${i}`, width, width === (filters[i - 1] ?? 64) ? 1 : 2, momentum);
      }),
      layers.globalAveragePooling2d(),
      layers.dense({ name: 'predictions', units: 10 }),
    ];
  }

  call(x: Tensor): Tensor {
    return this.stack.reduce((h, layer) => this.run(layer, h), x);
  }
}
