import { FoveaError } from '../../errors.js';
import type { KernelStep } from '../../graph/ir.js';
import { TO_FIRST, type OnnxBuilder } from './builder.js';
import type { OnnxAttribute } from './schema.js';

/** Writes one kernel step: defines its output's name in a layout. */
type Writer = (builder: OnnxBuilder, step: KernelStep, wish: string) => void;

type Attributes = Readonly<Record<string, OnnxAttribute>>;

const numbers = (step: KernelStep, name: string): readonly number[] => step.attributes[name] as readonly number[];
const number = (step: KernelStep, name: string): number => step.attributes[name] as number;

/** [top, bottom, left, right] as [top, left, bottom, right]. */
function padsOf(step: KernelStep): readonly number[] {
  const [top, bottom, left, right] = numbers(step, 'padding') as readonly [number, number, number, number];
  return [top, left, bottom, right];
}

/** Adds the node that makes the step's output, and the activation that the kernel applies behind it. */
function finish(
  builder: OnnxBuilder,
  step: KernelStep,
  wish: string,
  form: 'first' | 'last',
  [op, inputs, attributes = {}]: readonly [string, readonly string[], Attributes?],
): void {
  const id = step.outputs[0]!;
  const name = builder.nameFor(id, form, wish);
  if (step.attributes['activation'] === 'relu') {
    builder.node('Relu', [builder.node(op, inputs, `${wish}/linear`, attributes)], wish, {}, name);
  } else builder.node(op, inputs, wish, attributes, name);
  builder.define(id, form, name);
}

const KERNEL_TO_OIHW = [3, 2, 0, 1] as const;

const conv2d: Writer = (builder, step, wish) => {
  const [x, kernel, ...rest] = step.inputs as [number, number, ...number[]];
  const residual = step.attributes['residual'] === true ? rest.pop() : undefined;
  const bias = rest.map((id) => builder.last(id));
  const inputs = [builder.first(x), builder.turned(kernel, KERNEL_TO_OIHW), ...bias];
  const [height, width] = builder.shapeOf(kernel) as [number, number];
  const attributes = {
    kernel_shape: [height, width],
    strides: numbers(step, 'strides'),
    dilations: numbers(step, 'dilations'),
    pads: padsOf(step),
    group: number(step, 'groups'),
  };
  if (residual === undefined) return finish(builder, step, wish, 'first', ['Conv', inputs, attributes]);
  const convolved = builder.node('Conv', inputs, `${wish}/conv`, attributes);
  finish(builder, step, wish, 'first', ['Add', [convolved, builder.first(residual)]]);
};

/** A transposed convolution: the gradient of a convolution by its input. */
const conv2dTranspose: Writer = (builder, step, wish) => {
  const [dy, kernel] = step.inputs as [number, number];
  const [strides, dilations] = [numbers(step, 'strides'), numbers(step, 'dilations')];
  const pads = padsOf(step);
  const extra = [0, 1].map((axis) => {
    const window = (builder.shapeOf(kernel)[axis]! - 1) * dilations[axis]! + 1;
    const natural = (builder.shapeOf(dy)[1 + axis]! - 1) * strides[axis]! + window - pads[axis]! - pads[2 + axis]!;
    return builder.shapeOf(step.outputs[0]!)[1 + axis]! - natural;
  });
  finish(builder, step, wish, 'first', [
    'ConvTranspose',
    [builder.first(dy), builder.turned(kernel, KERNEL_TO_OIHW)],
    { strides, dilations, pads, output_padding: extra, group: number(step, 'groups') },
  ]);
};

const pool =
  (op: 'MaxPool' | 'AveragePool'): Writer =>
  (builder, step, wish) => {
    const attributes = {
      kernel_shape: numbers(step, 'poolSize'),
      strides: numbers(step, 'strides'),
      pads: padsOf(step),
    };
    // Ours leaves padding out of the count.
    const average: Attributes = op === 'AveragePool' ? { count_include_pad: 0 } : {};
    finish(builder, step, wish, 'first', [op, [builder.first(step.inputs[0]!)], { ...attributes, ...average }]);
  };

