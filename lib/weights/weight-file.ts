import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { FoundTensor, MatchOptions } from './match.js';
import type { NamedArray } from './safetensors.js';

/** Anything with weights: a model or a layer. */
export interface Weighted {
  readonly name: string;
  readonly weights: readonly Variable[];
}

/** What the caller of `loadWeights` wants to settle for himself. */
export type MatchChoice = Pick<MatchOptions, 'by' | 'rename'>;

/** How a file's tensors and a model's weights come together. */
export interface WeightPlan {
  /** The weights by name, in the order in which this file keeps them. */
  readonly targets: ReadonlyMap<string, Variable>;
  /** The file's tensors that are weights, in the file's order of weights. */
  readonly tensors: ReadonlyMap<string, FoundTensor>;
  readonly by: 'name' | 'order';
  readonly rename?: ((name: string) => string) | undefined;
}

/** An open file with weights, of any format. Elements are read when they are asked for. */
export interface WeightFile extends AsyncDisposable {
  readonly path: string;
  /** How the file fits a model: formats name and order weights in ways of their own. */
  plan(model: Weighted, choice: MatchChoice): WeightPlan;
  /** The elements of a tensor of the plan, in a type that variables have. */
  read(name: string): Promise<NamedArray>;
  /** The same as a tensor on a variable's device and in its type, where that needs no copy on the host. */
  load?(name: string, variable: Variable): Promise<Tensor> | undefined;
}

/** Weights under names that no two share: a name that comes again gets a number. */
export function namedWeights(model: Weighted): Map<string, Variable> {
  const named = new Map<string, Variable>();
  for (const variable of model.weights) {
    let name = variable.name;
    for (let i = 1; named.has(name); i++) name = `${variable.name}#${i}`;
    named.set(name, variable);
  }
  return named;
}
