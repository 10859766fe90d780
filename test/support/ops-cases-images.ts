import { ops, tensor } from '../../lib/index.js';
import { windowGeometry, type Padding } from '../../lib/ops/geometry.js';
import { RESIZE_METHODS } from '../../lib/ops/resize-weights.js';
import { drawShape, floats } from './ops-cases-elementwise.js';
import type { HostValue, OpCall, OpFamily } from './ops-cases.js';
import type { RandomValues } from './random-values.js';

const CHANNELS = [1, 3, 7, 16, 17, 64];
const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

interface Window {
  readonly kernel: [number, number];
  readonly strides: [number, number];
  readonly dilations: [number, number];
  readonly padding: Padding;
  /** Height and width, large enough for the window. */
  readonly image: [number, number];
}

/** A window that fits: strides up to beyond the kernel, dilation, all kinds of padding, kernels larger than the image. */
function drawWindow(r: RandomValues, small: boolean, dilated: boolean): Window {
  const pair = (lo: number, hi: number): [number, number] => [r.integer(lo, hi), r.integer(lo, hi)];
  const kernel = r.chance(0.5)
    ? r.pick<[number, number]>([
        [1, 1],
        [2, 2],
        [3, 3],
        [5, 5],
      ])
    : pair(1, small ? 3 : 5);
  const strides = r.chance(0.4) ? ([1, 1] as [number, number]) : pair(1, small ? 2 : 4);
  const dilations = dilated && r.chance(0.3) ? pair(1, 3) : ([1, 1] as [number, number]);
  const span = kernel.map((k, i) => (k - 1) * dilations[i]! + 1);
  const image = pair(small ? 2 : 1, small ? 4 : 11);
  const kind = r.pick(['same', 'valid', 'explicit'] as const);
  if (kind === 'same') return { kernel, strides, dilations, padding: 'same', image };
  const padding = kind === 'valid' ? [0, 0, 0, 0] : span.flatMap((s) => [r.integer(0, s - 1), r.integer(0, s - 1)]);
  for (const i of [0, 1] as const) {
    const missing = span[i]! - image[i] - padding[2 * i]! - padding[2 * i + 1]!;
    if (missing > 0) image[i] += missing;
  }
  return {
    kernel,
    strides,
    dilations,
    padding: kind === 'valid' ? 'valid' : (padding as [number, number, number, number]),
    image,
  };
}

const batch = (r: RandomValues, small: boolean): number => (small ? r.integer(1, 2) : r.pick([0, 1, 1, 2, 2, 3, 5]));

const conv2d: OpFamily = {
  name: 'conv2d',
  covers: ['conv2d', 'conv2dBackwardInput', 'conv2dBackwardKernel'],
  weight: 28,
  draw: (r, small) => {
    const { kernel, image, ...window } = drawWindow(r, small, true);
    const groups = r.chance(0.6) ? 1 : r.integer(2, small ? 2 : 4);
    const perGroup = small ? r.integer(1, 2) : groups > 1 ? r.integer(1, 5) : r.pick(CHANNELS);
    const filters = groups * (small ? r.integer(1, 2) : groups > 1 ? r.integer(1, 5) : r.pick(CHANNELS));
    const x = floats(r, [batch(r, small), ...image, perGroup * groups], -1, 1);
    const k = floats(r, [...kernel, perGroup, filters], -1, 1);
    const bias = r.chance(0.4) ? [floats(r, [filters], -1, 1)] : [];
    return {
      label: `conv2d${JSON.stringify({ ...window, groups })}`,
      inputs: [x, k, ...bias],
      apply: ([t, w, b]) => [ops.conv2d(t!, w!, { ...window, groups, bias: b })],
      relative: 2e-5,
    };
  },
};

/** A sum with a convolution: what the graph makes of it is conv2d with a residual. */
const residual: OpFamily = {
  name: 'conv2d with a residual',
  covers: [],
  weight: 20,
  draw: (r, small) => {
    const { kernel, image, ...window } = drawWindow(r, small, true);
    const kind = r.pick(['dense', 'grouped', 'depthwise'] as const);
    const groups =
      kind === 'dense' ? 1 : kind === 'grouped' ? r.integer(2, small ? 2 : 4) : small ? 2 : r.pick(CHANNELS);
    const most = small ? 2 : 5;
    const perGroup = kind === 'depthwise' ? 1 : kind === 'grouped' ? r.integer(1, most) : small ? 2 : r.pick(CHANNELS);
    const filters =
      groups * (kind === 'dense' && !small ? r.pick(CHANNELS) : r.integer(1, kind === 'depthwise' ? 2 : most));
    const n = batch(r, small);
    const bias = r.chance(0.5) ? [floats(r, [filters], -1, 1)] : [];
    const [relu, first] = [!small && r.chance(0.6), r.chance(0.5)];
    const { output } = windowGeometry('conv2d', image, kernel, window);
    return {
      label: `conv2d with a residual${JSON.stringify({ ...window, groups, relu })}`,
      inputs: [
        floats(r, [n, ...image, perGroup * groups], -1, 1),
        floats(r, [...kernel, perGroup, filters], -1, 1),
        floats(r, [n, ...output, filters], -2, 2),
        ...bias,
      ],
      apply: ([t, w, z, b]) => {
        const y = ops.conv2d(t!, w!, { ...window, groups, bias: b });
        const sum = first ? ops.add(z!, y) : ops.add(y, z!);
        return [relu ? ops.relu(sum) : sum];
      },
      relative: 2e-5,
    };
  },
};

