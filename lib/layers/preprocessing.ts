import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import { tensor } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { checkKeys, wrongArgument, type Owner } from './arguments.js';
import type { LayerOptions } from './layer.js';
import type { LayerConfig } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';

/** One number, or one for each channel (the last axis). */
export type PerChannel = number | readonly number[];

function perChannel(owner: Owner, argument: string, value: unknown): PerChannel {
  const numbers = Array.isArray(value) ? value : [value];
  if (numbers.length > 0 && numbers.every((v) => typeof v === 'number' && Number.isFinite(v))) {
    return value as PerChannel;
  }
  throw wrongArgument(owner, argument, 'a finite number, or one for each channel', value);
}

function operand(value: PerChannel, like: Tensor): Tensor | number {
  return typeof value === 'number'
    ? value
    : tensor([...value], [value.length], { device: like.device, dtype: like.dtype });
}

const asFloat = (x: Tensor): Tensor => (x.dtype === 'float64' ? x : ops.cast(x, 'float32'));

export interface RescalingOptions extends LayerOptions {
  /** Factor: `1 / 255` brings bytes to 0..1. */
  scale: PerChannel;
  /** Added afterwards. 0 by default. */
  offset?: PerChannel | undefined;
}

/** x * scale + offset; whole numbers become float32. */
export class Rescaling extends UnaryLayer {
  static readonly className: string = 'Rescaling';
  readonly scale: PerChannel;
  readonly offset: PerChannel;

  constructor(options: RescalingOptions) {
    super(options);
    checkKeys(this, options, ['scale', 'offset']);
    this.scale = perChannel(this, 'scale', options.scale);
    this.offset = perChannel(this, 'offset', options.offset ?? 0);
  }

  /** Data is prepared with all its digits, whatever follows computes in. */
  protected override get castsInputs(): boolean {
    return false;
  }

  override call(x: Tensor): Tensor {
    const float = asFloat(x);
    return ops.add(ops.mul(float, operand(this.scale, float)), operand(this.offset, float));
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), scale: this.scale, offset: this.offset };
  }
}

export interface NormalizationOptions extends LayerOptions {
  /** The axis that keeps its statistics apart: the last, -1, only. */
  axis?: number | undefined;
  /** Given together with `variance`; else `adapt` finds both in data. */
  mean?: PerChannel | null | undefined;
  variance?: PerChannel | null | undefined;
}

/** What Keras puts below the divisor. */
const LEAST_DEVIATION = 1e-7;

/** (x - mean) / sqrt(variance), by channel; mean and variance are given, or found by {@link Normalization.adapt}. */
export class Normalization extends UnaryLayer {
  static readonly className: string = 'Normalization';
  readonly givenMean: PerChannel | undefined;
  readonly givenVariance: PerChannel | undefined;
  mean: Variable | undefined;
  variance: Variable | undefined;
  count: Variable | undefined;

  constructor(options: NormalizationOptions = {}) {
    super(options);
    checkKeys(this, options, ['axis', 'mean', 'variance', 'invert']);
    const axis: unknown = options.axis ?? -1;
    if (axis !== -1 && !(Array.isArray(axis) && axis.length === 1 && (axis[0] === -1 || axis[0] === 3))) {
      throw wrongArgument(this, 'axis', '-1, the last', axis);
    }
    const mean = options.mean ?? undefined;
    const variance = options.variance ?? undefined;
    if ((mean === undefined) !== (variance === undefined)) {
      throw wrongArgument(this, mean === undefined ? 'mean' : 'variance', 'given together with the other', undefined);
    }
    this.givenMean = mean === undefined ? undefined : perChannel(this, 'mean', mean);
    this.givenVariance = variance === undefined ? undefined : perChannel(this, 'variance', variance);
  }

  override build(inputShape: SymbolicShape): void {
    if (this.givenMean !== undefined) return;
    const shape = [this.knownSize(inputShape, -1, 'channels')];
    this.mean = this.addWeight({ name: 'mean', shape, initializer: 'zeros', trainable: false, autocast: false });
    this.variance = this.addWeight({ name: 'variance', shape, initializer: 'ones', trainable: false, autocast: false });
    this.count = this.addWeight({ name: 'count', shape: [], initializer: 'zeros', trainable: false, dtype: 'int32' });
  }

  /**
   * Takes mean and variance from data, in one pass over it.
   *
   * @param data - [n, ..., c], or batches of such tensors, one after the other
   */
  async adapt(data: Tensor | Iterable<Tensor> | AsyncIterable<Tensor>): Promise<void> {
    if (this.givenMean !== undefined) {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'no adapt where mean and variance are given', 'one');
    }
    let count = 0;
    let sum: Float64Array | undefined;
    let squares: Float64Array | undefined;
    let rows = 0;
    for await (const batch of data instanceof Tensor ? [data] : data) {
      this.checkInputs([batch.shape]);
      if (!this.built) this.build([null, ...batch.shape.slice(1)]);
      const channels = this.mean!.size;
      this.checkSize(batch.shape, -1, channels, 'channels', [channels]);
      sum ??= new Float64Array(channels);
      squares ??= new Float64Array(channels);
      const values = await batch.data();
      for (let i = 0; i < values.length; i++) {
        sum[i % channels]! += values[i]!;
        squares[i % channels]! += values[i]! ** 2;
      }
      count += values.length / channels;
      rows += batch.shape[0]!;
    }
    if (!sum || !squares || count === 0) {
      throw mismatch('ERR_DATA', this.errorLabel(), 'data with at least one element', 'none');
    }
    const mean = sum.map((s) => s / count);
    const { device } = this.mean!;
    const assign = (variable: Variable, values: ArrayLike<number>): void =>
      variable.assign(tensor(Array.from(values), variable.shape, { dtype: variable.dtype, device }));
    assign(this.mean!, mean);
    assign(
      this.variance!,
      squares.map((s, i) => Math.max(0, s / count - mean[i]! ** 2)),
    );
    assign(this.count!, [rows]);
  }

  /** Data is prepared with all its digits, whatever follows computes in. */
  protected override get castsInputs(): boolean {
    return false;
  }

  override call(x: Tensor): Tensor {
    const float = asFloat(x);
    const mean = this.mean?.value ?? operand(this.givenMean!, float);
    const deviation = this.variance
      ? ops.maximum(ops.sqrt(this.variance.value), LEAST_DEVIATION)
      : operand(deviations(this.givenVariance!), float);
    return ops.div(ops.sub(float, mean), deviation);
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), axis: -1, mean: this.givenMean ?? null, variance: this.givenVariance ?? null };
  }
}

function deviations(variance: PerChannel): PerChannel {
  const one = (v: number): number => Math.max(Math.sqrt(v), LEAST_DEVIATION);
  return typeof variance === 'number' ? one(variance) : variance.map(one);
}
