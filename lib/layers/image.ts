import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import type { Pair } from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkKeys, oneOf, wholeNumber, wholePair, wrongArgument, type Owner } from './arguments.js';
import type { LayerOptions } from './layer.js';
import type { LayerConfig } from './registry.js';
import { formatSymbolicShape, type SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';

/** One number for all sides, `[height, width]` for both sides of each, or `[[top, bottom], [left, right]]`. */
export type Sides =
  number | readonly [number, number] | readonly [readonly [number, number], readonly [number, number]];

type Border = readonly [readonly [number, number], readonly [number, number]];
type Interpolation = 'nearest' | 'bilinear';

function readSides(owner: Owner, argument: string, value: Sides): Border {
  const isPair = (v: unknown): v is [number, number] =>
    Array.isArray(v) && v.length === 2 && v.every((d) => Number.isInteger(d) && d >= 0);
  if (typeof value === 'number' && isPair([value, value]))
    return [
      [value, value],
      [value, value],
    ];
  if (isPair(value))
    return [
      [value[0], value[0]],
      [value[1], value[1]],
    ];
  if (Array.isArray(value) && value.length === 2 && isPair(value[0]) && isPair(value[1])) return [value[0], value[1]];
  throw wrongArgument(owner, argument, 'a whole number, [height, width] or [[top, bottom], [left, right]]', value);
}

abstract class ImageLayer extends UnaryLayer {
  protected override get inputRank(): number {
    return 4;
  }

  /** Height (0) or width (1) of the output. */
  protected abstract size(input: number, axis: 0 | 1): number;

  override computeOutputShape([batch, height, width, channels]: SymbolicShape): SymbolicShape {
    const size = (d: number | null | undefined, axis: 0 | 1): number | null =>
      d === null || d === undefined ? null : this.size(d, axis);
    return [batch!, size(height, 0), size(width, 1), channels!];
  }
}

export interface ZeroPadding2DOptions extends LayerOptions {
  /** Rows and columns of zeros. 1 on all sides by default. */
  padding?: Sides | undefined;
}

/** Zeros around images: [n, h, w, c] to [n, top + h + bottom, left + w + right, c]. */
export class ZeroPadding2D extends ImageLayer {
  static readonly className: string = 'ZeroPadding2D';
  readonly padding: Border;

  constructor(options: ZeroPadding2DOptions = {}) {
    super(options);
    checkKeys(this, options, ['padding']);
    this.padding = readSides(this, 'padding', options.padding ?? 1);
  }

  protected override size(input: number, axis: 0 | 1): number {
    return input + this.padding[axis][0] + this.padding[axis][1];
  }

  override call(x: Tensor): Tensor {
    return ops.pad(x, [[0, 0], ...this.padding, [0, 0]]);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), padding: this.padding };
  }
}

export interface Cropping2DOptions extends LayerOptions {
  /** Rows and columns that are cut off. */
  cropping: Sides;
}

/** Cuts borders off images: [n, h, w, c] to [n, h - top - bottom, w - left - right, c]. */
export class Cropping2D extends ImageLayer {
  static readonly className: string = 'Cropping2D';
  readonly cropping: Border;

  constructor(options: Cropping2DOptions) {
    super(options);
    checkKeys(this, options, ['cropping']);
    this.cropping = readSides(this, 'cropping', options.cropping);
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    const [, height, width] = shapes[0]!;
    if ([height, width].some((d, axis) => typeof d === 'number' && this.size(d, axis as 0 | 1) < 1)) {
      const expected = `images larger than the cropping ${JSON.stringify(this.cropping)}`;
      throw mismatch('ERR_SHAPE', this.errorLabel(), expected, formatSymbolicShape(shapes[0]!));
    }
  }

  protected override size(input: number, axis: 0 | 1): number {
    return input - this.cropping[axis][0] - this.cropping[axis][1];
  }

  override call(x: Tensor): Tensor {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    return ops.slice(x, [0, this.cropping[0][0], this.cropping[1][0], 0], [n, this.size(h, 0), this.size(w, 1), c]);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), cropping: this.cropping };
  }
}

export interface UpSampling2DOptions extends LayerOptions {
  /** Factors of height and width. 2 by default. */
  size?: Pair | undefined;
  /** `'nearest'` (default) or `'bilinear'`. */
  interpolation?: Interpolation | undefined;
}

/** Makes images larger by whole factors: [n, h, w, c] to [n, h * size, w * size, c]. */
export class UpSampling2D extends ImageLayer {
  static readonly className: string = 'UpSampling2D';
  readonly factors: readonly [number, number];
  readonly interpolation: Interpolation;

  constructor(options: UpSampling2DOptions = {}) {
    super(options);
    checkKeys(this, options, ['size', 'interpolation']);
    this.factors = wholePair(this, 'size', options.size ?? 2);
    this.interpolation = oneOf(this, 'interpolation', options.interpolation ?? 'nearest', ['nearest', 'bilinear']);
  }

  protected override size(input: number, axis: 0 | 1): number {
    return input * this.factors[axis];
  }

  override call(x: Tensor): Tensor {
    const size = [this.size(x.shape[1]!, 0), this.size(x.shape[2]!, 1)] as const;
    return ops.resize(x, size, { method: this.interpolation });
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), size: this.factors, interpolation: this.interpolation };
  }
}

export interface ResizingOptions extends LayerOptions {
  height: number;
  width: number;
  /** `'bilinear'` (default) or `'nearest'`. */
  interpolation?: Interpolation | undefined;
}

/** Brings images to one size: [n, h, w, c] to [n, height, width, c]; whole numbers become float32. */
export class Resizing extends ImageLayer {
  static readonly className: string = 'Resizing';
  readonly height: number;
  readonly width: number;
  readonly interpolation: Interpolation;

  constructor(options: ResizingOptions) {
    super(options);
    checkKeys(this, options, ['height', 'width', 'interpolation']);
    this.height = wholeNumber(this, 'height', options.height);
    this.width = wholeNumber(this, 'width', options.width);
    this.interpolation = oneOf(this, 'interpolation', options.interpolation ?? 'bilinear', ['bilinear', 'nearest']);
  }

  protected override size(_input: number, axis: 0 | 1): number {
    return axis === 0 ? this.height : this.width;
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return [inputShape[0]!, this.height, this.width, inputShape[3]!];
  }

  override call(x: Tensor): Tensor {
    const float = x.dtype === 'float64' ? x : ops.cast(x, 'float32');
    return ops.resize(float, [this.height, this.width], { method: this.interpolation });
  }

  override getConfig(): LayerConfig {
    const { height, width, interpolation } = this;
    return { ...super.getConfig(), height, width, interpolation };
  }
}
