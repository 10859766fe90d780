import { ops, tensor, type Tensor } from '../../lib/index.js';
import { fillSpec } from '../support/fill.js';
import type { OpCase } from '../support/golden.js';

/** A golden case with its inputs as tensors of the current device. */
export interface GoldenInputs {
  readonly attrs: Readonly<Record<string, unknown>>;
  /** Inputs by name; those to differentiate by are the function's arguments at the time. */
  readonly t: Readonly<Record<string, Tensor>>;
}

/** What a case computes: `y`, and for batch norm the new moving statistics. */
export interface GoldenResult {
  readonly y: Tensor;
  readonly extra?: Readonly<Record<string, Tensor>>;
}

type Mapping = (c: GoldenInputs) => GoldenResult | Tensor;

/** The inputs of a case: float fills as `dtype`, labels as they are. */
export function goldenTensors(c: OpCase, dtype: 'float32' | 'float64'): Record<string, Tensor> {
  const entries = Object.entries(c.inputs).map(([name, spec]) => {
    const data = fillSpec(spec);
    return [name, data instanceof Int32Array ? tensor(data, spec.shape) : tensor([...data], spec.shape, { dtype })];
  });
  return Object.fromEntries(entries) as Record<string, Tensor>;
}

/** Runs a case through the public functions. Throws when its op has no mapping. */
export function runMapping(c: OpCase, t: Record<string, Tensor>): GoldenResult {
  const mapping = MAPPINGS[c.op];
  if (!mapping) throw new Error(`golden op ${c.op} (${c.id}) is mapped to no function of lib`);
  const result = mapping({ attrs: c.attrs, t });
  return 'y' in result ? result : { y: result };
}

type Pair = [number, number];
const window = ({ attrs }: GoldenInputs) => ({
  strides: attrs['strides'] as Pair,
  padding: attrs['padding'] as 'same' | 'valid',
  dilations: (attrs['dilation'] as Pair | undefined) ?? 1,
});
const pool = ({ attrs }: GoldenInputs) => ({
  poolSize: attrs['pool_size'] as Pair,
  strides: attrs['strides'] as Pair,
  padding: attrs['padding'] as 'same' | 'valid',
});
const reduction = ({ attrs }: GoldenInputs) => ({
  axes: (attrs['axes'] as number[] | null) ?? undefined,
  keepDims: attrs['keepdims'] === true,
});
const number = (c: GoldenInputs, name: string): number => c.attrs[name] as number;

function batchNorm({ attrs, t }: GoldenInputs): GoldenResult {
  const { x, gamma, beta, moving_mean, moving_variance } = t as Record<string, Tensor>;
  const epsilon = attrs['epsilon'] as number;
  if (attrs['training'] !== true) {
    const statistics = { mean: moving_mean!, variance: moving_variance!, gamma, beta };
    return { y: ops.batchNormInference(x!, statistics, { epsilon }) };
  }
  const { y, mean, variance } = ops.batchNorm(x!, gamma ?? ops.onesLike(beta!), beta!, { epsilon });
  const momentum = attrs['momentum'] as number;
  const moving = (old: Tensor, batch: Tensor): Tensor => old.mul(momentum).add(batch.mul(1 - momentum));
  return {
    y,
    extra: { new_moving_mean: moving(moving_mean!, mean), new_moving_variance: moving(moving_variance!, variance) },
  };
}

/** Keras's binary cross-entropy, of logits or of probabilities kept 1e-7 away from 0 and 1. */
function binaryCrossentropy({ attrs, t: { x, labels } }: GoldenInputs): Tensor {
  if (attrs['from_logits'] === true) return ops.mean(ops.softplus(x!).sub(x!.mul(labels!)));
  const p = x!.clip(1e-7, 1 - 1e-7);
  const likelihood = labels!.mul(p.log()).add(ops.sub(1, labels!).mul(ops.log(ops.sub(1, p))));
  return ops.mean(likelihood.neg());
}

function categoricalCrossentropy(c: GoldenInputs): Tensor {
  const { logits, labels } = c.t;
  const smoothing = number(c, 'label_smoothing');
  const targets = labels!.mul(1 - smoothing).add(smoothing / logits!.shape[1]!);
  return ops.mean(ops.softmaxCrossEntropy(logits!, targets));
}

