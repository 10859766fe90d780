import type { KernelCall, ReferenceKernel, TensorType } from './kernel.js';

/** Verifies the operands with one value a channel and returns the number of channels. */
function readChannels(call: KernelCall, x: TensorType, perChannel: Readonly<Record<string, TensorType>>): number {
  call.float(x);
  call.floatWide(x, ...Object.values(perChannel));
  const c = x.shape.at(-1);
  if (c === undefined) throw call.invalid('x of rank 1 or more', '[]');
  for (const [name, operand] of Object.entries(perChannel)) call.shape(name, operand, [c]);
  return c;
}

/**
 * mean and biased variance over all axes but the last, the variance from the deviations (two passes);
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta.
 */
export const batchNorm: ReferenceKernel = {
  prepare(call) {
    call.count(3, 3);
    const [x, gamma, beta] = call.inputs as [TensorType, TensorType, TensorType];
    const [y, mean, variance] = call.outputs as [TensorType, TensorType, TensorType];
    const c = readChannels(call, x, { gamma, beta, mean, variance });
    call.float(x, y);
    call.shape('y', y, x.shape);
    const epsilon = call.number('epsilon', 0);
    const relu = call.word('activation', 'linear', 'relu') === 'relu';
    return ([xs, gammas, betas], [ys, means, variances]) => {
      const rows = xs!.length / c;
      means!.fill(0);
      for (let i = 0; i < xs!.length; i++) means![i % c]! += xs![i]!;
      for (let j = 0; j < c; j++) means![j]! /= rows;
      variances!.fill(0);
      for (let i = 0; i < xs!.length; i++) variances![i % c]! += (xs![i]! - means![i % c]!) ** 2;
      for (let j = 0; j < c; j++) variances![j]! /= rows;
      for (let i = 0; i < xs!.length; i++) {
        const j = i % c;
        const normal = (xs![i]! - means![j]!) / Math.sqrt(variances![j]! + epsilon);
        const value = normal * gammas![j]! + betas![j]!;
        ys![i] = relu && value < 0 ? 0 : value;
      }
    };
  },
};

/**
 * With n rows, s = 1 / sqrt(variance + epsilon) and the normalised z = (x - mean) * s:
 * dbeta = sum dy, dgamma = sum dy * z, dx = gamma * s * (dy - dbeta / n - z * dgamma / n).
 */
export const batchNormBackward: ReferenceKernel = {
  prepare(call) {
    call.count([5, 6], 3);
    const [x, gamma, mean, variance, dy] = call.inputs as [TensorType, TensorType, TensorType, TensorType, TensorType];
    const [dx, dgamma, dbeta] = call.outputs as [TensorType, TensorType, TensorType];
    const c = readChannels(call, x, { gamma, mean, variance, dgamma, dbeta });
    const y = call.inputs[5];
    call.float(x, dy, y, dx);
    for (const [name, operand] of Object.entries({ dy, dx, y: y ?? x })) call.shape(name, operand, x.shape);
    const epsilon = call.number('epsilon', 0);
    return ([xs, gammas, means, variances, dys, ys], [dxs, dgammas, dbetas]) => {
      const rows = xs!.length / c;
      const scale = variances!.map((v) => 1 / Math.sqrt(v + epsilon));
      const upstream = (i: number): number => (ys === undefined || ys[i]! > 0 ? dys![i]! : 0);
      dgammas!.fill(0);
      dbetas!.fill(0);
      for (let i = 0; i < xs!.length; i++) {
        const j = i % c;
        dbetas![j]! += upstream(i);
        dgammas![j]! += upstream(i) * (xs![i]! - means![j]!) * scale[j]!;
      }
      for (let i = 0; i < xs!.length; i++) {
        const j = i % c;
        const z = (xs![i]! - means![j]!) * scale[j]!;
        dxs![i] = gammas![j]! * scale[j]! * (upstream(i) - dbetas![j]! / rows - (z * dgammas![j]!) / rows);
      }
    };
  },
};
