import type { Attributes } from '../../../lib/backends/backend.js';
import {
  resizeWeights,
  spanAttributes,
  transposeSpans,
  type ResizeMethod,
  type Spans,
} from '../../../lib/ops/resize-weights.js';
import type { OpCase } from '../../support/golden.js';
import { call, float, paddingOf } from './golden-call.js';
import type { GoldenCall, Results, Runner } from './golden-call.js';
import { f64 } from './run-kernel.js';
import type { Type, Value } from './run-kernel.js';

/** conv2d and its two gradients, for a kernel in HWIO. */
function convolution(c: GoldenCall, kernel: Value, groups: number): Results {
  const x = c.input('x');
  const dilations = c.pair('dilation');
  const window = { strides: c.pair('strides'), dilations, padding: paddingOf(c, x.shape, kernel.shape, dilations) };
  const attributes = { ...window, groups };
  const bias = c.present('bias');
  const [y] = call('conv2d', { ...attributes, activation: 'linear' }, [x, kernel, ...bias], [float(c.yShape)]);
  const [dx] = call('conv2dBackwardInput', attributes, [c.dy, kernel], [x]);
  const [dkernel, dbias] = call('conv2dBackwardKernel', attributes, [x, c.dy], [kernel, ...bias]);
  return { y: y!, d_x: dx!, d_kernel: { ...dkernel!, shape: c.input('kernel').shape }, d_bias: dbias ?? y! };
}

/** A depthwise convolution, then a pointwise one; gradients in the opposite order. */
function separableConvolution(c: GoldenCall): Results {
  const [x, depthwise, pointwise] = [c.input('x'), c.input('depthwise_kernel'), c.input('pointwise_kernel')];
  const groups = x.shape[3]!;
  const first = grouped(depthwise);
  const window = { strides: c.pair('strides'), dilations: [1, 1], padding: paddingOf(c, x.shape, first.shape), groups };
  const point = { strides: [1, 1], dilations: [1, 1], padding: [0, 0, 0, 0], groups: 1 };
  const middle = float(c.yShape.with(3, pointwise.shape[2]!));
  const bias = c.present('bias');
  const [between] = call('conv2d', { ...window, activation: 'linear' }, [x, first], [middle]);
  const [y] = call('conv2d', { ...point, activation: 'linear' }, [between!, pointwise, ...bias], [float(c.yShape)]);
  const [dpointwise, dbias] = call('conv2dBackwardKernel', point, [between!, c.dy], [pointwise, ...bias]);
  const [dbetween] = call('conv2dBackwardInput', point, [c.dy, pointwise], [middle]);
  const [ddepthwise] = call('conv2dBackwardKernel', window, [x, dbetween!], [first]);
  const [dx] = call('conv2dBackwardInput', window, [dbetween!, first], [x]);
  return {
    y: y!,
    d_x: dx!,
    d_depthwise_kernel: { ...ddepthwise!, shape: depthwise.shape },
    d_pointwise_kernel: dpointwise!,
    d_bias: dbias ?? y!,
  };
}

/** [kh, kw, c, multiplier] is, element for element, HWIO with c groups: [kh, kw, 1, c * multiplier]. */
function grouped(kernel: Value): Value {
  const [kh, kw, channels, multiplier] = kernel.shape as [number, number, number, number];
  return { ...kernel, shape: [kh, kw, 1, channels * multiplier] };
}

/** A transposed convolution is the gradient by the input of a convolution whose output is x. */
function transposedConvolution(c: GoldenCall): Results {
  const [x, kernel] = [c.input('x'), c.input('kernel')];
  const padding = paddingOf(c, c.yShape, kernel.shape);
  const attributes = { strides: c.pair('strides'), dilations: [1, 1], padding, groups: 1 };
  const [plain] = call('conv2dBackwardInput', attributes, [x, kernel], [float(c.yShape)]);
  const bias = c.present('bias');
  const [y] = bias.length === 0 ? [plain] : call('elementwise', program('add'), [plain!, ...bias], [plain!]);
  const [dx] = call('conv2d', { ...attributes, activation: 'linear' }, [c.dy, kernel], [x]);
  const [dkernel] = call('conv2dBackwardKernel', attributes, [c.dy, x], [kernel]);
  const channels = c.yShape[3]!;
  const [dbias] = call('reduce', { mode: 'sum', axes: [0, 1, 2] }, [c.dy], [float([channels])]);
  return { y: y!, d_x: dx!, d_kernel: dkernel!, d_bias: dbias! };
}

