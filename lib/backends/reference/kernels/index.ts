import { batchNorm, batchNormBackward } from './batch-norm.js';
import { conv2d, conv2dBackwardInput, conv2dBackwardKernel } from './conv.js';
import { concat, copy, oneHot, pad, slice, transpose } from './data-movement.js';
import { elementwise } from './elementwise.js';
import { elementwiseGroup } from './elementwise-group.js';
import { gather, scatterAdd } from './gather.js';
import type { ReferenceKernel } from './kernel.js';
import { lrn, lrnBackward } from './lrn.js';
import { matmul } from './matmul.js';
import { avgPool2d, avgPool2dBackward, maxPool2d, maxPool2dBackward } from './pool.js';
import { dropout, random } from './random.js';
import { argMax, reduce } from './reduce.js';
import { resize } from './resize.js';
import {
  logSoftmax,
  logSoftmaxBackward,
  softmax,
  softmaxBackward,
  softmaxCrossEntropy,
  softmaxCrossEntropyBackward,
  sparseSoftmaxCrossEntropy,
  sparseSoftmaxCrossEntropyBackward,
} from './softmax.js';

/** Every kernel of docs/kernels.md, by name: the specification of what the native ones compute. */
export const REFERENCE_KERNELS: ReadonlyMap<string, ReferenceKernel> = new Map(
  Object.entries({
    elementwise,
    elementwiseGroup,
    conv2d,
    conv2dBackwardInput,
    conv2dBackwardKernel,
    maxPool2d,
    maxPool2dBackward,
    avgPool2d,
    avgPool2dBackward,
    batchNorm,
    batchNormBackward,
    lrn,
    lrnBackward,
    matmul,
    softmax,
    logSoftmax,
    softmaxBackward,
    logSoftmaxBackward,
    sparseSoftmaxCrossEntropy,
    sparseSoftmaxCrossEntropyBackward,
    softmaxCrossEntropy,
    softmaxCrossEntropyBackward,
    dropout,
    random,
    reduce,
    argMax,
    concat,
    slice,
    pad,
    transpose,
    oneHot,
    gather,
    scatterAdd,
    resize,
    copy,
  }),
);
