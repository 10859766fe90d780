import { mismatch } from '../errors.js';
import { cast } from '../ops/unary.js';
import { withAutocast } from '../tensor/autocast.js';
import { isNarrow, type DType } from '../tensor/dtype.js';
import { Tensor } from '../tensor/tensor.js';
import { describe, type Nest } from './nest.js';

/**
 * In which types layers hold and compute, by Keras's names. With `mixed_bfloat16` and `mixed_float16` weights stay
 * float32 and layers compute in bfloat16 or float16; statistics, softmax, losses and metrics stay float32. Gradients in
 * float16 need loss scaling, which `Model.compile` sees to (`optimizers.lossScale`).
 */
export type PolicyName = 'float32' | 'mixed_bfloat16' | 'mixed_float16';

const COMPUTE = {
  float32: 'float32',
  mixed_bfloat16: 'bfloat16',
  mixed_float16: 'float16',
} as const satisfies Record<PolicyName, DType>;

/** The names of all policies. */
export const POLICY_NAMES = Object.keys(COMPUTE) as [PolicyName, ...PolicyName[]];

/** Whether a word names a policy. */
export function isPolicy(name: unknown): name is PolicyName {
  return typeof name === 'string' && Object.hasOwn(COMPUTE, name);
}

const state = { policy: 'float32' as PolicyName };

/** The policy of layers that are made without a `dtype` of their own. */
export function policy(): PolicyName {
  return state.policy;
}

/**
 * Sets the policy of layers made from now on.
 *
 * @example
 * setPolicy('mixed_bfloat16');
 * const model = new Sequential([..., layers.dense({ units: 10, dtype: 'float32' })]);
 *
 * @throws FoveaError ERR_ARGUMENT for an unknown policy
 */
export function setPolicy(name: PolicyName): void {
  state.policy = checkPolicy(name, { op: 'setPolicy' }, 'a policy');
}

/** The name as a policy, or an error at `where`. */
function checkPolicy(name: unknown, where: { op: string; layer?: string }, what: string): PolicyName {
  if (isPolicy(name)) return name;
  const names = POLICY_NAMES.map((n) => `'${n}'`);
  throw mismatch('ERR_ARGUMENT', where, `${what} among ${names.join(', ')}`, describe(name));
}

/** The policy of one layer. */
export class LayerPolicy {
  readonly name: PolicyName;
  /** What the layer's configuration says of it: nothing where it is the usual one. */
  readonly config: { dtype?: PolicyName };

  /** @param name - what the layer was given; that of {@link setPolicy} unless given */
  constructor(name: PolicyName | undefined, where: { op: string; layer?: string }) {
    this.name = name === undefined ? policy() : checkPolicy(name, where, 'dtype');
    this.config = name !== undefined || this.name !== 'float32' ? { dtype: this.name } : {};
  }

  /** Float inputs in the compute type. */
  castInputs(inputs: Nest<Tensor>): Nest<Tensor> {
    if (inputs instanceof Tensor) return this.#cast(inputs);
    if (Array.isArray(inputs)) return (inputs as readonly Tensor[]).map((t) => this.#cast(t));
    const entries = Object.entries(inputs as Readonly<Record<string, Tensor>>);
    return Object.fromEntries(entries.map(([key, t]) => [key, this.#cast(t)]));
  }

  /** Runs code in which weights are read in the compute type. */
  run<T>(fn: () => T): T {
    return withAutocast(this.name === 'float32' ? undefined : (value) => this.#cast(value), fn);
  }

  /** float64 stays: it is for gradient checks on the reference. Whole numbers and truths stay. */
  #cast(value: Tensor): Tensor {
    const to = COMPUTE[this.name];
    return (value.dtype === 'float32' || isNarrow(value.dtype)) && value.dtype !== to ? cast(value, to) : value;
  }
}