function pooling(kind: 'max' | 'avg', poolSize?: readonly number[]): Runner {
  return (c) => {
    const x = c.input('x');
    const size = poolSize ?? (c.attrs.pool_size as number[] | undefined) ?? x.shape.slice(1, 3);
    const global = c.attrs.pool_size === undefined;
    const attributes = {
      poolSize: size,
      strides: global ? [1, 1] : c.pair('strides'),
      padding: global ? [0, 0, 0, 0] : paddingOf(c, x.shape, size),
    };
    const shape = global ? [x.shape[0]!, 1, 1, x.shape[3]!] : c.yShape;
    const dy = { ...c.dy, shape };
    const [y] = call(`${kind}Pool2d`, attributes, [x], [float(shape)]);
    const [dx] = call(`${kind}Pool2dBackward`, attributes, kind === 'max' ? [x, y!, dy] : [dy], [x]);
    return { y: { ...y!, shape: c.yShape }, d_x: dx! };
  };
}

function trainingBatchNorm(c: GoldenCall): Results {
  const [x, beta] = [c.input('x'), c.input('beta')];
  const gamma = c.inputs.gamma ?? f64(beta.shape, new Float64Array(beta.data.length).fill(1));
  const epsilon = c.attrs.epsilon as number;
  const [y, mean, variance] = call('batchNorm', { epsilon, activation: 'linear' }, [x, gamma, beta], [x, beta, beta]);
  const [dx, dgamma, dbeta] = call(
    'batchNormBackward',
    { epsilon },
    [x, gamma, mean!, variance!, c.dy],
    [x, beta, beta],
  );
  const momentum = c.attrs.momentum as number;
  const moving = (old: Value, batch: Value): Value => ({
    ...old,
    data: Float64Array.from(old.data, (value, i) => value * momentum + batch.data[i]! * (1 - momentum)),
  });
  return {
    y: y!,
    d_x: dx!,
    d_gamma: dgamma!,
    d_beta: dbeta!,
    new_moving_mean: moving(c.input('moving_mean'), mean!),
    new_moving_variance: moving(c.input('moving_variance'), variance!),
  };
}

/** (x - mean) * rsqrt(variance + epsilon) * gamma + beta as an elementwise program of five inputs. */
function inferenceBatchNorm(c: GoldenCall): Results {
  const x = c.input('x');
  const attributes = {
    compute: 'float',
    opcodes: ['const', 'add', 'rsqrt', 'sub', 'mul', 'mul', 'add'],
    args: [-1, -1, -1, 4, 5, -1, 6, -1, -1, 0, 3, -1, 8, 7, -1, 9, 1, -1, 10, 2, -1],
    params: [c.attrs.epsilon as number, 0, ...new Array<number>(12).fill(0)],
    results: [11],
  };
  const operands = c.present('x', 'gamma', 'beta', 'moving_mean', 'moving_variance');
  return { y: call('elementwise', attributes, operands, [x])[0]! };
}

function localResponse(c: GoldenCall): Results {
  const { depth_radius, bias, alpha, beta } = c.attrs as Record<string, number>;
  const attributes = { depthRadius: depth_radius!, bias: bias!, alpha: alpha!, beta: beta! };
  const x = c.input('x');
  return { y: call('lrn', attributes, [x], [x])[0]!, d_x: call('lrnBackward', attributes, [x, c.dy], [x])[0]! };
}

/** y = a b and its gradients: each is another product, with the operands turned as needed. */
function product(c: GoldenCall): Results {
  const [a, b] = [c.input('a'), c.input('b')];
  const [ta, tb] = [c.attrs.transpose_a === true, c.attrs.transpose_b === true];
  const multiply = (p: Value, q: Value, transposeA: boolean, transposeB: boolean, out: Type): Value =>
    call('matmul', { transposeA, transposeB, activation: 'linear' }, [p, q], [out])[0]!;
  return {
    y: multiply(a, b, ta, tb, float(c.yShape)),
    d_a: ta ? multiply(b, c.dy, tb, true, a) : multiply(c.dy, b, false, !tb, a),
    d_b: tb ? multiply(c.dy, a, true, ta, b) : multiply(a, c.dy, !ta, false, b),
  };
}

