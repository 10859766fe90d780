import { FoveaError } from '../errors.js';
import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { describe } from './nest.js';
import { suggestion } from './suggest.js';

/** A function of one tensor, applied to a layer's output. */
export type Activation = (x: Tensor) => Tensor;

/** What layers take: a name, or a function. */
export type ActivationLike = string | Activation;

const SELF = (x: Tensor): Tensor => x;
const softsign = (x: Tensor): Tensor => ops.div(x, ops.add(ops.abs(x), 1));
const hardSilu = (x: Tensor): Tensor => ops.mul(x, ops.hardSigmoid(x));
const hardTanh = (x: Tensor): Tensor => ops.clip(x, -1, 1);
const logSigmoid = (x: Tensor): Tensor => ops.neg(ops.softplus(ops.neg(x)));
const mish = (x: Tensor): Tensor => ops.mul(x, ops.tanh(ops.softplus(x)));
const tanhShrink = (x: Tensor): Tensor => ops.sub(x, ops.tanh(x));

/** The activations by Keras's names, in camelCase. */
const named: Readonly<Record<string, Activation>> = {
  linear: SELF,
  relu: (x) => ops.relu(x),
  relu6: (x) => ops.relu6(x),
  leakyRelu: (x) => ops.leakyRelu(x),
  elu: (x) => ops.elu(x),
  selu: (x) => ops.selu(x),
  gelu: (x) => ops.gelu(x),
  silu: (x) => ops.silu(x),
  hardSilu,
  mish,
  sigmoid: (x) => ops.sigmoid(x),
  hardSigmoid: (x) => ops.hardSigmoid(x),
  logSigmoid,
  tanh: (x) => ops.tanh(x),
  hardTanh,
  tanhShrink,
  softplus: (x) => ops.softplus(x),
  softsign,
  exponential: (x) => ops.exp(x),
  softmax: (x) => ops.softmax(x),
  logSoftmax: (x) => ops.logSoftmax(x),
};
const ALIASES: Readonly<Record<string, string>> = { swish: 'silu', hardswish: 'hardSilu', hardsilu: 'hardSilu' };

const plain = (name: string): string => name.toLowerCase().replaceAll('_', '');
const byPlainName = new Map(Object.keys(named).map((name) => [plain(name), name]));

/** The names that layers take as `activation`. */
export const activationNames: readonly string[] = Object.keys(named);

/**
 * The activation of a name (`relu`, `leakyRelu`; Keras's `leaky_relu` too) or the function itself.
 *
 * @throws FoveaError ERR_NOT_FOUND with the names there are
 */
export function getActivation(identifier: ActivationLike | null | undefined): { name: string; apply: Activation } {
  if (identifier === null || identifier === undefined) return { name: 'linear', apply: SELF };
  if (typeof identifier === 'function') {
    const known = Object.entries(named).find(([, fn]) => fn === identifier);
    return { name: known ? known[0] : '', apply: identifier };
  }
  if (typeof identifier === 'string') {
    const name = ALIASES[plain(identifier)] ?? byPlainName.get(plain(identifier));
    if (name !== undefined) return { name, apply: named[name]! };
    throw new FoveaError(
      `expected one of ${activationNames.join(', ')}, or a function, received '${identifier}'${suggestion(identifier, activationNames)}`,
      { code: 'ERR_NOT_FOUND', received: identifier },
    );
  }
  throw new FoveaError(`expected a name or a function, received ${describe(identifier)}`, { received: identifier });
}

/** The activations as functions of tensors: `activations.relu(x)`. */
export const activations = named;
