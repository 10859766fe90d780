import { ops } from '../../lib/index.js';
import { drawShape, floats, ints } from './ops-cases-elementwise.js';
import type { HostValue, OpCall, OpFamily } from './ops-cases.js';
import type { RandomValues } from './random-values.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Values of any dtype for ops that only move elements; floats in gradient checks. */
function anything(r: RandomValues, shape: readonly number[], small: boolean): HostValue {
  const dtype = small ? 'float' : r.pick(['float', 'float', 'float', 'int32', 'uint8', 'bool'] as const);
  if (dtype === 'float') return floats(r, shape);
  const [lo, hi] = dtype === 'int32' ? [-1e9, 1e9] : dtype === 'uint8' ? [0, 255] : [0, 1];
  return { shape, dtype, data: r.ints(shape, lo, hi) };
}

/** Moving elements changes none. Sums of gradients may differ by rounding, so only calls without one are exact. */
function moving(label: string, inputs: readonly HostValue[], apply: OpCall['apply']): OpCall {
  const float = inputs[0]?.dtype === 'float';
  return { label, inputs, apply, ...(float ? {} : { noGradient: true, exact: true }) };
}

/** Distinct values in random order: a maximum has no rival within 0.05. */
function spread(r: RandomValues, shape: readonly number[]): HostValue {
  const order = r.permutation(sizeOf(shape));
  return { shape, dtype: 'float', data: order.map((p) => Math.fround((p - order.length / 2) * 0.05 + 0.025)) };
}

const reduce: OpFamily = {
  name: 'reduce',
  covers: ['reduce'],
  weight: 10,
  draw: (r, small) => {
    const shape = drawShape(r, small);
    const mode = r.pick(['sum', 'mean', 'max', 'min', 'prod'] as const);
    const axes = r.chance(0.2) ? undefined : shape.map((_, i) => i).filter(() => r.chance());
    const keepDims = r.chance();
    // 'mean' of nothing is not a number, which has no sensible gradient.
    const empty = shape.includes(0);
    const x =
      mode === 'max' || mode === 'min'
        ? spread(r, shape)
        : mode === 'prod'
          ? floats(r, shape, -1.3, 1.3, [0, 0.05, -0.05, 0.1, -0.1])
          : floats(r, shape);
    return {
      label: `${mode}${JSON.stringify({ axes, keepDims })}`,
      inputs: [x],
      apply: ([t]) => [ops[mode](t!, { axes, keepDims })],
      ...(empty ? { noGradient: true } : {}),
    };
  },
};

const reduceInt: OpFamily = {
  name: 'reduce int32',
  covers: [],
  weight: 3,
  draw: (r, small) => {
    const shape = drawShape(r, small).map((d) => Math.max(d, 1));
    const mode = r.pick(['sum', 'max', 'min', 'prod'] as const);
    const axes = shape.map((_, i) => i).filter(() => r.chance());
    return {
      label: `int32 ${mode}${JSON.stringify({ axes })}`,
      inputs: [ints(r, shape, mode === 'prod' ? -1 : -1000, mode === 'prod' ? 2 : 1000)],
      apply: ([t]) => [ops[mode](t!, { axes })],
      noGradient: true,
      exact: true,
    };
  },
};

const reshape: OpFamily = {
  name: 'reshape',
  covers: ['reshape'],
  weight: 3,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1);
    const [head, ...rest] = shape;
    const to = r.pick([[sizeOf(shape)], [...rest, head!], [1, ...shape, 1], [sizeOf(rest), head!]]);
    return moving(`reshape to [${to.join()}]`, [anything(r, shape, small)], ([t]) => [ops.reshape(t!, to)]);
  },
};

const transpose: OpFamily = {
  name: 'transpose',
  covers: ['transpose'],
  weight: 6,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1);
    const perm = r.permutation(shape.length);
    return moving(`transpose by [${perm.join()}]`, [anything(r, shape, small)], ([t]) => [ops.transpose(t!, perm)]);
  },
};