function dense(c: GoldenCall): Results {
  const [kernel, bias] = [c.input('kernel'), c.present('bias')];
  const flat = (value: Value): Value => ({
    ...value,
    shape: [value.data.length / value.shape.at(-1)!, value.shape.at(-1)!],
  });
  const [x, dy] = [flat(c.input('x')), flat(c.dy)];
  const attributes = { transposeA: false, transposeB: false, activation: 'linear' };
  const [y] = call('matmul', attributes, [x, kernel, ...bias], [float(dy.shape)]);
  const [dx] = call('matmul', { ...attributes, transposeB: true }, [dy, kernel], [x]);
  const [dkernel] = call('matmul', { ...attributes, transposeA: true }, [x, dy], [kernel]);
  const [dbias] = call('reduce', { mode: 'sum', axes: [0] }, [dy], [float([dy.shape[1]!])]);
  return {
    y: { ...y!, shape: c.yShape },
    d_x: { ...dx!, shape: c.input('x').shape },
    d_kernel: dkernel!,
    d_bias: dbias!,
  };
}

function softmaxOf(kernel: 'softmax' | 'logSoftmax'): Runner {
  return (c) => {
    const x = c.input('x');
    const [y] = call(kernel, {}, [x], [x]);
    return { y: y!, d_x: call(`${kernel}Backward`, {}, [y!, c.dy], [x])[0]! };
  };
}

/** The mean over the batch: dloss is 1/n for each row. */
function crossEntropy(kernel: 'sparseSoftmaxCrossEntropy' | 'softmaxCrossEntropy'): Runner {
  return (c) => {
    const [logits, labels] = [c.input('logits'), c.input('labels')];
    const [n, classes] = logits.shape as [number, number];
    const smoothing = (c.attrs.label_smoothing as number | undefined) ?? 0;
    const targets =
      labels.dtype === 'int32'
        ? labels
        : f64(
            labels.shape,
            Float64Array.from(labels.data, (t) => t * (1 - smoothing) + smoothing / classes),
          );
    const [losses] = call(kernel, {}, [logits, targets], [float([n])]);
    const [y] = call('reduce', { mode: 'mean', axes: [0] }, [losses!], [float([])]);
    const dloss = f64([n], new Float64Array(n).fill(1 / n));
    return { y: y!, d_logits: call(`${kernel}Backward`, {}, [logits, targets, dloss], [logits])[0]! };
  };
}

/** An elementwise program of one instruction. */
function program(opcode: string, params: readonly [number, number] = [0, 0], operands = 2): Attributes {
  const args = [0, 1, 2].map((i) => (i < operands ? i : -1));
  return { compute: 'float', opcodes: [opcode], args, params, results: [operands] };
}

/** Forward only: gradients of elementwise ops are programs that lib/ops writes. */
function unary(opcode: string, params: (attrs: OpCase['attrs']) => readonly [number, number] = () => [0, 0]): Runner {
  return (c) => ({
    y: call('elementwise', program(opcode, params(c.attrs), 1), [c.input('x')], [float(c.yShape)])[0]!,
  });
}

function binary(opcode: string): Runner {
  return (c) => ({ y: call('elementwise', program(opcode), [c.input('a'), c.input('b')], [float(c.yShape)])[0]! });
}

function concatenation(c: GoldenCall): Results {
  const parts = Object.entries(c.inputs);
  const axis = c.attrs.axis === -1 ? c.yShape.length - 1 : (c.attrs.axis as number);
  const results: Results = {
    y: call(
      'concat',
      { axis },
      parts.map(([, x]) => x),
      [float(c.yShape)],
    )[0]!,
  };
  let at = 0;
  for (const [name, x] of parts) {
    const begin = c.yShape.map((_, i) => (i === axis ? at : 0));
    results[`d_${name}`] = call('slice', { begin }, [c.dy], [x])[0]!;
    at += x.shape[axis]!;
  }
  return results;
}

