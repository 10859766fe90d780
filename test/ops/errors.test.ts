import { describe, expect, it } from 'vitest';
import {
  devices,
  FoveaError,
  grad,
  ops,
  tensor,
  Variable,
  withDevice,
  withLayer,
  zeros,
  type Tensor,
} from '../../lib/index.js';
import { opTable } from '../../lib/ops/index.js';
import { WRONG_CALLS } from './errors-table.js';
import { testDevices } from '../support/devices.js';

/** Code and text after the op's name, for each call of the table. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  conv2d: {
    'x of rank 3': 'ERR_SHAPE expected x of rank 4, received [4,4,3]',
    'kernel of rank 3': 'ERR_SHAPE expected kernel of rank 4, received [3,3,3]',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'int32 kernel': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
    'channels that do not fit':
      'ERR_SHAPE expected inputs with 64 channels (kernel is [3,3,64,128]), received [32,28,28,32]',
    'channels that do not fit the groups':
      'ERR_SHAPE expected inputs with 4 channels (kernel is [3,3,2,8], groups 2), received [1,8,8,6]',
    'filters that groups do not divide': 'ERR_SHAPE expected filters divisible by groups 3, received kernel [3,3,2,8]',
    'groups of 0': 'ERR_ARGUMENT expected groups as a whole number of at least 1, received 0',
    'groups of 1.5': 'ERR_ARGUMENT expected groups as a whole number of at least 1, received 1.5',
    'strides of 0': 'ERR_ARGUMENT expected strides of one or two whole numbers of at least 1, received 0',
    'strides of three': 'ERR_ARGUMENT expected strides of one or two whole numbers of at least 1, received [1,1,1]',
    'dilations of -1': 'ERR_ARGUMENT expected dilations of one or two whole numbers of at least 1, received [1,-1]',
    'a word for padding':
      "ERR_ARGUMENT expected padding 'same', 'valid' or [top, bottom, left, right], received \"full\"",
    'negative padding':
      "ERR_ARGUMENT expected padding 'same', 'valid' or [top, bottom, left, right], received [0,0,-1,0]",
    'a kernel larger than the input':
      'ERR_SHAPE expected an input at least as large as the window, received 2x8 with padding [0,0,0,0] for a window of 3x3',
    'a dilated kernel larger than the input':
      'ERR_SHAPE expected an input at least as large as the window, received 4x8 with padding [0,0,0,0] for a window of 3x3 dilated by 2x2',
    'a bias of another length': 'ERR_SHAPE expected a bias of shape [8], received [6]',
    'a bias of another type': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received null',
    'a word': 'ERR_ARGUMENT expected a tensor or numbers, received string',
  },
  depthwiseConv2d: {
    'x of rank 2': 'ERR_SHAPE expected x of rank 4, received [4,4]',
    'kernel of rank 3': 'ERR_SHAPE expected kernel of rank 4, received [3,3,4]',
    'channels that do not fit': 'ERR_SHAPE expected inputs with 3 channels (kernel is [3,3,3,1]), received [1,8,8,4]',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'a window that does not fit':
      'ERR_SHAPE expected an input at least as large as the window, received 2x2 with padding [0,0,0,0] for a window of 3x3',
  },
  separableConv2d: {
    'a pointwise kernel that does not fit':
      'ERR_SHAPE expected inputs with 4 channels (kernel is [1,1,4,9]), received [1,6,6,8]',
  },
  conv2dTranspose: {
    'x of rank 3': 'ERR_SHAPE expected x of rank 4, received [4,4,3]',
    'channels that do not fit': 'ERR_SHAPE expected inputs with 8 channels (kernel is [3,3,3,8]), received [1,4,4,3]',
    'explicit padding': "ERR_ARGUMENT expected padding 'same' or 'valid', received [1,1,1,1]",
    'outputPadding as large as the stride': 'ERR_ARGUMENT expected outputPadding smaller than strides, received [2,2]',
    'int32 kernel': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
  },
  maxPool2d: {
    'x of rank 2': 'ERR_SHAPE expected x of rank 4, received [4,4]',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'poolSize of 0': 'ERR_ARGUMENT expected poolSize of one or two whole numbers of at least 1, received 0',
    'strides of 0': 'ERR_ARGUMENT expected strides of one or two whole numbers of at least 1, received [2,0]',
    'a window larger than the input':
      'ERR_SHAPE expected an input at least as large as the window, received 2x2 with padding [0,0,0,0] for a window of 3x3',
  },
  avgPool2d: {
    'x of rank 5': 'ERR_SHAPE expected x of rank 4, received [1,1,4,4,1]',
    'bool x': 'ERR_DTYPE expected x of dtype float32, received bool',
    'padding of two': "ERR_ARGUMENT expected padding 'same', 'valid' or [top, bottom, left, right], received [1,1]",
  },
  globalAvgPool2d: {
    'x of rank 3': 'ERR_SHAPE expected x of rank 4, received [4,4,1]',
  },
  globalMaxPool2d: {
    'x of rank 3': 'ERR_SHAPE expected x of rank 4, received [4,4,1]',
  },
  batchNorm: {
    'x of rank 1': 'ERR_SHAPE expected a rank of at least 2, received [4]',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'gamma of another length': 'ERR_SHAPE expected statistics of shape [4], received [3]',
    'beta of rank 2': 'ERR_SHAPE expected statistics of shape [4], received [1,4]',
    'int32 gamma': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
    'epsilon that is no number': 'ERR_ARGUMENT expected an epsilon of zero or more, received NaN',
  },
  batchNormInference: {
    'mean of another length': 'ERR_SHAPE expected statistics of shape [4], received [3]',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'gamma of another length': 'ERR_SHAPE expected statistics of shape [4], received [3]',
  },
  lrn: {
    'a scalar': 'ERR_SHAPE expected a rank of at least 1, received []',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'depthRadius of -1': 'ERR_ARGUMENT expected a depthRadius of zero or more, received -1',
    'alpha that is no number': 'ERR_ARGUMENT expected finite bias, alpha and beta, received 1, NaN, 0.5',
  },
  matmul: {
    'rank 1': 'ERR_SHAPE expected ranks of at least 2, received [4] and [4,2]',
    'inner sizes that differ':
      'ERR_SHAPE expected b with 3 rows and leading axes that broadcast, received a [4,3] and b [4,2]',
    'inner sizes that differ when transposed':
      'ERR_SHAPE expected b with 3 rows and leading axes that broadcast, received a [4,3] and b [4,2] transposed',
    'batches that do not broadcast':
      'ERR_SHAPE expected b with 3 rows and leading axes that broadcast, received a [2,4,3] and b [3,3,2]',
    'int32 a': 'ERR_DTYPE expected a of dtype float32, received int32',
    'int32 b': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
  },
  dense: {
    'features that do not fit': 'ERR_SHAPE expected inputs with 512 features (kernel is [512,10]), received [5,784]',
    'kernel of rank 1': 'ERR_SHAPE expected a kernel of rank 2, received [4]',
    'a scalar x': 'ERR_SHAPE expected inputs with 4 features (kernel is [4,2]), received []',
    'bias of another length': 'ERR_SHAPE expected a bias of shape [2], received [4]',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  softmax: {
    'a scalar': 'ERR_SHAPE expected a rank of at least 1, received []',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'axis 2 of rank 2': 'ERR_SHAPE expected an axis between -2 and 1, received 2',
  },
  logSoftmax: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'axis -3 of rank 2': 'ERR_SHAPE expected an axis between -2 and 1, received -3',
  },
  sparseSoftmaxCrossEntropy: {
    'logits of rank 3': 'ERR_SHAPE expected logits of rank 2, received [2,3,4]',
    'float labels': 'ERR_DTYPE expected labels of dtype int32, received float32',
    'labels for another batch': 'ERR_SHAPE expected labels of shape [2], received [3]',
    'labels of rank 2': 'ERR_SHAPE expected labels of shape [2], received [2,1]',
    'int32 logits': 'ERR_DTYPE expected logits of dtype float32, received int32',
  },
  softmaxCrossEntropy: {
    'targets of another shape': 'ERR_SHAPE expected targets of shape [2,3], received [2,4]',
    'int32 targets': 'ERR_DTYPE expected targets of dtype float32, received int32',
    'logits of rank 1': 'ERR_SHAPE expected logits of rank 2, received [3]',
  },
  dropout: {
    'a rate of 1': 'ERR_ARGUMENT expected a rate in [0, 1), received 1',
    'a rate below 0': 'ERR_ARGUMENT expected a rate in [0, 1), received -0.1',
    'a rate that is no number': 'ERR_ARGUMENT expected a rate in [0, 1), received NaN',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'a seed of two': 'ERR_SHAPE expected a seed of shape [4], received [2]',
    'a float seed': 'ERR_DTYPE expected seed of dtype int32, received float32',
    'a seed of 0.5': 'ERR_ARGUMENT expected a whole number as seed, received 0.5',
  },
  uniform: {
    'a shape of -1': 'ERR_SHAPE expected a shape of whole numbers of zero or more, received [-1]',
    'a limit that is no number': 'ERR_ARGUMENT expected finite parameters, received 0 and NaN',
    'a seed that is no number': 'ERR_ARGUMENT expected a whole number as seed, received NaN',
  },
  normal: {
    'a deviation of infinity': 'ERR_ARGUMENT expected finite parameters, received 0 and Infinity',
  },
  truncatedNormal: {
    'a shape of 1.5': 'ERR_SHAPE expected a shape of whole numbers of zero or more, received [1.5]',
  },
  add: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2,3] and [4]',
    'float and int32': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received undefined',
    'an object': 'ERR_ARGUMENT expected a tensor or numbers, received object',
  },
  sub: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2,3] and [3,2]',
  },
  mul: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2,1,3] and [2,2,2]',
  },
  div: {
    'whole numbers': 'ERR_DTYPE expected float32 operands (or use floorDiv or cast), received int32',
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  pow: {
    'whole numbers': 'ERR_DTYPE expected operands of dtype float32, received int32',
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  mod: {
    'float and int32': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
  },
  floorDiv: {
    'float and int32': 'ERR_DTYPE expected inputs of one dtype (the first is int32), received float32',
  },
  maximum: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  minimum: {
    'float and int32': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
  },
  equal: {
    'float and int32': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
  },
  notEqual: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  greater: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  greaterEqual: {
    'float and bool': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received bool',
  },
  less: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  lessEqual: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  and: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  or: {
    'bool and int32': 'ERR_DTYPE expected inputs of one dtype (the first is bool), received int32',
  },
  reluGrad: {
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3]',
  },
  select: {
    'branches of two types': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
    'shapes that do not broadcast': 'ERR_SHAPE expected shapes that broadcast, received [2] and [3] and [3]',
  },
  exp: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  expm1: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  log: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  log1p: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  sqrt: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  rsqrt: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  reciprocal: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  floor: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  ceil: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  round: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  sin: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  cos: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  erf: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  isNaN: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  isFinite: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  relu6: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  tanh: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  sigmoid: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  softplus: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  silu: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  hardSigmoid: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  selu: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  leakyRelu: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  elu: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  gelu: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  geluTanh: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
  },
  neg: {
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received undefined',
  },
  abs: {
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received undefined',
  },
  sign: {
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received undefined',
  },
  square: {
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received undefined',
  },
  relu: {
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received undefined',
  },
  not: {
    'no tensor': 'ERR_ARGUMENT expected a tensor or numbers, received undefined',
  },
  clip: {
    'min above max': 'ERR_ARGUMENT expected min <= max, received 1 and 0',
    'a limit that is no number': 'ERR_ARGUMENT expected min <= max, received NaN and 0',
  },
  cast: {
    'an unknown type': 'ERR_ARGUMENT expected a dtype, received float8',
  },
  sum: {
    'axis 2 of rank 2': 'ERR_SHAPE expected an axis between -2 and 1, received 2',
    'an axis twice': 'ERR_SHAPE expected distinct axes, received [0,-2]',
    'bool x': 'ERR_DTYPE expected x of dtype float32 or int32, received bool',
  },
  mean: {
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'an axis of 0.5': 'ERR_SHAPE expected an axis between -1 and 0, received 0.5',
  },
  max: {
    'axis -3 of rank 2': 'ERR_SHAPE expected an axis between -2 and 1, received -3',
    'uint8 x': 'ERR_DTYPE expected x of dtype float32 or int32, received uint8',
  },
  min: {
    'axis 0 of a scalar': 'ERR_SHAPE expected a rank of at least 1, received a scalar',
  },
  prod: {
    'bool x': 'ERR_DTYPE expected x of dtype float32 or int32, received bool',
  },
  reshape: {
    'another size': 'ERR_SHAPE expected a shape of 6 elements, received [4]',
    'two unknown axes': 'ERR_SHAPE expected a shape for 6 elements, received [-1,-1]',
    'an unknown axis that does not come out': 'ERR_SHAPE expected a shape for 6 elements, received [4,-1]',
    'a negative axis': 'ERR_SHAPE expected a shape of whole numbers of zero or more, received [-2,-3]',
  },
  flatten: {
    'a scalar': 'ERR_SHAPE expected a rank of at least 1, received []',
  },
  expandDims: {
    'axis 4 of rank 2': 'ERR_SHAPE expected an axis between -3 and 2, received 4',
  },
  squeeze: {
    'an axis of length 2': 'ERR_SHAPE expected axis 0 of length 1, received [2,1]',
  },
  transpose: {
    'an axis twice': 'ERR_ARGUMENT expected a permutation of 2 axes, received [0,0]',
    'too few axes': 'ERR_ARGUMENT expected a permutation of 2 axes, received [0]',
    'axis 2 of rank 2': 'ERR_SHAPE expected an axis between -2 and 1, received 2',
  },
  broadcastTo: {
    'a shape that does not fit': 'ERR_SHAPE expected a shape that broadcasts to [2,4], received [2,3]',
    'fewer axes': 'ERR_SHAPE expected a shape that broadcasts to [3], received [2,3]',
    'a negative axis': 'ERR_SHAPE expected a shape of whole numbers of zero or more, received [-1]',
  },
  concat: {
    nothing: 'ERR_ARGUMENT expected at least one tensor, received none',
    'shapes that differ elsewhere': 'ERR_SHAPE expected shapes like [2,3] but for axis 1, received [3,3]',
    'ranks that differ': 'ERR_SHAPE expected shapes like [2,3] but for axis 0, received [2,3,1]',
    'types that differ': 'ERR_DTYPE expected inputs of one dtype (the first is float32), received int32',
    'axis 2 of rank 2': 'ERR_SHAPE expected an axis between -2 and 1, received 2',
    scalars: 'ERR_SHAPE expected a rank of at least 1, received a scalar',
  },
  stack: {
    'shapes that differ': 'ERR_SHAPE expected tensors of one shape (the first is [2]), received [3]',
    nothing: 'ERR_ARGUMENT expected at least one tensor, received none',
  },
  slice: {
    'a block outside': 'ERR_SHAPE expected a block inside [2,3], received begin [0,2], size [2,2]',
    'begin for another rank': 'ERR_ARGUMENT expected begin and size of 2 numbers, received {"begin":[0],"size":[2]}',
    'a begin of 0.5': 'ERR_SHAPE expected a block inside [2,3], received begin [0.5,0], size [1,1]',
    'a negative size': 'ERR_SHAPE expected a block inside [2,3], received begin [0,0], size [-2,1]',
  },
  split: {
    'parts that do not come out': 'ERR_SHAPE expected axis 1 divisible by 2, received [2,5]',
    'no parts': 'ERR_ARGUMENT expected a whole number of at least 1 as count, received 0',
  },
  pad: {
    'pairs for another rank': 'ERR_ARGUMENT expected 2 pairs of whole numbers of zero or more, received [[1,1]]',
    'a negative pad': 'ERR_ARGUMENT expected 1 pairs of whole numbers of zero or more, received [[-1,0]]',
    'a pad of 0.5': 'ERR_ARGUMENT expected 1 pairs of whole numbers of zero or more, received [[0,0.5]]',
  },
  gather: {
    'float indices': 'ERR_DTYPE expected indices of dtype int32, received float32',
    'axis 2 of rank 2': 'ERR_SHAPE expected an axis between -2 and 1, received 2',
    'a scalar': 'ERR_SHAPE expected a rank of at least 1, received a scalar',
  },
  argMax: {
    'an empty axis': 'ERR_SHAPE expected axis 1 with at least one element, received [2,0]',
    'axis 1 of rank 1': 'ERR_SHAPE expected an axis between -1 and 0, received 1',
    'bool x': 'ERR_DTYPE expected x of dtype float32 or int32, received bool',
  },
  oneHot: {
    'float indices': 'ERR_DTYPE expected indices of dtype int32, received float32',
    'a depth of 0': 'ERR_ARGUMENT expected a whole number of at least 1 as depth, received 0',
    'a depth of 1.5': 'ERR_ARGUMENT expected a whole number of at least 1 as depth, received 1.5',
    'an int32 result': 'ERR_ARGUMENT expected a result of dtype float32 or bool, received int32',
  },
  resize: {
    'x of rank 3': 'ERR_SHAPE expected x of rank 4, received [4,4,1]',
    'int32 x': 'ERR_DTYPE expected x of dtype float32, received int32',
    'a size of 0': 'ERR_ARGUMENT expected size of one or two whole numbers of at least 1, received [0,8]',
    'another method':
      'ERR_ARGUMENT expected method among bilinear, nearest, bicubic, area, lanczos3, lanczos5, gaussian, ' +
      'mitchellcubic, received cubic',
    'an empty image': 'ERR_SHAPE expected images with pixels, received [1,0,4,1]',
  },
  tensor: {
    'a ragged array': 'ERR_SHAPE expected nested arrays of shape [2,2] throughout, received a ragged array',
    'a ragged array, deeper in the second':
      'ERR_SHAPE expected nested arrays of shape [2] throughout, received a ragged array',
    'too few elements': 'ERR_SHAPE expected 4 elements for shape [2,2], received 3',
    'a negative axis': 'ERR_SHAPE expected a shape of whole numbers of zero or more, received [-1,0]',
    'an unknown type': 'ERR_DTYPE expected a dtype, received float8',
    'a fraction as int32':
      'ERR_DTYPE expected whole numbers from -2147483648 to 2147483647 for dtype int32, received 2.5 at index 1',
    'a number too large for int32':
      'ERR_DTYPE expected whole numbers from -2147483648 to 2147483647 for dtype int32, received 2147483648 at index 0',
    'a negative uint8': 'ERR_DTYPE expected whole numbers from 0 to 255 for dtype uint8, received -1 at index 0',
    'a bool of 2': 'ERR_DTYPE expected whole numbers from 0 to 1 for dtype bool, received 2 at index 0',
    'a NaN as int32':
      'ERR_DTYPE expected whole numbers from -2147483648 to 2147483647 for dtype int32, received NaN at index 0',
    words: 'ERR_ARGUMENT expected numbers, received string',
    'an unknown typed array':
      'ERR_DTYPE expected a Float32Array, Float64Array, Int32Array or Uint8Array, received Int16Array',
  },
};

/** Ops that users reach under another name only, or that cannot be called wrongly. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  castBfloat16: 'cast',
  castFloat16: 'cast',
  castFloat: 'cast',
  castInt: 'cast',
  conv2dBackwardInput: 'conv2dTranspose',
  conv2dBackwardKernel: 'conv2d',
  reduce: 'sum',
  random: 'uniform',
  scatterAdd: 'gather',
  stopGradient: 'any tensor will do',
};

function errorOf(call: () => unknown): FoveaError {
  try {
    call();
  } catch (error) {
    if (error instanceof FoveaError) return error;
    throw error;
  }
  return expect.fail('expected a FoveaError, received none');
}

describe.each(Object.entries(WRONG_CALLS))('%s refuses', (op, calls) => {
  it.each(Object.entries(calls))('%s', (what, call) => {
    const error = withDevice('reference', () => errorOf(call));
    expect(`${error.code} ${error.message}`).toBe(EXPECTED[op]![what]!.replace(' ', ` ${op}: `));
    expect({ op: error.op, name: error.name }).toEqual({ op, name: 'FoveaError' });
    expect([error.expected, error.received]).not.toContain(undefined);
  });
});

describe('errors of ops', () => {
  it('every op of the table is called wrongly', () => {
    const missing = [...opTable.keys()].filter(
      (name) => !(name in WRONG_CALLS) && !(name in ELSEWHERE) && !name.endsWith('Backward'),
    );
    expect(missing).toEqual([]);
    expect(Object.keys(ELSEWHERE).filter((name) => !opTable.has(name))).toEqual([]);
  });

  it('come at the call, with the caller in the stack', () => {
    function theCaller(): void {
      ops.add(zeros([2]), zeros([3]));
    }
    expect(errorOf(theCaller).stack).toContain('theCaller');
  });

  it('name the layer that is applied', () => {
    const call = (): Tensor => ops.conv2d(zeros([32, 28, 28, 32]), zeros([3, 3, 64, 128]));
    const error = errorOf(() => withLayer('block3', () => withLayer('conv1', call)));
    expect(error.message).toBe(
      'conv2d "block3/conv1": expected inputs with 64 channels (kernel is [3,3,64,128]), received [32,28,28,32]',
    );
    expect(error.layer).toBe('block3/conv1');
    const small = errorOf(() => withLayer('pool', () => ops.maxPool2d(zeros([1, 1, 1, 1]))));
    expect(small.message).toMatch(/^maxPool2d "pool": expected an input at least as large as the window/);
  });

  it('leave the operands usable', async () => {
    const x = tensor([1, 2]);
    errorOf(() => x.add(zeros([3])));
    expect(await x.add(1).array()).toEqual([2, 3]);
  });
});

describe('disposed tensors', () => {
  const gone = (shape: number[], value = 1): Tensor => {
    const t = ops.add(zeros(shape), value);
    t.dispose();
    return t;
  };
  it.each<[string, () => unknown, string]>([
    ['add', () => ops.add(gone([2]), 1), 'add: expected a live tensor, received one of shape [2] that was disposed'],
    [
      'second operand',
      () => ops.mul(tensor([1, 2]), gone([2])),
      'mul: expected a live tensor, received one of shape [2] that was disposed',
    ],
    [
      'conv2d',
      () => ops.conv2d(gone([1, 4, 4, 1]), zeros([3, 3, 1, 1])),
      'conv2d: expected a live tensor, received one of shape [1,4,4,1] that was disposed',
    ],
    [
      'reshape to the same shape',
      () => ops.reshape(gone([2]), [2]),
      'reshape: expected a live tensor, received one of shape [2] that was disposed',
    ],
    [
      'concat of one',
      () => ops.concat([gone([2])]),
      'concat: expected a live tensor, received one of shape [2] that was disposed',
    ],
    [
      'cast to its own type',
      () => gone([2]).cast('float32'),
      'cast: expected a live tensor, received one of shape [2] that was disposed',
    ],
    [
      'dataSync',
      () => gone([2]).dataSync(),
      'dataSync: expected a live tensor, received one of shape [2] that was disposed',
    ],
    [
      'assign',
      () => new Variable(tensor([1, 2])).assign(gone([2])),
      'assign: expected a live tensor, received one of shape [2] that was disposed',
    ],
    [
      'grad',
      () => grad((x) => ops.sum(x))(gone([2])),
      'grad: expected a live tensor, received one of shape [2] that was disposed',
    ],
  ])('%s', (_name, call, message) => {
    const error = errorOf(call);
    expect(error.code).toBe('ERR_DISPOSED');
    expect(error.message).toBe(message);
  });

  it('data() rejects', async () => {
    await expect(gone([2]).data()).rejects.toThrow(
      'data: expected a live tensor, received one of shape [2] that was disposed',
    );
  });

  it('a result that is its operand is disposed apart from it', async () => {
    const x = tensor([1, 2]);
    const same = [
      ops.reshape(x, [2]),
      ops.transpose(x),
      ops.slice(x, [0], [2]),
      ops.pad(x, [[0, 0]]),
      ops.concat([x]),
      ops.broadcastTo(x, [2]),
      ops.dropout(x, 0, 1),
      x.cast('float32'),
    ];
    for (const y of same) y.dispose();
    expect(await x.array()).toEqual([1, 2]);
  });
});

describe('errors while running', () => {
  describe.each(testDevices())('on %s', (device) => {
    it('a label out of range names the row and the label, and everything stays usable', async () => {
      const [logits, labels] = withDevice(device, () => [zeros([3, 4]), tensor(Int32Array.of(0, 4, 1))]);
      const loss = withDevice(device, () => withLayer('loss', () => ops.sparseSoftmaxCrossEntropy(logits, labels)));
      await expect(loss.data()).rejects.toMatchObject({
        name: 'FoveaError',
        code: 'ERR_EXECUTION',
        op: 'sparseSoftmaxCrossEntropy',
        layer: 'loss',
        message: 'sparseSoftmaxCrossEntropy "loss": expected labels from 0 to 3, received label 4 in row 1',
      });
      await expect(ops.sum(loss).data()).rejects.toThrow('sparseSoftmaxCrossEntropy');
      expect(await ops.sum(logits).item()).toBe(0);
    });

    it('an index out of range is named', async () => {
      const y = withDevice(device, () => ops.gather(tensor([1, 2, 3]), tensor(Int32Array.of(0, -1))));
      await expect(y.data()).rejects.toThrow(
        /^gather: expected indices from 0 to 2, received (index )?-1 at position 1$/,
      );
    });
  });
});

describe('devices', () => {
  const present = devices().present.map((d) => d.name);

  it('an unknown device is named, with those there are', () => {
    const error = errorOf(() => withDevice('tpu', () => 0));
    expect([error.code, error.message]).toEqual([
      'ERR_DEVICE',
      `device tpu is unknown; there are: ${present.join(', ')}`,
    ]);
  });

  it.skipIf(present.length < 2)('tensors of two devices do not mix', () => {
    const [a, b] = [tensor([1, 2], undefined, { device: 'reference' }), tensor([1, 2], undefined, { device: 'cpu' })];
    const error = errorOf(() => ops.add(a, b));
    expect([error.code, error.op]).toEqual(['ERR_DEVICE', 'add']);
    expect(error.message).toBe('add: expected all inputs on one device, received reference and cpu');
    expect(() => ops.concat([a, b])).toThrow('concat: expected all inputs on one device');
  });

  it.skipIf(present.length < 2)('numbers and arrays go where the tensor is', async () => {
    for (const device of present) {
      const x = tensor([1, 2], undefined, { device });
      for (const other of present) {
        const [sum, picked] = withDevice(other, () => [x.add(1).mul([2, 3]), ops.select(x.greater(1), [5, 6], x)]);
        expect([sum.device, await sum.array(), await picked.array()]).toEqual([device, [4, 9], [1, 6]]);
      }
    }
  });
});
