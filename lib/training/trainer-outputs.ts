import { FoveaError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { isList, leavesOf } from './trainer-trees.js';
import type { TensorTree, TrainableModel } from './trainer-types.js';

/** One output of a model for a batch, with what belongs to it. */
export interface Output {
  readonly name: string;
  readonly index: number;
  readonly yPred: Tensor;
  /** Undefined when no targets were given for it. */
  readonly yTrue: Tensor | undefined;
  readonly sampleWeight: Tensor | undefined;
}

/** What `apply` returned, output by output, with the targets and weights of each. */
export function outputsOf(
  op: string,
  model: TrainableModel,
  predictions: TensorTree,
  y: TensorTree | undefined,
  sampleWeight: TensorTree | undefined,
): Output[] {
  const leaves = leavesOf(predictions);
  const names = leaves.map(({ key }, i) =>
    typeof key === 'string' ? key : (model.outputNames?.[i] ?? (leaves.length === 1 ? 'output' : `output_${i + 1}`)),
  );
  checkTargets(op, names, y);
  return leaves.map(({ value }, index) => {
    const name = names[index]!;
    const yTrue = pick(y, index, name, names.length === 1);
    const weight = sampleWeight instanceof Tensor ? sampleWeight : pick(sampleWeight, index, name, false);
    return { name, index, yPred: value, yTrue, sampleWeight: weight };
  });
}

function pick(tree: TensorTree | undefined, index: number, name: string, only: boolean): Tensor | undefined {
  if (tree === undefined) return undefined;
  if (tree instanceof Tensor) return only ? tree : undefined;
  const part = isList(tree) ? tree[index] : (tree as Record<string, TensorTree>)[name];
  return part instanceof Tensor ? part : undefined;
}

function checkTargets(op: string, names: readonly string[], y: TensorTree | undefined): void {
  if (y === undefined) return;
  const fail = (received: string): FoveaError =>
    new FoveaError(`${op}: expected targets for the outputs ${names.join(', ')}, received ${received}`, {
      op,
      expected: names,
    });
  if (y instanceof Tensor) {
    if (names.length > 1) throw fail('one tensor');
  } else if (isList(y)) {
    if (y.length !== names.length) throw fail(`${y.length}`);
  } else {
    const strange = Object.keys(y).find((key) => !names.includes(key));
    if (strange !== undefined) throw fail(`"${strange}"`);
  }
}

/** Runs `fn`; an error names the output when there are several. */
export function forOutput<T>(output: Output, several: boolean, fn: () => T): T {
  if (!several) return fn();
  try {
    return fn();
  } catch (error) {
    if (!(error instanceof FoveaError)) throw error;
    const { code, op, layer, expected, received } = error;
    const message = `output "${output.name}": ${error.message}`;
    throw new FoveaError(message, {
      code,
      expected,
      received,
      cause: error,
      ...(op ? { op } : {}),
      ...(layer ? { layer } : {}),
    });
  }
}