const depthwise: OpFamily = {
  name: 'depthwiseConv2d',
  covers: [],
  weight: 10,
  draw: (r, small) => {
    const { kernel, image, ...window } = drawWindow(r, small, true);
    const channels = small ? r.integer(1, 3) : r.pick(CHANNELS);
    const multiplier = r.pick([1, 1, 2, 3]);
    const x = floats(r, [batch(r, small), ...image, channels], -1, 1);
    return {
      label: `depthwiseConv2d${JSON.stringify(window)}`,
      inputs: [x, floats(r, [...kernel, channels, multiplier], -1, 1)],
      apply: ([t, w]) => [ops.depthwiseConv2d(t!, w!, window)],
      relative: 2e-5,
    };
  },
};

const transposed: OpFamily = {
  name: 'conv2dTranspose',
  covers: [],
  weight: 10,
  draw: (r, small) => {
    const { kernel, image, strides } = drawWindow(r, small, false);
    const padding = r.pick(['same', 'valid'] as const);
    const [c, filters] = small ? [2, 2] : [r.pick([1, 3, 7, 16]), r.pick([1, 3, 7, 16])];
    return {
      label: `conv2dTranspose${JSON.stringify({ strides, padding })}`,
      inputs: [
        floats(r, [batch(r, small), ...image, c], -1, 1),
        floats(r, [...kernel, filters, c], -1, 1),
        floats(r, [filters], -1, 1),
      ],
      apply: ([t, w, bias]) => [ops.conv2dTranspose(t!, w!, { strides, padding, bias })],
      relative: 2e-5,
    };
  },
};

/** Distinct values in random order. */
function spread(r: RandomValues, shape: readonly number[]): HostValue {
  const order = r.permutation(sizeOf(shape));
  return { shape, dtype: 'float', data: order.map((p) => Math.fround(p * 0.05)) };
}

/** Whole numbers with many ties: the first in row-major order gets the gradient. */
function tied(r: RandomValues, shape: readonly number[]): HostValue {
  return { shape, dtype: 'float', data: Array.from(r.ints(shape, 0, 2)) };
}

const pools: OpFamily[] = (['maxPool2d', 'avgPool2d'] as const).map((name) => ({
  name,
  covers: [name, `${name}Backward`],
  weight: 12,
  draw: (r, small): OpCall => {
    for (;;) {
      const { kernel, image, strides, padding } = drawWindow(r, small, false);
      const options = { poolSize: kernel, strides, padding };
      const shape = [batch(r, small), ...image, small ? 2 : r.pick(CHANNELS)];
      if (onlyPadding(options, image)) continue;
      const x = name === 'avgPool2d' ? floats(r, shape) : !small && r.chance(0.3) ? tied(r, shape) : spread(r, shape);
      return { label: `${name}${JSON.stringify(options)}`, inputs: [x], apply: ([t]) => [ops[name](t!, options)] };
    }
  },
}));

/** Whether the op refuses the window because it would lie in the padding alone. */
function onlyPadding(
  options: { poolSize: [number, number]; strides: [number, number]; padding: Padding },
  image: [number, number],
): boolean {
  try {
    ops.maxPool2d(tensor(new Float32Array(image[0] * image[1]), [1, ...image, 1]), options);
    return false;
  } catch {
    return true;
  }
}

const batchNorm: OpFamily = {
  name: 'batchNorm',
  covers: ['batchNorm', 'batchNormBackward'],
  weight: 10,
  draw: (r, small) => {
    const c = small ? r.integer(1, 3) : r.pick(CHANNELS);
    const lead = small ? [2, 3] : r.shape(r.integer(1, 3), 2, 5);
    const mean = small ? 0 : r.pick([0, 0, 3]);
    const epsilon = r.pick([1e-3, 1e-2]);
    const relu = !small && r.chance(0.3);
    return {
      label: `batchNorm${JSON.stringify({ epsilon, mean, relu })}`,
      inputs: [floats(r, [...lead, c], mean - 1, mean + 1), floats(r, [c], 0.5, 1.5), floats(r, [c], -1, 1)],
      apply: ([x, gamma, beta]) => {
        const made = ops.batchNorm(x!, ops.widened(gamma!), ops.widened(beta!), { epsilon });
        return [relu ? ops.relu(made.y) : made.y, made.mean, made.variance];
      },
      // Gradients by x are differences of nearly equal numbers where a channel has few elements.
      relative: 1e-4,
    };
  },
};

