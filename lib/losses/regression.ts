import { add, div, equal, lessEqual, maximum, mul, select, squaredDifference, sub } from '../ops/binary.js';
import { sum } from '../ops/reduce.js';
import { abs, clip, log, log1p, neg, softplus, sqrt, square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { meanOfLast } from './crossentropy.js';
import { EPSILON, Loss, lossRegistry, type LossOptions } from './loss.js';

/** One value for each element of targets and predictions. */
type Elementwise = (t: Tensor, p: Tensor) => Tensor;

/** A loss that is the mean over the last axis of a formula of each element. */
abstract class MeanLoss extends Loss {
  protected abstract readonly formula: Elementwise;

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanOfLast(this.formula(...this.pair(yTrue, yPred)));
  }
}

/** A loss of options that all losses have. */
abstract class PlainMeanLoss extends MeanLoss {
  constructor(name: string, options: LossOptions = {}) {
    super(name, options);
    this.args.done();
  }
}

/** (target - prediction)^2, the mean over the last axis. */
export class MeanSquaredError extends PlainMeanLoss {
  readonly className = 'MeanSquaredError';
  protected readonly formula = squaredDifference;

  constructor(options?: LossOptions) {
    super('meanSquaredError', options);
  }
}

/** |target - prediction|, the mean over the last axis. */
export class MeanAbsoluteError extends PlainMeanLoss {
  readonly className = 'MeanAbsoluteError';
  protected readonly formula: Elementwise = (t, p) => abs(sub(t, p));

  constructor(options?: LossOptions) {
    super('meanAbsoluteError', options);
  }
}

/** 100 * |target - prediction| / max(|target|, 1e-7), the mean over the last axis. */
export class MeanAbsolutePercentageError extends PlainMeanLoss {
  readonly className = 'MeanAbsolutePercentageError';
  protected readonly formula: Elementwise = (t, p) => mul(abs(div(sub(t, p), maximum(abs(t), EPSILON))), 100);

  constructor(options?: LossOptions) {
    super('meanAbsolutePercentageError', options);
  }
}

/** (log(target + 1) - log(prediction + 1))^2, both at least 1e-7, the mean over the last axis. */
export class MeanSquaredLogarithmicError extends PlainMeanLoss {
  readonly className = 'MeanSquaredLogarithmicError';
  protected readonly formula: Elementwise = (t, p) =>
    squaredDifference(log1p(maximum(t, EPSILON)), log1p(maximum(p, EPSILON)));

  constructor(options?: LossOptions) {
    super('meanSquaredLogarithmicError', options);
  }
}

/** log(cosh(prediction - target)): a square near 0, a distance far from it; the mean over the last axis. */
export class LogCosh extends PlainMeanLoss {
  readonly className = 'LogCosh';
  protected readonly formula: Elementwise = (t, p) => {
    const d = abs(sub(p, t));
    return sub(add(d, softplus(mul(d, -2))), Math.LN2);
  };

  constructor(options?: LossOptions) {
    super('logCosh', options);
  }
}

/** prediction - target * log(prediction + 1e-7), the mean over the last axis. */
export class Poisson extends PlainMeanLoss {
  readonly className = 'Poisson';
  protected readonly formula: Elementwise = (t, p) => sub(p, mul(t, log(add(p, EPSILON))));

  constructor(options?: LossOptions) {
    super('poisson', options);
  }
}

/** Targets of 0 count as -1. */
const signed = (t: Tensor): Tensor => select(equal(t, 0), -1, t);

/** max(0, 1 - target * prediction) for targets -1 and 1 (or 0 and 1), the mean over the last axis. */
export class Hinge extends PlainMeanLoss {
  readonly className = 'Hinge';
  protected readonly formula: Elementwise = (t, p) => maximum(sub(1, mul(signed(t), p)), 0);

  constructor(options?: LossOptions) {
    super('hinge', options);
  }
}

/** max(0, 1 - target * prediction)^2 for targets -1 and 1 (or 0 and 1), the mean over the last axis. */
export class SquaredHinge extends PlainMeanLoss {
  readonly className = 'SquaredHinge';
  protected readonly formula: Elementwise = (t, p) => square(maximum(sub(1, mul(signed(t), p)), 0));

  constructor(options?: LossOptions) {
    super('squaredHinge', options);
  }
}

export interface HuberOptions extends LossOptions {
  /** The distance up to which the loss is a square. */
  delta?: number;
}

/**
 * e^2 / 2 up to a distance of delta, then delta * (|e| - delta / 2) (Huber 1964); the mean over the last axis.
 */
export class Huber extends MeanLoss {
  readonly className = 'Huber';
  readonly #delta: number;

  constructor(options: HuberOptions = {}) {
    super('huber', options);
    const args = this.reader<HuberOptions>();
    this.#delta = args.number('delta', 1, { above: 0 });
    args.done();
  }

  protected readonly formula: Elementwise = (t, p) => {
    const e = sub(t, p);
    const distance = abs(e);
    const far = mul(sub(distance, 0.5 * this.#delta), this.#delta);
    return select(lessEqual(distance, this.#delta), mul(square(e), 0.5), far);
  };
}

/** sum(target * log(target / prediction)) over the last axis, both kept in [1e-7, 1]. */
export class KLDivergence extends Loss {
  readonly className = 'KLDivergence';

  constructor(options?: LossOptions) {
    super('kullbackLeiblerDivergence', options);
    this.args.done();
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const [t, p] = this.pair(yTrue, yPred).map((x) => clip(x, EPSILON, 1)) as [Tensor, Tensor];
    return sum(mul(t, log(div(t, p))), { axes: -1 });
  }
}

/** -sum(target * prediction) over the last axis, both scaled to norm 1: -1 for equal directions. */
export class CosineSimilarity extends Loss {
  readonly className = 'CosineSimilarity';

  constructor(options?: LossOptions) {
    super('cosineSimilarity', options);
    const args = this.reader<LossOptions & { axis?: number }>();
    if (args.number('axis', -1) !== -1) throw args.refuse('axis', '-1', args.raw('axis'));
    args.note('axis', undefined);
    args.done();
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const [t, p] = this.pair(yTrue, yPred).map(unitLength) as [Tensor, Tensor];
    return neg(sum(mul(t, p), { axes: -1 }));
  }
}

/** x divided by its norm over the last axis, or by 1e-7 where the norm is less. */
export function unitLength(x: Tensor): Tensor {
  return div(x, sqrt(maximum(sum(square(x), { axes: -1, keepDims: true }), 1e-12)));
}

lossRegistry.register('MeanSquaredError', (c) => new MeanSquaredError(c), 'mse');
lossRegistry.register('MeanAbsoluteError', (c) => new MeanAbsoluteError(c), 'mae');
lossRegistry.register('MeanAbsolutePercentageError', (c) => new MeanAbsolutePercentageError(c), 'mape');
lossRegistry.register('MeanSquaredLogarithmicError', (c) => new MeanSquaredLogarithmicError(c), 'msle');
lossRegistry.register('LogCosh', (c) => new LogCosh(c));
lossRegistry.register('Poisson', (c) => new Poisson(c));
lossRegistry.register('Hinge', (c) => new Hinge(c));
lossRegistry.register('SquaredHinge', (c) => new SquaredHinge(c));
lossRegistry.register('Huber', (c) => new Huber(c));
lossRegistry.register('KLDivergence', (c) => new KLDivergence(c), 'kullbackLeiblerDivergence', 'kld');
lossRegistry.register('CosineSimilarity', (c) => new CosineSimilarity(c));
