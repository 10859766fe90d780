import { FoveaError, mismatch } from '../errors.js';
import { add, and, div, equal, mul, select } from '../ops/binary.js';
import { cast, clip, not } from '../ops/unary.js';
import type { LearningRateSchedule } from '../schedules/index.js';
import { tensor } from '../tensor/create.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { OptionReader, serialize, type Config } from '../util/options.js';
import { allFinite } from './finite.js';
import { Optimizer, type OptimizerOptions, type OptimizerState } from './optimizer.js';
import { optimizerRegistry } from './registry.js';
import type { HostArray } from './slots.js';

/** Keras's names and defaults. */
export interface LossScaleOptions {
  /** The factor to begin with: rather too large, since that is corrected far faster than a factor too small. 2^15. */
  initialScale?: number;
  /** After how many updates in a row the factor is doubled. 2000. */
  dynamicGrowthSteps?: number;
  name?: string;
}

/** Between these the factor stays a power of two that has an inverse, whatever happens. */
const SMALLEST = 2 ** -126;
const LARGEST = 2 ** 126;

/** What the inner optimizer is told, not this one. */
const OF_INNER = [
  ...['learningRate', 'weightDecay', 'clipnorm', 'globalClipnorm', 'clipvalue', 'useEma', 'emaMomentum'],
  ...['emaOverwriteFrequency', 'lossScaleFactor', 'gradientAccumulationSteps'],
] as const;

/** The variables of loss scaling. */
interface ScaleState {
  /** Updates since the factor last changed. */
  readonly stepCounter: Variable;
  readonly dynamicScale: Variable;
}

/**
 * Scales the loss for float16, whose smallest numbers are so large that gradients would vanish (Micikevicius et al.
 * 2018, "Mixed precision training"): the loss is multiplied by a factor, the gradients are divided by it before the
 * inner optimizer sees them. When a gradient is not finite, the step is skipped: variables and slots keep their bits,
 * `iterations` does not advance, and the factor is halved. After `dynamicGrowthSteps` updates in a row it is doubled.
 *
 * All of this happens on the device: a step waits for nobody. That is why the inner optimizer's count of updates moves
 * there (`DeviceClock`), with what depends on it: learning rates of schedules and bias corrections are those of the
 * updates that were made, exactly as without loss scaling. Reading `iterations`, or `learningRate` with a schedule,
 * waits for the device.
 *
 * `Model.compile` wraps the optimizer of a model of policy `mixed_float16` by itself. In a training loop of one's own,
 * `scaleLoss` comes before the differentiation and `apply` after it.
 *
 * @example
 * const optimizer = optimizers.lossScale(optimizers.adam());
 * const { grads } = valueAndGrad(() => optimizer.scaleLoss(loss(y, model.apply(x))));
 * optimizer.apply(grads);
 */
export class LossScaleOptimizer extends Optimizer<never, never> {
  readonly className = 'LossScaleOptimizer';
  readonly innerOptimizer: Optimizer;
  readonly initialScale: number;
  readonly dynamicGrowthSteps: number;
  #state: ScaleState | undefined;
  /** Values that `restore` was given before there were variables. */
  #restored: { readonly scale: number; readonly steps: number };

  /**
   * @param inner - the optimizer to wrap, which from now on counts its updates on the device
   * @throws FoveaError ERR_ARGUMENT for options that are none, and for those that belong to the inner optimizer
   */
  constructor(inner: Optimizer, options: LossScaleOptions = {}) {
    const args = new OptionReader<LossScaleOptions & Record<string, unknown>>('lossScale', options as never);
    const own = {
      name: args.string('name', 'loss_scale_optimizer'),
      scale: args.number('initialScale', 2 ** 15, { min: SMALLEST, max: LARGEST }),
      steps: args.number('dynamicGrowthSteps', 2000, { min: 1, max: 2 ** 31 - 1, integer: true }),
    };
    for (const name of OF_INNER) {
      if (args.raw(name) === undefined) continue;
      throw new FoveaError(`lossScale: expected ${name} on the inner optimizer, received it here`, {
        code: 'ERR_ARGUMENT',
        op: 'lossScale',
        received: name,
      });
    }
    args.done();
    if (!(inner instanceof Optimizer) || inner instanceof LossScaleOptimizer) {
      const received = inner instanceof LossScaleOptimizer ? 'one that scales the loss itself' : typeof inner;
      throw mismatch('ERR_ARGUMENT', { op: 'lossScale' }, 'an optimizer to wrap', received);
    }
    super(own.name, { name: own.name } satisfies OptimizerOptions, { learningRate: 0 });
    this.innerOptimizer = inner;
    this.initialScale = own.scale;
    this.dynamicGrowthSteps = own.steps;
    this.#restored = { scale: own.scale, steps: 0 };
    inner.countOnDevice();
  }

  /** The factor of the next step; may wait for the device. */
  get dynamicScale(): number {
    return this.#state ? this.#state.dynamicScale.dataSync()[0]! : this.#restored.scale;
  }