const lrn: Writer = (builder, step, wish) => {
  const x = step.inputs[0]!;
  if (builder.rankOf(x) !== 4) throw unsupported(step, 'lrn of anything but images');
  const size = 2 * number(step, 'depthRadius') + 1;
  const [alpha, beta, bias] = ['alpha', 'beta', 'bias'].map((name) => number(step, name)) as [number, number, number];
  // ONNX divides alpha by the window's size.
  const attributes = { size, alpha: { float: alpha * size }, beta: { float: beta }, bias: { float: bias } };
  finish(builder, step, wish, 'first', ['LRN', [builder.first(x)], attributes]);
};

const matmul: Writer = (builder, step, wish) => {
  const [a, b, bias] = step.inputs as [number, number, number?];
  const turn = (id: number, transposed: unknown): string => {
    if (transposed !== true) return builder.last(id);
    const axes = builder.shapeOf(id).map((_, axis) => axis);
    return builder.turned(id, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
  };
  const inputs = [turn(a, step.attributes['transposeA']), turn(b, step.attributes['transposeB'])];
  if (bias === undefined) return finish(builder, step, wish, 'last', ['MatMul', inputs]);
  if (builder.rankOf(a) === 2 && builder.rankOf(b) === 2) {
    return finish(builder, step, wish, 'last', ['Gemm', [...inputs, builder.last(bias)]]);
  }
  const product = builder.node('MatMul', inputs, `${wish}/product`);
  finish(builder, step, wish, 'last', ['Add', [product, builder.last(bias)]]);
};

/** The axis that a value's axis is in the layout in which it is at hand. */
function placed(
  builder: OnnxBuilder,
  id: number,
  axis: number,
): { form: 'first' | 'last'; axis: number; name: string } {
  const first = builder.hasFirst(id) && builder.rankOf(id) === 4;
  return first
    ? { form: 'first', axis: TO_FIRST[axis]!, name: builder.first(id) }
    : { form: 'last', axis, name: builder.last(id) };
}

const softmax =
  (op: 'Softmax' | 'LogSoftmax'): Writer =>
  (builder, step, wish) => {
    const x = step.inputs[0]!;
    const { form, axis, name } = placed(builder, x, builder.rankOf(x) - 1);
    finish(builder, step, wish, form, [op, [name], { axis }]);
  };

const REDUCTIONS: Readonly<Record<string, string>> = {
  ...{ sum: 'ReduceSum', mean: 'ReduceMean', max: 'ReduceMax', min: 'ReduceMin', prod: 'ReduceProd' },
};

const reduce: Writer = (builder, step, wish) => {
  const [x, y] = [step.inputs[0]!, step.outputs[0]!];
  const axes = numbers(step, 'axes');
  const keep = builder.rankOf(y) === builder.rankOf(x);
  // With channels first the axes that stay keep our order only if channels go, or height and width do.
  const inOrder = keep || axes.includes(3) || (axes.includes(1) && axes.includes(2));
  const first = builder.rankOf(x) === 4 && builder.hasFirst(x) && inOrder;
  const mapped = first ? axes.map((axis) => TO_FIRST[axis]!) : axes;
  const input = first ? builder.first(x) : builder.last(x);
  const mode = step.attributes['mode'] as string;
  const op = REDUCTIONS[mode]!;
  // Axes became an input with opset 18, for sums with 13.
  const asInput = builder.opset >= 18 || mode === 'sum';
  const inputs = asInput ? [input, builder.ints(mapped)] : [input];
  const attributes = { keepdims: keep ? 1 : 0, ...(asInput ? {} : { axes: mapped }) };
  finish(builder, step, wish, first && keep ? 'first' : 'last', [op, inputs, attributes]);
};

const argMax: Writer = (builder, step, wish) => {
  const index = builder.node('ArgMax', [builder.last(step.inputs[0]!)], `${wish}/index`, {
    axis: number(step, 'axis'),
    keepdims: 0,
  });
  finish(builder, step, wish, 'last', ['Cast', [index], { to: 6 }]);
};

const concat: Writer = (builder, step, wish) => {
  const axis = number(step, 'axis');
  const first = builder.rankOf(step.outputs[0]!) === 4 && step.inputs.some((id) => builder.hasFirst(id));
  const inputs = step.inputs.map((id) => (first ? builder.first(id) : builder.last(id)));
  const form = first ? 'first' : 'last';
  finish(builder, step, wish, form, ['Concat', inputs, { axis: first ? TO_FIRST[axis]! : axis }]);
};

/**
 * Stands for 0 in front of max pooling: onnxruntime (1.30) takes zeros there for the pooling's own padding, which never
 * wins, and gives other results where all of a window is negative.
 */
const SMALLEST = 2 ** -126;

const pad: Writer = (builder, step, wish) => {
  const [x, y] = [step.inputs[0]!, step.outputs[0]!];
  const before = numbers(step, 'before');
  const after = before.map((n, axis) => builder.shapeOf(y)[axis]! - builder.shapeOf(x)[axis]! - n);
  const first = builder.rankOf(x) === 4 && before[0] === 0 && after[0] === 0;
  const turn = (list: readonly number[]): readonly number[] => (first ? [0, 3, 1, 2].map((axis) => list[axis]!) : list);
  const inputs = [first ? builder.first(x) : builder.last(x), builder.ints([...turn(before), ...turn(after)])];
  if (builder.dtypeOf(x) !== 'float32') throw unsupported(step, `padding of ${builder.dtypeOf(x)}`);
  const value = number(step, 'value');
  const pooled = builder.readers(y).some((reader) => reader.kind === 'kernel' && reader.kernel === 'maxPool2d');
  inputs.push(builder.scalar(value === 0 && pooled ? SMALLEST : value, 'float32'));
  finish(builder, step, wish, first ? 'first' : 'last', ['Pad', inputs]);
};

const slice: Writer = (builder, step, wish) => {
  const [x, y] = [step.inputs[0]!, step.outputs[0]!];
  const begin = numbers(step, 'begin');
  const open = builder.shapes[y]!;
  const axes = begin.map((_, axis) => axis).filter((axis) => builder.shapeOf(y)[axis] !== builder.shapeOf(x)[axis]);
  if (axes.some((axis) => open[axis] === null)) throw unsupported(step, 'a part of the batch');
  const first = builder.rankOf(x) === 4 && builder.hasFirst(x);
  const inputs = [
    first ? builder.first(x) : builder.last(x),
    builder.ints(axes.map((axis) => begin[axis]!)),
    builder.ints(axes.map((axis) => begin[axis]! + builder.shapeOf(y)[axis]!)),
    builder.ints(first ? axes.map((axis) => TO_FIRST[axis]!) : axes),
  ];
  finish(builder, step, wish, first ? 'first' : 'last', ['Slice', inputs]);
};

const transpose: Writer = (builder, step, wish) =>
  finish(builder, step, wish, 'last', ['Transpose', [builder.last(step.inputs[0]!)], { perm: numbers(step, 'perm') }]);

const gather: Writer = (builder, step, wish) =>
  finish(builder, step, wish, 'last', [
    'Gather',
    step.inputs.map((id) => builder.last(id)),
    { axis: number(step, 'axis') },
  ]);

const oneHot: Writer = (builder, step, wish) => {
  const depth = builder.ints([builder.shapeOf(step.outputs[0]!).at(-1)!]);
  finish(builder, step, wish, 'last', [
    'OneHot',
    [builder.last(step.inputs[0]!), depth, builder.floats([0, 1])],
    { axis: -1 },
  ]);
};

/** How a resize makes one axis: for each place in the result where it begins to read, and the weights from there. */
interface Spans {
  readonly from: number;
  readonly to: number;
  readonly starts: readonly number[];
  readonly weights: readonly number[];
}

function spansOf(builder: OnnxBuilder, step: KernelStep, name: 'row' | 'column'): Spans {
  const axis = name === 'row' ? 1 : 2;
  const [from, to] = [builder.shapeOf(step.inputs[0]!)[axis]!, builder.shapeOf(step.outputs[0]!)[axis]!];
  return { from, to, starts: numbers(step, `${name}Starts`), weights: numbers(step, `${name}Weights`) };
}

/** The factor by which an axis is only repeated, if it is. */
function repetition({ from, to, starts, weights }: Spans): number | undefined {
  const factor = to / from;
  const repeats = weights.length === to && weights.every((w) => w === 1);
  return Number.isInteger(factor) && repeats && starts.every((start, i) => start === Math.floor(i / factor))
    ? factor
    : undefined;
}

/** The spans as a matrix: [to, from], or [from, to] when transposed. */
function matrixOf({ from, to, starts, weights }: Spans, transposed: boolean): Float32Array {
  const taps = weights.length / to;
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    for (let k = 0; k < taps; k++) {
      const weight = weights[i * taps + k]!;
      const source = starts[i]! + k;
      if (weight !== 0) matrix[transposed ? source * to + i : i * from + source]! += weight;
    }
  }
  return matrix;
}

