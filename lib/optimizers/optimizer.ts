import { FoveaError, mismatch } from '../errors.js';
import { compile, type CompiledFunction } from '../graph/compile.js';
import { evaluateValues } from '../graph/evaluate.js';
import { currentTrace } from '../graph/trace.js';
import { add, greater, mul, select, sub } from '../ops/binary.js';
import { cast } from '../ops/unary.js';
import { get as getSchedule, inverseTimeDecay, LearningRateSchedule } from '../schedules/index.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { checkNumber, format, OptionReader, serialize, type Config, type Configurable } from '../util/options.js';
import { clipGradients, type Clipping } from './clipping.js';
import { HostClock, type StepClock, type StepNumbers } from './clock.js';
import { DeviceClock } from './device-clock.js';
import { Slots, type HostArray } from './slots.js';

/** What all optimizers take, with Keras's names and defaults. */
export interface OptimizerOptions {
  /** A number, a schedule, or a schedule's configuration. */
  learningRate?: number | LearningRateSchedule | Config;
  /** Appears in the names of slots; the class's name in lower case by default. */
  name?: string;
  /** Decoupled weight decay (Loshchilov and Hutter 2017): w -= learningRate * weightDecay * w before each update. */
  weightDecay?: number | undefined;
  /** Largest norm of each variable's gradient. */
  clipnorm?: number | undefined;
  /** Largest norm of all gradients together. */
  globalClipnorm?: number | undefined;
  /** Largest magnitude of each element of a gradient. */
  clipvalue?: number | undefined;
  /** Keeps an exponential moving average of the variables (Polyak averaging). */
  useEma?: boolean;
  emaMomentum?: number;
  /** Every how many steps variables are overwritten by their averages; never when left out. */
  emaOverwriteFrequency?: number | undefined;
  /** Of older Keras versions: the learning rate becomes learningRate / (1 + decay * step). */
  decay?: number;
}

/** Gradients with their variables; those without a gradient are left out. */
export type GradientPairs = Iterable<readonly [Variable, Tensor | null | undefined]>;

/** The host's side of one update. */
export interface Step {
  /** 1 for the first update. */
  readonly t: number;
  readonly learningRate: number;
}

/** What the update rule of one variable is given. */
export interface RuleInput<S extends string, H extends string> {
  /** The variable's value. */
  readonly w: Tensor;
  /** Its gradient. */
  readonly g: Tensor;
  /** Its slots; only those that `initialSlots` names are there. */
  readonly slots: Readonly<Record<S, Tensor>>;
  /** The numbers of `host`, as scalars. */
  readonly host: Readonly<Record<H, Tensor>>;
}

/** The new value of a variable and of its slots. */
export interface RuleOutput<S extends string> {
  readonly w: Tensor;
  readonly slots?: Readonly<Partial<Record<S, Tensor>>>;
}

/** Everything an optimizer needs to go on where it stood. */
export interface OptimizerState {
  /** Updates made so far. */
  readonly iterations: number;
  /** The learning rate when it is a number; a schedule follows from `iterations`. */
  readonly learningRate: number | null;
  readonly slots: Readonly<Record<string, HostArray>>;
}

/** Compiled updates kept for eager use, one a list of variables. */
const MAX_COMPILED = 4;

/**
 * Updates variables by their gradients. Subclasses state the slots they keep for a variable, the numbers that depend
 * on the step (computed on the host in float64, so that a change of the learning rate traces nothing anew), and the
 * update rule in plain arithmetic, which the graph's passes fuse into one kernel a variable.
 *
 * `apply` works inside a traced function and outside one.
 *
 * @typeParam S - names of the slots
 * @typeParam H - names of the numbers that depend on the step
 */
export abstract class Optimizer<S extends string = string, H extends string = string> implements Configurable {
  abstract readonly className: string;
  readonly name: string;
  protected readonly args: OptionReader<OptimizerOptions>;
  readonly #clipping: Clipping;
  readonly #weightDecay: number;
  readonly #emaMomentum: number | undefined;
  readonly #emaOverwriteFrequency: number | undefined;
  readonly #slots: Slots;
  readonly #withoutDecay: (string | RegExp | Variable)[] = [];
  readonly #compiled: { variables: readonly Variable[]; run: CompiledFunction<[Tensor[]], Tensor[]> }[] = [];
  #clock: StepClock = new HostClock();
  #learningRate: number | LearningRateSchedule;