const broadcastTo: OpFamily = {
  name: 'broadcastTo',
  covers: ['broadcastTo'],
  weight: 4,
  draw: (r, small) => {
    const whole = drawShape(r, small, 1);
    const shape = whole.slice(r.integer(0, whole.length)).map((d) => (r.chance() ? 1 : d));
    return moving(`broadcastTo [${whole.join()}]`, [anything(r, shape, small)], ([t]) => [ops.broadcastTo(t!, whole)]);
  },
};

const concat: OpFamily = {
  name: 'concat',
  covers: ['concat'],
  weight: 6,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1);
    const axis = r.integer(0, shape.length - 1);
    const count = r.integer(1, 4);
    const first = anything(r, shape, small);
    const inputs = Array.from({ length: count }, (_, i) => {
      const part = shape.map((d, k) => (k === axis ? r.integer(small ? 1 : 0, 4) : d));
      if (i === 0) return first;
      if (first.dtype === 'float') return floats(r, part);
      return { shape: part, dtype: first.dtype, data: r.ints(part, 0, 1) };
    });
    return moving(`concat along ${axis}`, inputs, (ts) => [ops.concat(ts, axis - (r.chance() ? shape.length : 0))]);
  },
};

const slice: OpFamily = {
  name: 'slice',
  covers: ['slice'],
  weight: 6,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1);
    const begin = shape.map((d) => r.integer(0, small ? d - 1 : d));
    const size = shape.map((d, i) => r.integer(small ? 1 : 0, d - begin[i]!));
    const label = `slice${JSON.stringify({ begin, size })}`;
    return moving(label, [anything(r, shape, small)], ([t]) => [ops.slice(t!, begin, size)]);
  },
};

const pad: OpFamily = {
  name: 'pad',
  covers: ['pad'],
  weight: 6,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1);
    const paddings = shape.map(() => [r.integer(0, 2), r.integer(0, 2)] as const);
    const x = anything(r, shape, small);
    const value = x.dtype === 'float' ? r.pick(small ? [0, 1.5] : [0, 1.5, -Infinity, Infinity]) : r.integer(0, 1);
    return moving(`pad${JSON.stringify(paddings)} with ${value}`, [x], ([t]) => [ops.pad(t!, paddings, value)]);
  },
};

const stopGradient: OpFamily = {
  name: 'stopGradient',
  covers: ['stopGradient'],
  weight: 1,
  draw: (r, small) => {
    const shape = drawShape(r, small);
    return {
      label: 'x * stopGradient(y)',
      inputs: [floats(r, shape), { ...ints(r, shape), dtype: 'int32' }],
      apply: ([x, y]) => [ops.mul(x!, ops.stopGradient(ops.cast(y!, x!.dtype)))],
    };
  },
};

const gather: OpFamily = {
  name: 'gather',
  covers: ['gather', 'scatterAdd'],
  weight: 6,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1).map((d) => Math.max(d, 1));
    const axis = r.integer(0, shape.length - 1);
    const indexShape = r.shape(r.integer(0, 2), small ? 1 : 0, 4);
    const indices = ints(r, indexShape, 0, shape[axis]! - 1);
    return moving(`gather along ${axis}`, [anything(r, shape, small), indices], ([t, i]) => [ops.gather(t!, i!, axis)]);
  },
};

const argMax: OpFamily = {
  name: 'argMax',
  covers: ['argMax'],
  weight: 4,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1).map((d) => Math.max(d, 1));
    const axis = r.integer(0, shape.length - 1);
    const x = r.chance() ? ints(r, shape, 0, 3) : spread(r, shape);
    return {
      label: `argMax along ${axis}`,
      inputs: [x],
      apply: ([t]) => [ops.argMax(t!, axis)],
      noGradient: true,
      exact: true,
    };
  },
};

