import { formatShape } from '../../../tensor/shape.js';
import type { KernelCall, ReferenceKernel, TensorType } from './kernel.js';

/** Verifies operands of one float shape `[...,c]` and returns c. */
function readClasses(call: KernelCall, ...operands: readonly TensorType[]): number {
  call.float(...operands);
  const x = operands[0]!;
  const c = x.shape.at(-1);
  if (c === undefined) throw call.invalid('x of rank 1 or more', '[]');
  for (const operand of operands) call.shape('every operand', operand, x.shape);
  return c;
}

/**
 * log(softmax(x)) of the `c` values from `start`, as a function of the index. The maximum is taken off first: nothing
 * overflows, and ties of huge numbers stay ties.
 */
function logProbabilities(x: Float64Array, start: number, c: number): (index: number) => number {
  let max = -Infinity;
  for (let i = start; i < start + c; i++) max = Math.max(max, x[i]!);
  let sum = 0;
  for (let i = start; i < start + c; i++) sum += Math.exp(x[i]! - max);
  const log = Math.log(sum);
  return (index) => x[index]! - max - log;
}

/** A kernel over the last axis: `row` gets the start of each row of `c` values. */
function rowKernel(
  inputs: number,
  row: (start: number, c: number, inputs: readonly Float64Array[], output: Float64Array) => void,
): ReferenceKernel {
  return {
    prepare(call) {
      call.count(inputs, 1);
      const c = readClasses(call, ...call.inputs, call.output(0));
      return (ins, [out]) => {
        for (let start = 0; start < out!.length; start += c) row(start, c, ins, out!);
      };
    },
  };
}

/** y = exp(x) / sum(exp(x)). */
export const softmax = rowKernel(1, (start, c, [x], y) => {
  const logP = logProbabilities(x!, start, c);
  for (let i = start; i < start + c; i++) y[i] = Math.exp(logP(i));
});

/** y = x - log(sum(exp(x))). */
export const logSoftmax = rowKernel(1, (start, c, [x], y) => {
  const logP = logProbabilities(x!, start, c);
  for (let i = start; i < start + c; i++) y[i] = logP(i);
});

/** dx = y * (dy - sum(dy * y)). */
export const softmaxBackward = rowKernel(2, (start, c, [y, dy], dx) => {
  let sum = 0;
  for (let i = start; i < start + c; i++) sum += dy![i]! * y![i]!;
  for (let i = start; i < start + c; i++) dx[i] = y![i]! * (dy![i]! - sum);
});

/** dx = dy - exp(y) * sum(dy). */
export const logSoftmaxBackward = rowKernel(2, (start, c, [y, dy], dx) => {
  let sum = 0;
  for (let i = start; i < start + c; i++) sum += dy![i]!;
  for (let i = start; i < start + c; i++) dx[i] = dy![i]! - Math.exp(y![i]!) * sum;
});

/** Verifies logits [n,c] with labels int32 [n] (sparse) or targets [n,c]; returns n and c. */
function readCrossEntropy(call: KernelCall, sparse: boolean): { n: number; c: number } {
  const [logits, targets] = call.inputs as [TensorType, TensorType];
  call.rank('logits', logits, 2);
  const [n, c] = logits.shape as [number, number];
  if (sparse) {
    call.float(logits);
    call.dtype(targets, 'int32');
    call.shape('labels', targets, [n]);
  } else {
    call.float(logits, targets);
    call.shape('targets', targets, [n, c]);
  }
  return { n, c };
}

/** Verifies the operand with one loss a row. */
function checkLoss(call: KernelCall, operand: TensorType, n: number): void {
  call.float(call.input(0), operand);
  call.shape('the losses', operand, [n]);
}

function checkLabels(call: KernelCall, labels: Float64Array, c: number): void {
  const row = labels.findIndex((label) => label < 0 || label >= c);
  if (row >= 0) throw call.failed(`labels from 0 to ${c - 1}`, `label ${labels[row]} in row ${row}`);
}

/** loss = logsumexp(logits) - logits[label], that is -logSoftmax(logits)[label]. */
export const sparseSoftmaxCrossEntropy: ReferenceKernel = {
  prepare(call) {
    call.count(2, 1);
    const { n, c } = readCrossEntropy(call, true);
    checkLoss(call, call.output(0), n);
    return ([logits, labels], [loss]) => {
      checkLabels(call, labels!, c);
      for (let i = 0; i < n; i++) loss![i] = -logProbabilities(logits!, i * c, c)(i * c + labels![i]!);
    };
  },
};

/** dlogits = (softmax(logits) - onehot(label)) * dloss. */
export const sparseSoftmaxCrossEntropyBackward: ReferenceKernel = {
  prepare(call) {
    call.count(3, 1);
    const { n, c } = readCrossEntropy(call, true);
    checkLoss(call, call.input(2), n);
    checkGradient(call);
    return ([logits, labels, dloss], [dlogits]) => {
      checkLabels(call, labels!, c);
      for (let i = 0; i < n; i++) {
        const logP = logProbabilities(logits!, i * c, c);
        for (let j = 0; j < c; j++) {
          const hit = labels![i] === j ? 1 : 0;
          dlogits![i * c + j] = (Math.exp(logP(i * c + j)) - hit) * dloss![i]!;
        }
      }
    };
  },
};

/** loss = -sum(targets * logSoftmax(logits)). */
export const softmaxCrossEntropy: ReferenceKernel = {
  prepare(call) {
    call.count(2, 1);
    const { n, c } = readCrossEntropy(call, false);
    checkLoss(call, call.output(0), n);
    return ([logits, targets], [loss]) => {
      for (let i = 0; i < n; i++) {
        const logP = logProbabilities(logits!, i * c, c);
        let sum = 0;
        for (let j = i * c; j < (i + 1) * c; j++) sum += targets![j]! * logP(j);
        loss![i] = -sum;
      }
    };
  },
};

/** dlogits = (softmax(logits) * sum(targets) - targets) * dloss. */
export const softmaxCrossEntropyBackward: ReferenceKernel = {
  prepare(call) {
    call.count(3, 1);
    const { n, c } = readCrossEntropy(call, false);
    checkLoss(call, call.input(2), n);
    checkGradient(call);
    return ([logits, targets, dloss], [dlogits]) => {
      for (let i = 0; i < n; i++) {
        const logP = logProbabilities(logits!, i * c, c);
        let mass = 0;
        for (let j = i * c; j < (i + 1) * c; j++) mass += targets![j]!;
        for (let j = i * c; j < (i + 1) * c; j++) {
          dlogits![j] = (Math.exp(logP(j)) * mass - targets![j]!) * dloss![i]!;
        }
      }
    };
  },
};

function checkGradient(call: KernelCall): void {
  const [logits, dlogits] = [call.input(0), call.output(0)];
  call.float(logits, dlogits);
  if (dlogits.shape.length !== 2) throw call.invalid('dlogits of rank 2', formatShape(dlogits.shape));
  call.shape('dlogits', dlogits, logits.shape);
}
