import { mismatch } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { format, type Config } from '../util/options.js';
import { Loss, type LossOptions } from './loss.js';

/** A loss written by hand: a value a sample, or values that are averaged. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** A function as a loss, with reduction and sample weights. */
export class CustomLoss extends Loss {
  readonly className = 'CustomLoss';
  readonly #fn: LossFunction;

  constructor(fn: LossFunction, options: LossOptions = {}) {
    super(options.name ?? (fn.name || 'loss'), options);
    this.args.done();
    this.#fn = fn;
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const values = this.#fn(yTrue, yPred);
    if (!(values instanceof Tensor)) {
      throw mismatch('ERR_ARGUMENT', { op: this.name }, 'the function to return a tensor', format(values));
    }
    return values;
  }

  override getConfig(): Config {
    throw mismatch('ERR_UNSUPPORTED', { op: this.name }, 'a loss with a name, to save it', 'a function');
  }
}
