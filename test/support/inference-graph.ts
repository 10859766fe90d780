import { withDevice } from '../../lib/backends/registry.js';
import { buildGraph } from '../../lib/graph/build.js';
import type { Graph } from '../../lib/graph/ir.js';
import type { Value } from '../../lib/graph/node.js';
import { optimizeSplit } from '../../lib/graph/passes/index.js';
import { Trace, withTrace } from '../../lib/graph/trace.js';
import { flattenNest, type Nest } from '../../lib/layers/nest.js';
import { Tensor, tensorOf } from '../../lib/tensor/tensor.js';
import type { Model } from '../../lib/training/model.js';

/** What a prediction of so many images runs, as it is planned: weights are folded beforehand. Nothing is computed. */
export function inferenceGraph(model: Model, batch: number): Graph {
  return withDevice('reference', () => {
    const trace = new Trace('inference', 'reference');
    const shape = (model.inputShape ?? []) as readonly (number | null)[];
    const input = trace.placeholder({
      shape: [batch, ...(shape.slice(1) as readonly number[])],
      dtype: 'float32',
    });
    const result = withTrace(trace, () => model.apply<Nest<Tensor>>(tensorOf(input), { training: false }));
    const outputs = flattenNest(result, (value): value is Tensor => value instanceof Tensor).map((t) => t.value());
    const first: Value[] = [input, ...trace.variables.values()].map((node) => ({ node, index: 0 }));
    const { graph } = buildGraph({ outputs, updates: [] }, first);
    return optimizeSplit({ ...graph, steady: graph.externals.slice(1) }).main;
  });
}
