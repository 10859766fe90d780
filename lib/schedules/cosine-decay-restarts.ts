import { OptionSchedule, scheduleRegistry } from './schedule.js';

export interface CosineDecayRestartsOptions {
  initialLearningRate: number;
  /** Length of the first period. */
  firstDecaySteps: number;
  /** How much longer each period is than the one before. */
  tMul?: number;
  /** The start of each period, as a part of the start of the one before. */
  mMul?: number;
  /** The rate at the end of a period, as a part of the initial rate. */
  alpha?: number;
}

/** Half cosines one after the other (Loshchilov and Hutter 2016, "SGDR: stochastic gradient descent with warm restarts"). */
export class CosineDecayRestarts extends OptionSchedule<CosineDecayRestartsOptions> {
  readonly className = 'CosineDecayRestarts';
  readonly #initial: number;
  readonly #first: number;
  readonly #tMul: number;
  readonly #mMul: number;
  readonly #alpha: number;

  constructor(options: CosineDecayRestartsOptions) {
    super('cosineDecayRestarts', options);
    this.#initial = this.args.requiredNumber('initialLearningRate', { min: 0 });
    this.#first = this.args.requiredNumber('firstDecaySteps', { above: 0 });
    this.#tMul = this.args.number('tMul', 2, { min: 1 });
    this.#mMul = this.args.number('mMul', 1, { min: 0 });
    this.#alpha = this.args.number('alpha', 0, { min: 0 });
    this.args.done();
  }

  protected rate(step: number): number {
    const { period, p } = this.#locate(step / this.#first);
    const cosine = 0.5 * this.#mMul ** period * (1 + Math.cos(Math.PI * p));
    return this.#initial * ((1 - this.#alpha) * cosine + this.#alpha);
  }

  /** The period a step (in units of the first period) is in, and which part of it has passed. */
  #locate(t: number): { period: number; p: number } {
    const r = this.#tMul;
    if (r === 1) return { period: Math.floor(t), p: t - Math.floor(t) };
    const startOf = (n: number): number => (1 - r ** n) / (1 - r);
    // The logarithm may round across a border of periods: both sides of it are looked at.
    let period = Math.max(0, Math.floor(Math.log(1 - t * (1 - r)) / Math.log(r)));
    if (t >= startOf(period + 1)) period++;
    else if (period > 0 && t < startOf(period)) period--;
    return { period, p: (t - startOf(period)) / r ** period };
  }
}

scheduleRegistry.register('CosineDecayRestarts', (c) => new CosineDecayRestarts(c as never));