  constructor(name: string, options: OptimizerOptions, defaults: { learningRate: number; weightDecay?: number }) {
    const args = new OptionReader(name, options);
    this.args = args;
    this.name = args.string('name', name);
    this.#learningRate = readLearningRate(args, defaults.learningRate);
    this.#weightDecay =
      (defaults.weightDecay === undefined
        ? args.optionalNumber('weightDecay', { min: 0 })
        : args.number('weightDecay', defaults.weightDecay, { min: 0 })) ?? 0;
    this.#clipping = readClipping(args);
    const useEma = args.boolean('useEma', false);
    const momentum = args.number('emaMomentum', 0.99, { min: 0, max: 1 });
    this.#emaMomentum = useEma ? momentum : undefined;
    this.#emaOverwriteFrequency = args.optionalNumber('emaOverwriteFrequency', { min: 1, integer: true });
    args.ignore('jitCompile', 'isLegacyOptimizer');
    this.#slots = new Slots(this.name);
  }

  /** The reader of options, which a subclass reads its own from and then asks whether all were known. */
  protected reader<O extends OptimizerOptions>(): OptionReader<O> {
    return this.args;
  }

  /** The value each slot of a variable starts with. */
  protected abstract initialSlots(): Readonly<Partial<Record<S, number>>>;
  /** The numbers of a step that the rule needs. */
  protected abstract host(step: Step): Readonly<Record<H, number>>;
  /** The update of one variable. */
  protected abstract rule(input: RuleInput<S, H>): RuleOutput<S>;

  /** The learning rate of the next update. */
  get learningRate(): number {
    return typeof this.#learningRate === 'number' ? this.#learningRate : this.#rateAt(this.iterations);
  }

  /** Sets a number (finite, at least 0) or a schedule; takes effect with the next update, also of traced functions. */
  set learningRate(value: number | LearningRateSchedule) {
    this.#learningRate =
      value instanceof LearningRateSchedule ? value : checkNumber(this.name, 'learningRate', value, { min: 0 });
  }

  /** The schedule of the learning rate, if it has one. */
  get schedule(): LearningRateSchedule | undefined {
    return typeof this.#learningRate === 'number' ? undefined : this.#learningRate;
  }

  /** Updates made so far. */
  get iterations(): number {
    return this.#clock.iterations;
  }