const batchNormInference: OpFamily = {
  name: 'batchNormInference',
  covers: [],
  weight: 4,
  draw: (r, small) => {
    const c = small ? 2 : r.pick(CHANNELS);
    const x = floats(r, [...(small ? [3] : r.shape(r.integer(1, 3), 1, 4)), c]);
    const vector = (lo: number, hi: number): HostValue => floats(r, [c], lo, hi);
    return {
      label: 'batchNormInference',
      inputs: [x, vector(-1, 1), vector(0.5, 1.5), vector(0.5, 1.5), vector(-1, 1)],
      apply: ([t, mean, variance, gamma, beta]) => [
        ops.batchNormInference(t!, {
          mean: ops.widened(mean!),
          variance: ops.widened(variance!),
          gamma: ops.widened(gamma!),
          beta: ops.widened(beta!),
        }),
      ],
    };
  },
};

const lrn: OpFamily = {
  name: 'lrn',
  covers: ['lrn', 'lrnBackward'],
  weight: 8,
  draw: (r, small) => {
    const options = {
      depthRadius: r.integer(0, 6),
      bias: r.pick([1, 2]),
      alpha: r.pick([1, 0.1, 1e-4]),
      beta: r.pick([0.5, 0.75, 1]),
    };
    const lead = small ? [2] : r.shape(r.integer(0, 3), 1, 4);
    const x = floats(r, [...lead, small ? r.integer(1, 5) : r.pick(CHANNELS)]);
    return {
      label: `lrn${JSON.stringify(options)}`,
      inputs: [x],
      apply: ([t]) => [ops.lrn(t!, options)],
      relative: 2e-5,
    };
  },
};

const resize: OpFamily = {
  name: 'resize',
  covers: ['resize', 'resizeBackward'],
  weight: 8,
  draw: (r, small) => {
    const method = r.pick(RESIZE_METHODS);
    const antialias = r.chance(0.5);
    const size: [number, number] = [r.integer(1, small ? 4 : 13), r.integer(1, small ? 4 : 13)];
    const shape = [
      batch(r, small),
      r.integer(1, small ? 3 : 9),
      r.integer(1, small ? 3 : 9),
      small ? 1 : r.pick([1, 3, 16]),
    ];
    return {
      label: `resize${JSON.stringify({ size, method, antialias })}`,
      inputs: [floats(r, shape)],
      apply: ([t]) => [ops.resize(t!, size, { method, antialias })],
    };
  },
};

const seed = (r: RandomValues): HostValue => ({
  shape: [4],
  dtype: 'int32',
  data: r.ints([4], -(2 ** 31), 2 ** 31 - 1),
});

const dropout: OpFamily = {
  name: 'dropout',
  covers: ['dropout'],
  weight: 5,
  draw: (r, small) => {
    const rate = r.pick([0.1, 0.25, 0.5, 0.9]);
    const x = floats(r, drawShape(r, small), 0.5, 2);
    return { label: `dropout at ${rate}`, inputs: [x, seed(r)], apply: ([t, s]) => [ops.dropout(t!, rate, s!)] };
  },
};

const random: OpFamily = {
  name: 'random',
  covers: ['random'],
  weight: 6,
  draw: (r, small) => {
    const shape = drawShape(r, small);
    const kind = r.pick(['uniform', 'normal', 'truncatedNormal'] as const);
    const apply: OpCall['apply'] = ([s]) => {
      if (kind === 'uniform') return [ops.randomUniform(shape, s!, { min: -0.3, max: 0.7 })];
      return [(kind === 'normal' ? ops.randomNormal : ops.truncatedNormal)(shape, s!, { mean: 0.5, stddev: 2 })];
    };
    // Uniform numbers are the same to the bit; logarithm and cosine may be off by a rounding.
    return {
      label: `random ${kind}`,
      inputs: [seed(r)],
      apply,
      noGradient: true,
      ...(kind === 'uniform' ? { exact: true } : {}),
    };
  },
};

export const imageFamilies: readonly OpFamily[] = [
  conv2d,
  residual,
  depthwise,
  transposed,
  ...pools,
  batchNorm,
  batchNormInference,
  lrn,
  resize,
  dropout,
  random,
];