/** Repetition by ONNX's `Resize`; every other method, whose conventions differ from runtime to runtime, by its matrices. */
const resize: Writer = (builder, step, wish) => {
  const [rows, columns] = [spansOf(builder, step, 'row'), spansOf(builder, step, 'column')];
  const x = builder.first(step.inputs[0]!);
  const factors = [repetition(rows), repetition(columns)];
  if (factors.every((factor) => factor !== undefined)) {
    const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    return finish(builder, step, wish, 'first', ['Resize', [x, '', builder.floats([1, 1, ...factors])], attributes]);
  }
  const right = builder.matrix(`${wish}/columns`, [columns.from, columns.to], matrixOf(columns, true));
  const left = builder.matrix(`${wish}/rows`, [rows.to, rows.from], matrixOf(rows, false));
  const wide = builder.node('MatMul', [x, right], `${wish}/wide`);
  finish(builder, step, wish, 'first', ['MatMul', [left, wide]]);
};

const copy: Writer = (builder, step, wish) => {
  const { form, name } = placed(builder, step.inputs[0]!, 0);
  finish(builder, step, wish, form, ['Identity', [name]]);
};

const WRITERS: Readonly<Record<string, Writer>> = {
  ...{ conv2d, conv2dBackwardInput: conv2dTranspose, maxPool2d: pool('MaxPool'), avgPool2d: pool('AveragePool') },
  ...{ lrn, matmul, softmax: softmax('Softmax'), logSoftmax: softmax('LogSoftmax'), reduce, argMax, concat, pad },
  ...{ slice, transpose, gather, oneHot, resize, copy },
};

/** An error that names the layer. */
export function unsupported(step: { readonly layer: string; readonly op: string }, what: string): FoveaError {
  return new FoveaError(`exportOnnx: layer "${step.layer}" cannot be exported: ONNX has no ${what}`, {
    ...{ code: 'ERR_UNSUPPORTED', op: 'exportOnnx', layer: step.layer, received: step.op },
  });
}

/** Writes a kernel step. @throws FoveaError ERR_UNSUPPORTED that names the layer */
export function writeKernel(builder: OnnxBuilder, step: KernelStep, wish: string): void {
  const writer = WRITERS[step.kernel];
  if (!writer) throw unsupported(step, `counterpart of ${step.kernel}`);
  writer(builder, step, wish);
}
