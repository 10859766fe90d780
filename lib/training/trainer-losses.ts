import { FoveaError } from '../errors.js';
import { get as getLoss, SparseCategoricalCrossentropy, type Loss } from '../losses/index.js';
import { Mean } from '../metrics/index.js';
import { add, mul } from '../ops/binary.js';
import { cast } from '../ops/unary.js';
import { isFloat } from '../tensor/dtype.js';
import { formatShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { forOutput, type Output } from './trainer-outputs.js';
import { perOutput } from './trainer-trees.js';
import type { CompileModelOptions, LossSpec, PerOutput } from './trainer-types.js';

/** Which output of a model. */
type OutputPlace = Pick<Output, 'index' | 'name'>;

/** The losses of a model's outputs, their sum, and the running means of both. */
export class LossSet {
  readonly #spec: CompileModelOptions['loss'];
  readonly #weights: PerOutput<number> | undefined;
  readonly #losses: (Loss | null)[] = [];
  readonly #total = new Mean({ name: 'loss' });
  readonly #parts = new Map<string, Mean>();

  constructor({ loss, lossWeights }: CompileModelOptions) {
    this.#spec = loss;
    this.#weights = lossWeights;
    // A wrong name is told at `compile`, not at the first batch.
    for (const spec of specsOf(loss)) if (spec !== null) getLoss(spec);
  }

  /**
   * The loss of a batch, a scalar: the weighted sum over the outputs, plus the penalties of the weights.
   *
   * @param extra - the penalties
   */
  compute(op: string, outputs: readonly Output[], extra: readonly Tensor[]): { total: Tensor; parts: Tensor[] } {
    let total: Tensor | undefined;
    const parts: Tensor[] = [];
    const several = outputs.length > 1;
    for (const output of outputs) {
      const loss = this.#lossOf(output, outputs.length);
      if (!loss) continue;
      const { yTrue, yPred, sampleWeight } = output;
      if (!yTrue) throw new FoveaError(`${op}: expected targets for output "${output.name}", received none`, { op });
      const value = forOutput(output, several, () =>
        checkScalar(loss, loss.apply(targetsFor(loss, yTrue), yPred, sampleWeight)),
      );
      parts.push(value);
      const factor = perOutput(this.#weights, output.index, output.name);
      const weighted = factor === undefined ? value : mul(value, factor);
      total = total ? add(total, weighted) : weighted;
    }
    for (const penalty of extra) total = total ? add(total, penalty) : penalty;
    if (!total) {
      throw new FoveaError(`${op}: expected a loss for at least one output, received none; see compile`, { op });
    }
    return { total, parts };
  }

  /** Takes a batch's losses into the running means. */
  update(
    { total, parts }: { total: Tensor; parts: readonly Tensor[] },
    outputs: readonly Output[],
    batch: number,
  ): void {
    this.#total.updateState(total, batch);
    if (outputs.length < 2) return;
    const having = outputs.filter((output) => this.#losses[output.index]);
    having.forEach((output, i) => {
      const name = `${output.name}_loss`;
      let mean = this.#parts.get(name);
      if (!mean) this.#parts.set(name, (mean = new Mean({ name })));
      mean.updateState(parts[i]!, batch);
    });
  }

  get named(): readonly (readonly [name: string, mean: Mean])[] {
    return [['loss', this.#total], ...this.#parts];
  }

  /** Whether an output's targets are numbers of classes. */
  takesClassNumbers(output: OutputPlace, count: number): boolean {
    return this.#resolve(output, count) instanceof SparseCategoricalCrossentropy;
  }

  #lossOf(output: Output, count: number): Loss | null {
    const { index, name } = output;
    if (this.#losses[index] === undefined) this.#losses[index] = this.#resolve(output, count);
    const made = this.#losses[index];
    if (made === undefined)
      throw new FoveaError(`compile: expected a loss for output "${name}", received none`, { op: 'compile' });
    return made;
  }

  #resolve({ index, name }: OutputPlace, count: number): Loss | null {
    const spec = this.#spec;
    if (spec === undefined || spec === null) return null;
    if (isOne(spec)) return getLoss(spec);
    if (Array.isArray(spec) && spec.length !== count) {
      throw new FoveaError(`compile: expected a loss for each of ${count} outputs, received ${spec.length}`, {
        op: 'compile',
      });
    }
    const own = perOutput<LossSpec>(spec as PerOutput<LossSpec>, index, name);
    return own === undefined || own === null ? null : getLoss(own);
  }
}

/** Whether a loss was given for all outputs, not one for each. */
function isOne(spec: NonNullable<CompileModelOptions['loss']>): spec is NonNullable<LossSpec> {
  if (typeof spec !== 'object') return true;
  return !Array.isArray(spec) && ('apply' in spec || 'className' in spec || 'class_name' in spec);
}

function specsOf(spec: CompileModelOptions['loss']): LossSpec[] {
  if (spec === undefined || spec === null) return [];
  return isOne(spec) ? [spec] : Object.values(spec);
}

/** Class numbers may come as floats, as in Keras: nested numbers do, and so do many readers of files. */
function targetsFor(loss: Loss, yTrue: Tensor): Tensor {
  return loss instanceof SparseCategoricalCrossentropy && isFloat(yTrue.dtype) ? cast(yTrue, 'int32') : yTrue;
}

function checkScalar(loss: Loss, value: Tensor): Tensor {
  if (value.rank === 0) return value;
  throw new FoveaError(
    `${loss.name}: expected a loss that is one number, received ${formatShape(value.shape)} (reduction ${loss.reduction})`,
    {
      code: 'ERR_SHAPE',
      op: loss.name,
    },
  );
}