function padding(c: GoldenCall): Results {
  const before = (c.attrs.paddings as number[][]).map(([first]) => first!);
  const x = c.input('x');
  return {
    y: call('pad', { before, value: c.attrs.value as number }, [x], [float(c.yShape)])[0]!,
    d_x: call('slice', { begin: before }, [c.dy], [x])[0]!,
  };
}

function reduction(mode: 'mean' | 'sum' | 'max'): Runner {
  return (c) => {
    const rank = c.input('x').shape.length;
    const named = (c.attrs.axes as number[] | null) ?? c.input('x').shape.map((_, i) => i);
    const axes = named.map((axis) => (axis < 0 ? axis + rank : axis));
    return { y: call('reduce', { mode, axes }, [c.input('x')], [float(c.yShape)])[0]! };
  };
}

function resizing(c: GoldenCall): Results {
  const x = c.input('x');
  const spans = [1, 2].map((axis) =>
    resizeWeights(x.shape[axis]!, c.yShape[axis]!, c.attrs.method as ResizeMethod, false),
  ) as [Spans, Spans];
  const back = spans.map((span, i) => transposeSpans(span, x.shape[i + 1]!)) as [Spans, Spans];
  return {
    y: call('resize', spanAttributes(...spans), [x], [float(c.yShape)])[0]!,
    d_x: call('resize', spanAttributes(...back), [c.dy], [x])[0]!,
  };
}

function transposition(c: GoldenCall): Results {
  const perm = c.attrs.perm as number[];
  const x = c.input('x');
  return {
    y: call('transpose', { perm }, [x], [float(c.yShape)])[0]!,
    d_x: call('transpose', { perm: perm.map((_, i) => perm.indexOf(i)) }, [c.dy], [x])[0]!,
  };
}

/** Copying is all that a reshape does. */
function reshaping(c: GoldenCall): Results {
  const x = c.input('x');
  return { y: call('copy', {}, [x], [float(c.yShape)])[0]!, d_x: call('copy', {}, [c.dy], [x])[0]! };
}

/** How to run the cases of each op. */
export const RUNNERS: Readonly<Record<string, Runner>> = {
  conv2d: (c) => convolution(c, c.input('kernel'), c.attrs.groups as number),
  depthwise_conv2d: (c) => convolution(c, grouped(c.input('kernel')), c.input('x').shape[3]!),
  separable_conv2d: separableConvolution,
  conv2d_transpose: transposedConvolution,
  max_pool2d: pooling('max'),
  avg_pool2d: pooling('avg'),
  global_avg_pool2d: pooling('avg'),
  global_max_pool2d: pooling('max'),
  batch_norm: (c) => (c.attrs.training === true ? trainingBatchNorm(c) : inferenceBatchNorm(c)),
  lrn: localResponse,
  dense,
  softmax: softmaxOf('softmax'),
  log_softmax: softmaxOf('logSoftmax'),
  sparse_categorical_crossentropy: crossEntropy('sparseSoftmaxCrossEntropy'),
  categorical_crossentropy: crossEntropy('softmaxCrossEntropy'),
  relu: unary('relu'),
  relu6: unary('relu6'),
  leaky_relu: unary('leakyRelu', (attrs) => [attrs.negative_slope as number, 0]),
  elu: unary('elu', (attrs) => [attrs.alpha as number, 0]),
  selu: unary('selu'),
  gelu: (c) => unary(c.attrs.approximate === true ? 'geluTanh' : 'gelu')(c),
  sigmoid: unary('sigmoid'),
  tanh: unary('tanh'),
  softplus: unary('softplus'),
  silu: unary('silu'),
  hard_sigmoid: unary('hardSigmoid'),
  clip: unary('clip', (attrs) => [attrs.min as number, attrs.max as number]),
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  maximum: binary('maximum'),
  concat: concatenation,
  pad: padding,
  reduce_mean: reduction('mean'),
  reduce_sum: reduction('sum'),
  reduce_max: reduction('max'),
  resize: resizing,
  flatten: reshaping,
  reshape: reshaping,
  transpose: transposition,
  matmul: product,
};