  /** What it keeps on the device: the slots, in the order they were made, and the count of updates if it is there. */
  get variables(): Variable[] {
    return [...this.#clock.variables, ...this.#slots.variables];
  }

  /** The loss to differentiate; loss scaling makes it another than the one that is reported. */
  scaleLoss(loss: Tensor): Tensor {
    return loss;
  }

  /** @internal Counts updates on the device from now on, because the host no longer knows which are made. */
  countOnDevice(): void {
    if (this.#clock instanceof DeviceClock) return;
    this.#clock = new DeviceClock(this.name, this.#clock.iterations);
    for (const { run } of this.#compiled.splice(0)) run.dispose(); // They count on the host.
  }

  /** Makes the slots of variables before their first update. */
  build(variables: Iterable<Variable>): void {
    for (const variable of variables) this.#slots.ensure(variable, this.#slotValues());
  }

  /** A slot of a variable (`momentum`, `average`), if it has been made. */
  slot(variable: Variable, name: S | 'average'): Variable | undefined {
    return this.#slots.find(variable, name);
  }

  /**
   * Leaves variables out of weight decay: by themselves, by a part of their name or by a pattern. Call it before the
   * first update.
   */
  excludeFromWeightDecay(...which: (string | RegExp | Variable)[]): this {
    this.#withoutDecay.push(...which);
    return this;
  }

  /**
   * Makes one update.
   *
   * @param grads - gradients by variable, as `valueAndGrad` returns them; variables that are not trainable are updated
   *   too when they are given
   * @throws FoveaError when there is no gradient at all, or one does not fit its variable
   */
  apply(grads: GradientPairs): void {
    const pairs = this.#check(grads);
    if (currentTrace()) this.record(pairs);
    else this.#applyEagerly(pairs);
  }

  /**
   * @internal Records one update of all variables in the open trace.
   *
   * @param made - a scalar of bool that says at each run whether the update is made; unless it is, variables, slots and
   *   the count of updates stay as they are
   */
  record(pairs: readonly (readonly [Variable, Tensor])[], made?: Tensor): void {
    this.#update(pairs, (variable, value) => variable.assign(made ? select(made, value, variable.value) : value));
    this.#clock.advance(made);
  }

  /** Overwrites variables by their moving averages (`useEma`), as Keras does at the end of `fit`. */
  finalizeVariables(variables: Iterable<Variable>): void {
    for (const variable of variables) {
      const average = this.#slots.find(variable, 'average');
      if (average) variable.assign(average.value);
    }
  }

  /** What a checkpoint holds, as it is after everything asked for so far. */
  async state(): Promise<OptimizerState> {
    const learningRate = typeof this.#learningRate === 'number' ? this.#learningRate : null;
    const [iterations, slots] = await Promise.all([this.#clock.read(), this.#slots.read()]);
    return { iterations, learningRate, slots };
  }

  /** Goes on where `state` was taken; slots of variables not seen yet get their values when they are made. */
  restore(state: OptimizerState): void {
    const iterations = checkNumber(this.name, 'iterations', state.iterations, { min: 0, integer: true });
    const { learningRate } = state;
    if (learningRate !== null) checkNumber(this.name, 'learningRate', learningRate, { min: 0 });
    this.#slots.restore(state.slots);
    this.#clock.set(iterations);
    if (learningRate !== null) this.#learningRate = learningRate;
  }

  getConfig(): Config {
    const rate = this.#learningRate;
    return { ...this.args.config, learningRate: typeof rate === 'number' ? rate : serialize(rate) };
  }

  #rateAt(iterations: number): number {
    return typeof this.#learningRate === 'number' ? this.#learningRate : this.#learningRate.at(iterations);
  }

  #check(grads: GradientPairs): [Variable, Tensor][] {
    const pairs: [Variable, Tensor][] = [];
    const seen = new Set<Variable>();
    for (const [variable, gradient] of grads) {
      if (gradient === null || gradient === undefined) continue;
      const where = { op: this.name, layer: variable.name };
      if (!(gradient instanceof Tensor))
        throw mismatch('ERR_ARGUMENT', where, 'a tensor as gradient', format(gradient));
      if (!isFloat(variable.dtype)) throw mismatch('ERR_DTYPE', where, 'a variable of dtype float32', variable.dtype);
      if (!sameShape(gradient.shape, variable.shape)) {
        const expected = `a gradient of shape ${formatShape(variable.shape)}`;
        throw mismatch('ERR_SHAPE', where, expected, formatShape(gradient.shape));
      }
      if (gradient.dtype !== variable.dtype) {
        throw mismatch('ERR_DTYPE', where, `a gradient of dtype ${variable.dtype}`, gradient.dtype);
      }
      if (seen.has(variable)) throw mismatch('ERR_ARGUMENT', where, 'one gradient a variable', 'two');
      seen.add(variable);
      pairs.push([variable, gradient]);
    }
    if (pairs.length === 0) {
      throw new FoveaError(
        `${this.name}: expected at least one gradient, received none; does the loss depend on trainable variables?`,
        { op: this.name },
      );
    }
    return pairs;
  }

  /** Runs the update as a plan that is traced once for a list of variables. */
  #applyEagerly(pairs: readonly (readonly [Variable, Tensor])[]): void {
    const variables = pairs.map(([v]) => v);
    const gradients = pairs.map(([, g]) => g);
    let found = this.#compiled.find((c) => sameList(c.variables, variables));
    if (!found) {
      const update = (list: Tensor[]): Tensor[] => {
        this.apply(list.map((g, i) => [variables[i]!, g] as const));
        return [];
      };
      found = { variables, run: compile(update, { name: this.name }) };
      this.#compiled.push(found);
      if (this.#compiled.length > MAX_COMPILED) this.#compiled.shift()!.run.dispose();
    }
    evaluateValues(gradients.map((g) => g.value(this.name))); // together: they share most of their work
    found.run(gradients);
  }

  /** Computes the update of all variables, and hands each variable and slot with its new value to `assign`. */
  #update(pairs: readonly (readonly [Variable, Tensor])[], assign: (variable: Variable, value: Tensor) => void): void {
    const decayed = pairs.map(([v]) => this.#weightDecay > 0 && !this.#isExcluded(v));
    const hostFor = this.#hostScalars(decayed.includes(true), pairs[0]![0].device);
    const clipped = clipGradients(
      pairs.map(([, g]) => g),
      this.#clipping,
    );
    pairs.forEach(([variable], i) => {
      const host = hostFor(variable.dtype);
      const slots = this.#slots.ensure(variable, this.#slotValues());
      const values = Object.fromEntries([...slots].map(([slot, v]) => [slot, v.value])) as Record<S, Tensor>;
      let w = variable.value;
      if (decayed[i]) w = sub(w, mul(w, host.weightDecay!));
      const result = this.rule({ w, g: clipped[i]!, slots: values, host: host });
      for (const [slot, value] of Object.entries(result.slots ?? {})) assign(slots.get(slot)!, value as Tensor);
      const average = slots.get('average');
      if (!average) return assign(variable, result.w);
      const moved = this.#moved(result.w, average.value, host);
      assign(average, moved);
      assign(variable, this.#overwrites ? select(greater(host.emaOverwrite!, 0), moved, result.w) : result.w);
    });
  }

  /** The step's numbers as scalars of a dtype, each made once. */
  #hostScalars(decay: boolean, device: string): (dtype: DType) => Readonly<Record<string, Tensor>> {
    const numbers: StepNumbers = (iterations) => {
      const learningRate = this.#rateAt(iterations);
      const own: Record<string, number> = this.host({ t: iterations + 1, learningRate });
      if (decay) own.weightDecay = learningRate * this.#weightDecay;
      if (this.#emaMomentum !== undefined) own.emaMomentum = iterations === 0 ? 0 : this.#emaMomentum;
      if (this.#overwrites) own.emaOverwrite = (iterations + 1) % this.#emaOverwriteFrequency! === 0 ? 1 : 0;
      return own;
    };
    const scalars = Object.entries(this.#clock.scalars(numbers, device));
    const byType = new Map<DType, Record<string, Tensor>>();
    return (dtype) => {
      let made = byType.get(dtype);
      if (!made) {
        made = Object.fromEntries(scalars.map(([name, s]) => [name, cast(s, dtype)]));
        byType.set(dtype, made);
      }
      return made;
    };
  }

  get #overwrites(): boolean {
    return this.#emaMomentum !== undefined && this.#emaOverwriteFrequency !== undefined;
  }

  /** The average moved towards the new value. */
  #moved(w: Tensor, average: Tensor, host: Readonly<Record<string, Tensor>>): Tensor {
    const momentum = host.emaMomentum!;
    return add(mul(average, momentum), mul(w, sub(1, momentum)));
  }

  #slotValues(): Record<string, number> {
    const own = this.initialSlots() as Record<string, number>;
    return this.#emaMomentum === undefined ? own : { ...own, average: 0 };
  }

  #isExcluded(variable: Variable): boolean {
    return this.#withoutDecay.some((w) =>
      w instanceof RegExp ? w.test(variable.name) : typeof w === 'string' ? variable.name.includes(w) : w === variable,
    );
  }
}

function sameList(a: readonly Variable[], b: readonly Variable[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}

function readLearningRate(args: OptionReader<OptimizerOptions>, fallback: number): number | LearningRateSchedule {
  const given = args.raw('learningRate') ?? fallback;
  const decay = args.number('decay', 0, { min: 0 });
  args.note('decay', undefined);
  args.note('learningRate', undefined); // getConfig tells the current one
  if (typeof given === 'object') {
    if (decay > 0) throw args.refuse('decay', 'left out when learningRate is a schedule', decay);
    return getSchedule(given as LearningRateSchedule | Config);
  }
  const rate = checkNumber(args.owner, 'learningRate', given, { min: 0 });
  return decay > 0 ? inverseTimeDecay({ initialLearningRate: rate, decaySteps: 1, decayRate: decay }) : rate;
}

function readClipping(args: OptionReader<OptimizerOptions>): Clipping {
  const clipping = {
    clipnorm: args.optionalNumber('clipnorm', { above: 0 }),
    globalClipnorm: args.optionalNumber('globalClipnorm', { above: 0 }),
    clipvalue: args.optionalNumber('clipvalue', { above: 0 }),
  };
  const given = Object.entries(clipping).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(' and ');
    throw mismatch('ERR_ARGUMENT', { op: args.owner }, 'one of clipnorm, globalClipnorm and clipvalue', names);
  }
  return clipping;
}
