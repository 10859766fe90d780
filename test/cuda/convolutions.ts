import { withDevice } from '../../lib/backends/registry.js';
import { specOf, type GraphNode } from '../../lib/graph/node.js';
import { Trace, withTrace } from '../../lib/graph/trace.js';
import { flattenNest, type Nest } from '../../lib/layers/nest.js';
import { samePadding } from '../../lib/ops/geometry.js';
import { Tensor, tensorOf } from '../../lib/tensor/tensor.js';
import { createModel, listModels } from '../../models/index.js';
import { readGolden } from '../support/golden.js';
import { inferenceGraph } from '../support/inference-graph.js';

/** A convolution as kernels see it: x [n,h,w,c], kernel [kh,kw,c/groups,o], y [n,oh,ow,o]. */
export interface Convolution {
  readonly x: readonly number[];
  readonly kernel: readonly number[];
  readonly y: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Top, bottom, left, right. */
  readonly padding: readonly number[];
  readonly groups: number;
  /** One that adds a residual is asked for apart from the same one without. */
  readonly residual?: boolean;
}

/** One line of numbers, in the order `test/native/cuda/cudnn_plans_test.cc` reads them. */
export function line({ x, kernel, y, strides, dilations, padding, groups, residual = false }: Convolution): string {
  const [n, h, w, c] = x;
  const window = [...strides, ...dilations, ...padding, groups];
  return [n, h, w, c, y[1], y[2], y[3], kernel[0], kernel[1], ...window, Number(residual)].join(' ');
}

/** The convolutions of one network of the zoo at its default size. Its graph is traced; nothing is computed. */
export function convolutionsOf(name: string, batch: number): Convolution[] {
  return withDevice('reference', () => {
    const model = createModel(name);
    const trace = new Trace('convolutions', 'reference');
    const shapes = (model.inputShape ?? []) as readonly (number | null)[];
    const input = tensorOf(
      trace.placeholder({ shape: [batch, ...(shapes.slice(1) as readonly number[])], dtype: 'float32' }),
    );
    const outputs = withTrace(trace, () => model.apply<Nest<Tensor>>(input, { training: false }));
    const found: Convolution[] = [];
    const seen = new Set<GraphNode>();
    const open: GraphNode[] = [];
    for (const tensor of flattenNest(outputs, (value): value is Tensor => value instanceof Tensor)) {
      open.push(tensor.value('convolutions').node);
    }
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      for (const { node: before } of node.inputs) open.push(before);
      const convolution = convolutionOf(node);
      if (convolution) found.push(convolution);
    }
    return found;
  });
}

/** The convolutions of one network's predictions that add a residual. */
export function residualConvolutionsOf(name: string, batch: number): Convolution[] {
  const graph = withDevice('reference', () => inferenceGraph(createModel(name), batch));
  const shape = (id: number): readonly number[] => graph.values[id]!.shape;
  return graph.steps.flatMap((step): Convolution[] => {
    if (step.kind !== 'kernel' || step.kernel !== 'conv2d' || step.attributes['residual'] !== true) return [];
    const { strides, dilations, padding, groups } = step.attributes as unknown as Convolution;
    const [x, kernel] = step.inputs.map(shape);
    return [
      { x: x!, kernel: kernel!, y: shape(step.outputs[0]!), strides, dilations, padding, groups, residual: true },
    ];
  });
}

function convolutionOf(node: GraphNode): Convolution | undefined {
  const name = node.op?.name;
  if (name !== 'conv2d' && name !== 'conv2dBackwardInput') return undefined;
  const [first, kernel] = node.inputs.map((input) => specOf(input).shape);
  const result = node.outputs[0]!.shape;
  const { strides, dilations, padding, groups } = node.attributes as Record<string, readonly number[]>;
  return {
    x: name === 'conv2d' ? first! : result,
    y: name === 'conv2d' ? result : first!,
    kernel: kernel!,
    strides: strides!,
    dilations: dilations!,
    padding: padding!,
    groups: groups as unknown as number,
  };
}

interface GoldenCase {
  readonly op: string;
  readonly attrs: {
    readonly padding: 'same' | 'valid';
    readonly strides: readonly [number, number];
    readonly dilation?: readonly [number, number];
    readonly groups?: number;
  };
  readonly inputs: Record<string, { readonly shape: readonly number[] }>;
  readonly upstream: { readonly shape: readonly number[] };
}

/** The convolutions of the golden operator cases. */
export function goldenConvolutions(): Convolution[] {
  const { cases } = readGolden<{ cases: GoldenCase[] }>('ops.json.gz');
  return cases.flatMap((c): Convolution[] => {
    const x = c.inputs['x']?.shape;
    if (x === undefined) return [];
    const kernel = c.inputs['kernel']?.shape;
    switch (c.op) {
      case 'conv2d':
        return [geometry(x, kernel!, c.attrs, c.attrs.groups ?? 1)];
      case 'depthwise_conv2d':
        return [depthwise(x, kernel!, c)];
      case 'separable_conv2d': {
        const first = depthwise(x, c.inputs['depthwise_kernel']!.shape, c);
        const pointwise = c.inputs['pointwise_kernel']!.shape;
        return [first, geometry(first.y, pointwise, { padding: 'valid', strides: [1, 1] }, 1)];
      }
      case 'conv2d_transpose':
        return [geometry(c.upstream.shape, kernel!, c.attrs, 1)];
      default:
        return [];
    }
  });
}

const depthwise = (x: readonly number[], kernel: readonly number[], c: GoldenCase): Convolution => {
  const [kh, kw, channels, multiplier] = kernel as readonly [number, number, number, number];
  return geometry(x, [kh, kw, 1, channels * multiplier], c.attrs, channels);
};

function geometry(
  x: readonly number[],
  kernel: readonly number[],
  { padding, strides, dilation = [1, 1] }: GoldenCase['attrs'],
  groups: number,
): Convolution {
  const pads = ([0, 1] as const).map((axis) =>
    padding === 'same' ? samePadding(x[axis + 1]!, kernel[axis]!, strides[axis], dilation[axis]) : [0, 0],
  );
  const size = (axis: 0 | 1): number => {
    const span = x[axis + 1]! + pads[axis]![0]! + pads[axis]![1]! - ((kernel[axis]! - 1) * dilation[axis] + 1);
    return Math.floor(span / strides[axis]) + 1;
  };
  return {
    x,
    kernel,
    y: [x[0]!, size(0), size(1), kernel[3]!],
    strides,
    dilations: dilation,
    padding: pads.flat(),
    groups,
  };
}

/** Every convolution of the zoo and of the golden cases, each once, as lines. */
export function allConvolutions(batch: number): string[] {
  const lines = new Set<string>();
  for (const { name } of listModels()) {
    for (const c of [...convolutionsOf(name, batch), ...residualConvolutionsOf(name, batch)]) lines.add(line(c));
  }
  for (const c of goldenConvolutions()) lines.add(line(c));
  return [...lines];
}