const oneHot: OpFamily = {
  name: 'oneHot',
  covers: ['oneHot'],
  weight: 2,
  draw: (r, small) => {
    const depth = r.integer(1, 7);
    const indices = ints(r, drawShape(r, small).slice(0, 3), -2, depth + 1);
    return {
      label: `oneHot of depth ${depth}`,
      inputs: [indices],
      apply: ([t]) => [ops.oneHot(t!, depth), ops.oneHot(t!, depth, 'bool')],
      noGradient: true,
      exact: true,
    };
  },
};

const matmul: OpFamily = {
  name: 'matmul',
  covers: ['matmul'],
  weight: 12,
  draw: (r, small) => {
    const dim = (): number => (small ? r.integer(1, 3) : r.chance(0.04) ? 0 : r.pick([1, 2, 3, 5, 7, 16, 17, 33, 64]));
    const [m, k, n] = [dim(), dim(), dim()];
    const [transposeA, transposeB] = [r.chance(), r.chance()];
    const batch = r.chance(0.5) ? [] : r.shape(r.integer(1, 2), 1, 3);
    const batchB = r.chance(0.3) ? batch.map((d) => (r.chance() ? 1 : d)) : batch;
    const a = [...batch, ...(transposeA ? [k, m] : [m, k])];
    const b = [...batchB, ...(transposeB ? [n, k] : [k, n])];
    const biased = r.chance(0.3);
    return {
      label: `matmul${JSON.stringify({ transposeA, transposeB, biased })}`,
      inputs: [floats(r, a, -1, 1), floats(r, b, -1, 1), ...(biased ? [floats(r, [n], -1, 1)] : [])],
      apply: ([x, y, bias]) => {
        const product = ops.matmul(x!, y!, { transposeA, transposeB });
        return [bias ? ops.add(product, bias) : product];
      },
    };
  },
};

const softmaxes: OpFamily[] = (['softmax', 'logSoftmax'] as const).map((name) => ({
  name,
  covers: [name, `${name}Backward`],
  weight: 5,
  draw: (r, small) => {
    const shape = drawShape(r, small, 1);
    const axis = r.chance(0.7) ? -1 : r.integer(0, shape.length - 1);
    const large = !small && r.chance(0.2);
    const x = floats(r, shape, large ? -90 : -3, large ? 90 : 3);
    return { label: `${name} along ${axis}`, inputs: [x], apply: ([t]) => [ops[name](t!, axis)], relative: 3e-5 };
  },
}));

const sparseCrossEntropy: OpFamily = {
  name: 'sparseSoftmaxCrossEntropy',
  covers: ['sparseSoftmaxCrossEntropy', 'sparseSoftmaxCrossEntropyBackward'],
  weight: 5,
  draw: (r, small) => {
    const [n, c] = small ? [3, 4] : [r.integer(0, 9), r.pick([1, 2, 3, 7, 10, 17, 64])];
    return {
      label: 'sparseSoftmaxCrossEntropy',
      inputs: [floats(r, [n, c], -5, 5), ints(r, [n], 0, c - 1)],
      apply: ([x, y]) => [ops.sparseSoftmaxCrossEntropy(x!, y!)],
      relative: 2e-5,
    };
  },
};

const crossEntropy: OpFamily = {
  name: 'softmaxCrossEntropy',
  covers: ['softmaxCrossEntropy', 'softmaxCrossEntropyBackward'],
  weight: 5,
  draw: (r, small) => {
    const [n, c] = small ? [3, 4] : [r.integer(0, 9), r.pick([1, 2, 3, 7, 10, 17, 64])];
    return {
      label: 'softmaxCrossEntropy',
      inputs: [floats(r, [n, c], -5, 5), floats(r, [n, c], 0, 1)],
      apply: ([x, y]) => [ops.softmaxCrossEntropy(x!, y!)],
      relative: 2e-5,
    };
  },
};

export const layoutFamilies: readonly OpFamily[] = [
  reduce,
  reduceInt,
  reshape,
  transpose,
  broadcastTo,
  concat,
  slice,
  pad,
  stopGradient,
  gather,
  argMax,
  oneHot,
  matmul,
  ...softmaxes,
  sparseCrossEntropy,
  crossEntropy,
];