const MAPPINGS: Readonly<Record<string, Mapping>> = {
  conv2d: (c) =>
    ops.conv2d(c.t['x']!, c.t['kernel']!, { ...window(c), groups: number(c, 'groups'), bias: c.t['bias'] }),
  depthwise_conv2d: (c) => ops.depthwiseConv2d(c.t['x']!, c.t['kernel']!, { ...window(c), bias: c.t['bias'] }),
  separable_conv2d: (c) =>
    ops.separableConv2d(c.t['x']!, c.t['depthwise_kernel']!, c.t['pointwise_kernel']!, {
      ...window(c),
      bias: c.t['bias'],
    }),
  conv2d_transpose: (c) =>
    ops.conv2dTranspose(c.t['x']!, c.t['kernel']!, {
      strides: c.attrs['strides'] as Pair,
      padding: c.attrs['padding'] as 'same' | 'valid',
      outputPadding: (c.attrs['output_padding'] as number | null) ?? undefined,
      bias: c.t['bias'],
    }),
  max_pool2d: (c) => ops.maxPool2d(c.t['x']!, pool(c)),
  avg_pool2d: (c) => ops.avgPool2d(c.t['x']!, pool(c)),
  global_avg_pool2d: (c) => ops.globalAvgPool2d(c.t['x']!, { keepDims: c.attrs['keepdims'] === true }),
  global_max_pool2d: (c) => ops.globalMaxPool2d(c.t['x']!, { keepDims: c.attrs['keepdims'] === true }),
  batch_norm: batchNorm,
  lrn: (c) =>
    ops.lrn(c.t['x']!, {
      depthRadius: number(c, 'depth_radius'),
      bias: number(c, 'bias'),
      alpha: number(c, 'alpha'),
      beta: number(c, 'beta'),
    }),
  dense: ({ t }) => ops.dense(t['x']!, t['kernel']!, t['bias']),
  softmax: (c) => ops.softmax(c.t['x']!, number(c, 'axis')),
  log_softmax: (c) => ops.logSoftmax(c.t['x']!, number(c, 'axis')),
  sparse_categorical_crossentropy: ({ t }) => ops.mean(ops.sparseSoftmaxCrossEntropy(t['logits']!, t['labels']!)),
  categorical_crossentropy: categoricalCrossentropy,
  binary_crossentropy: binaryCrossentropy,
  mse: ({ t }) => ops.mean(ops.squaredDifference(t['a']!, t['b']!)),
  relu: ({ t }) => ops.relu(t['x']!),
  relu6: ({ t }) => ops.relu6(t['x']!),
  leaky_relu: (c) => ops.leakyRelu(c.t['x']!, number(c, 'negative_slope')),
  elu: (c) => ops.elu(c.t['x']!, number(c, 'alpha')),
  selu: ({ t }) => ops.selu(t['x']!),
  gelu: ({ attrs, t }) => ops.gelu(t['x']!, attrs['approximate'] === true),
  sigmoid: ({ t }) => ops.sigmoid(t['x']!),
  tanh: ({ t }) => ops.tanh(t['x']!),
  softplus: ({ t }) => ops.softplus(t['x']!),
  silu: ({ t }) => ops.silu(t['x']!),
  hard_sigmoid: ({ t }) => ops.hardSigmoid(t['x']!),
  // Inference: dropout does nothing, which is rate 0 here.
  dropout: ({ attrs, t }) => {
    if (attrs['training'] === true) throw new Error('masks are drawn by Philox: no golden case can hold one');
    return ops.dropout(t['x']!, 0, 1);
  },
  concat: (c) => ops.concat(Object.values(c.t), number(c, 'axis')),
  add: ({ t }) => ops.add(t['a']!, t['b']!),
  sub: ({ t }) => ops.sub(t['a']!, t['b']!),
  mul: ({ t }) => ops.mul(t['a']!, t['b']!),
  div: ({ t }) => ops.div(t['a']!, t['b']!),
  maximum: ({ t }) => ops.maximum(t['a']!, t['b']!),
  reduce_mean: (c) => ops.mean(c.t['x']!, reduction(c)),
  reduce_sum: (c) => ops.sum(c.t['x']!, reduction(c)),
  reduce_max: (c) => ops.max(c.t['x']!, reduction(c)),
  pad: (c) => ops.pad(c.t['x']!, c.attrs['paddings'] as Pair[], number(c, 'value')),
  resize: (c) =>
    ops.resize(c.t['x']!, c.attrs['size'] as Pair, { method: c.attrs['method'] as 'bilinear' | 'nearest' }),
  flatten: ({ t }) => ops.flatten(t['x']!),
  reshape: ({ attrs, t }) => ops.reshape(t['x']!, attrs['shape'] as number[]),
  transpose: ({ attrs, t }) => ops.transpose(t['x']!, attrs['perm'] as number[]),
  matmul: ({ attrs, t }) =>
    ops.matmul(t['a']!, t['b']!, {
      transposeA: attrs['transpose_a'] === true,
      transposeB: attrs['transpose_b'] === true,
    }),
  clip: (c) => ops.clip(c.t['x']!, number(c, 'min'), number(c, 'max')),
};
