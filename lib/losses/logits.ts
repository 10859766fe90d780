import { isSource } from '../autograd/sources.js';
import type { GraphNode } from '../graph/node.js';
import { Tensor } from '../tensor/tensor.js';
import { widened } from '../ops/unary.js';

/**
 * What an activation was applied to, when predictions come straight from it: a loss of the logits has the same value
 * as one of the probabilities, without their rounding. Softmax counts when it went over the last axis, which its op
 * always does. Predictions that gradients are asked for themselves are left as they are.
 */
export function logitsOf(yPred: Tensor, activation: 'softmax' | 'sigmoid'): Tensor | undefined {
  let node: GraphNode = yPred.value('loss').node;
  // Predictions of mixed precision were widened for the loss.
  if (node.op?.name === 'castFloat' && !isSource(node)) node = node.inputs[0]?.node ?? node;
  // A node that is computed has forgotten its inputs, unless a gradient may need them.
  const input = node.op?.name === activation && !isSource(node) ? node.inputs[0] : undefined;
  return input && widened(new Tensor(input));
}