  /** The loss times the factor: what is to be differentiated. */
  override scaleLoss(loss: Tensor): Tensor {
    return mul(loss, cast(this.#scaleOn(loss.device).dynamicScale.value, loss.dtype));
  }

  override get learningRate(): number {
    return this.innerOptimizer.learningRate;
  }

  override set learningRate(value: number | LearningRateSchedule) {
    this.innerOptimizer.learningRate = value;
  }

  override get schedule(): LearningRateSchedule | undefined {
    return this.innerOptimizer.schedule;
  }

  override get iterations(): number {
    return this.innerOptimizer.iterations;
  }

  override get variables(): Variable[] {
    const own = this.#state ? [this.#state.stepCounter, this.#state.dynamicScale] : [];
    return [...own, ...this.innerOptimizer.variables];
  }

  override build(variables: Iterable<Variable>): void {
    const list = [...variables];
    this.innerOptimizer.build(list);
    if (list.length > 0) this.#scaleOn(list[0]!.device);
  }

  override slot(variable: Variable, name: string): Variable | undefined {
    return this.innerOptimizer.slot(variable, name);
  }

  override excludeFromWeightDecay(...which: (string | RegExp | Variable)[]): this {
    this.innerOptimizer.excludeFromWeightDecay(...which);
    return this;
  }

  override finalizeVariables(variables: Iterable<Variable>): void {
    this.innerOptimizer.finalizeVariables(variables);
  }

  override record(pairs: readonly (readonly [Variable, Tensor])[]): void {
    const { stepCounter, dynamicScale } = this.#scaleOn(pairs[0]![0].device);
    const finite = allFinite(pairs.map(([, gradient]) => gradient));
    const scale = dynamicScale.value;
    this.innerOptimizer.record(
      pairs.map(([variable, gradient]) => [variable, unscaled(gradient, scale)] as const),
      finite,
    );
    const full = equal(stepCounter.value, this.dynamicGrowthSteps - 1);
    const grown = clip(select(full, mul(scale, 2), scale), SMALLEST, LARGEST);
    dynamicScale.assign(select(finite, grown, clip(mul(scale, 0.5), SMALLEST, LARGEST)));
    stepCounter.assign(select(and(finite, not(full)), add(stepCounter.value, 1), 0));
  }

  override async state(): Promise<OptimizerState> {
    const [inner, own] = await Promise.all([this.innerOptimizer.state(), this.#read()]);
    return { ...inner, slots: { ...inner.slots, ...own } };
  }

  override restore(state: OptimizerState): void {
    const fresh = Object.keys(state.slots).length === 0;
    const { [this.#names.steps]: steps, [this.#names.scale]: scale, ...slots } = state.slots;
    const own = fresh
      ? { scale: this.initialScale, steps: 0 }
      : { scale: this.#number(this.#names.scale, scale), steps: this.#number(this.#names.steps, steps) };
    this.innerOptimizer.restore({ ...state, slots });
    this.#restored = own;
    if (!this.#state) return;
    assignNumber(this.#state.stepCounter, own.steps);
    assignNumber(this.#state.dynamicScale, own.scale);
  }

  override getConfig(): Config {
    const { name, initialScale, dynamicGrowthSteps } = this;
    return { name, innerOptimizer: serialize(this.innerOptimizer), initialScale, dynamicGrowthSteps };
  }

  /** Never asked for: the inner optimizer's are. */
  protected initialSlots(): Record<string, never> {
    return {};
  }

  protected host(): Record<string, never> {
    return {};
  }

  protected rule({ w }: { w: Tensor }): { w: Tensor } {
    return { w };
  }

  get #names(): { steps: string; scale: string } {
    return { steps: `${this.name}/step_counter`, scale: `${this.name}/dynamic_scale` };
  }

  /** The variables, made at the first call. */
  #scaleOn(device: string): ScaleState {
    if (this.#state) return this.#state;
    const make = (name: string, value: number, dtype: DType): Variable => {
      using initial = tensor([value], [], { dtype, device });
      return new Variable(initial, { name, trainable: false, autocast: false });
    };
    const { steps, scale } = this.#restored;
    return (this.#state = {
      stepCounter: make(this.#names.steps, steps, 'int32'),
      dynamicScale: make(this.#names.scale, scale, 'float32'),
    });
  }

  async #read(): Promise<Record<string, HostArray>> {
    const { steps, scale } = this.#restored;
    const [stepData, scaleData] = this.#state
      ? await Promise.all([this.#state.stepCounter.data(), this.#state.dynamicScale.data()])
      : [Int32Array.of(steps), Float32Array.of(scale)];
    return {
      [this.#names.steps]: { shape: [], dtype: 'int32', data: stepData },
      [this.#names.scale]: { shape: [], dtype: 'float32', data: scaleData },
    };
  }

  /** A number of a state, or an error that says it is missing. */
  #number(name: string, value: HostArray | undefined): number {
    const number = value?.data.length === 1 ? value.data[0]! : NaN;
    if (number >= 0 && number <= LARGEST) return number;
    const received = value === undefined ? 'none' : `${value.dtype} ${Array.from(value.data).join(', ')}`;
    throw new FoveaError(`${this.name}: expected the state to hold the number ${name}, received ${received}`, {
      code: 'ERR_DATA',
      op: this.name,
      expected: name,
    });
  }
}

/** The gradient of the loss itself; in float32, since what float16 cannot hold is what it was scaled for. */
function unscaled(gradient: Tensor, scale: Tensor): Tensor {
  const wide = gradient.dtype === 'float64' ? 'float64' : 'float32';
  return cast(div(cast(gradient, wide), cast(scale, wide)), gradient.dtype);
}

function assignNumber(variable: Variable, number: number): void {
  using value = tensor([number], [], { dtype: variable.dtype, device: variable.device });
  variable.assign(value);
}

optimizerRegistry.register('LossScaleOptimizer', (config) => {
  const { innerOptimizer, inner_optimizer: keras, dynamic, ...options } = config;
  const inner = innerOptimizer ?? keras;
  if (inner === undefined) return optimizerRegistry.refuse('LossScaleOptimizer', 'needs an innerOptimizer');
  if (dynamic === false) {
    const why = 'with dynamic: false is not there: scale the loss by a factor of your own';
    return optimizerRegistry.refuse('LossScaleOptimizer', why);
  }
  return new LossScaleOptimizer(optimizerRegistry.make(inner), options);
});
