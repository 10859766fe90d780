import * as ops from '../ops/index.js';
import type { Padding, Pair } from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkKeys, flag, wholePair, windowPadding } from './arguments.js';
import type { LayerOptions } from './layer.js';
import { camelCase } from './names.js';
import type { LayerConfig } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';
import { imageSize, windowOutput } from './window.js';

export interface Pooling2DOptions extends LayerOptions {
  /** Height and width of the window. 2 by default. */
  poolSize?: Pair | undefined;
  /** Steps between windows; the window's size by default. */
  strides?: Pair | null | undefined;
  /** `'valid'` (default), `'same'`, or `[top, bottom, left, right]`; padding never wins and is never counted. */
  padding?: Padding | undefined;
}

export interface GlobalPooling2DOptions extends LayerOptions {
  /** Whether height and width stay as 1. False by default. `keepdims` (Keras's spelling) is taken too. */
  keepDims?: boolean | undefined;
  keepdims?: boolean | undefined;
}

abstract class Pooling2D extends UnaryLayer {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: Padding;

  constructor(options: Pooling2DOptions = {}) {
    super(options);
    checkKeys(this, options, ['poolSize', 'strides', 'padding']);
    this.poolSize = wholePair(this, 'poolSize', options.poolSize ?? 2);
    this.strides = wholePair(this, 'strides', options.strides ?? this.poolSize);
    this.padding = windowPadding(this, options.padding ?? 'valid');
  }

  protected override get inputRank(): number {
    return 4;
  }

  protected get window(): { poolSize: Pair; strides: Pair; padding: Padding } {
    return { poolSize: this.poolSize, strides: this.strides, padding: this.padding };
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    const op = camelCase(this.className);
    return [inputShape[0]!, ...windowOutput(op, imageSize(inputShape), this.poolSize, this.window), inputShape[3]!];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), poolSize: this.poolSize, strides: this.strides, padding: this.padding };
  }
}

/** Largest of each window: [n, h, w, c] to [n, oh, ow, c]. */
export class MaxPooling2D extends Pooling2D {
  static readonly className: string = 'MaxPooling2D';

  override call(x: Tensor): Tensor {
    return ops.maxPool2d(x, this.window);
  }
}

/** Mean of each window: [n, h, w, c] to [n, oh, ow, c]. */
export class AveragePooling2D extends Pooling2D {
  static readonly className: string = 'AveragePooling2D';

  override call(x: Tensor): Tensor {
    return ops.avgPool2d(x, this.window);
  }
}

abstract class GlobalPooling2D extends UnaryLayer {
  readonly keepDims: boolean;

  constructor(options: GlobalPooling2DOptions = {}) {
    super(options);
    checkKeys(this, options, ['keepDims', 'keepdims']);
    this.keepDims = flag(this, 'keepDims', options.keepDims ?? options.keepdims ?? false);
  }

  protected override get inputRank(): number {
    return 4;
  }

  override computeOutputShape([batch, , , channels]: SymbolicShape): SymbolicShape {
    return this.keepDims ? [batch!, 1, 1, channels!] : [batch!, channels!];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), keepDims: this.keepDims };
  }
}

/** Mean over height and width: [n, h, w, c] to [n, c]. */
export class GlobalAveragePooling2D extends GlobalPooling2D {
  static readonly className: string = 'GlobalAveragePooling2D';

  override call(x: Tensor): Tensor {
    return ops.globalAvgPool2d(x, { keepDims: this.keepDims });
  }
}

/** Largest over height and width: [n, h, w, c] to [n, c]. */
export class GlobalMaxPooling2D extends GlobalPooling2D {
  static readonly className: string = 'GlobalMaxPooling2D';

  override call(x: Tensor): Tensor {
    return ops.globalMaxPool2d(x, { keepDims: this.keepDims });
  }
}
