import { isHostTensor, type HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import { tensor } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import { imageOf, imageShape } from './host-image.js';
import { preprocessingOf } from './models.js';

/**
 * How pixels from 0 to 255 become inputs, in Keras's words: `caffe` is BGR minus the means of ImageNet, `tf` is -1 to 1,
 * `torch` is 0 to 1 minus means, divided by deviations; `none` leaves values as they are.
 */
export type PreprocessMode = 'caffe' | 'tf' | 'torch' | 'none';

/** y[c] = x[channel[c]] * scale[c] + offset[c]: what every mode is. */
interface Affine {
  readonly channel: readonly number[];
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** Statistics of ImageNet's pixels in 0..1, RGB. */
export const IMAGENET_MEAN: readonly [number, number, number] = [0.485, 0.456, 0.406];
export const IMAGENET_STD: readonly [number, number, number] = [0.229, 0.224, 0.225];

const AFFINE: Readonly<Record<PreprocessMode, Affine>> = {
  caffe: { channel: [2, 1, 0], scale: [1, 1, 1], offset: [-103.939, -116.779, -123.68] },
  tf: { channel: [0, 1, 2], scale: [1 / 127.5, 1 / 127.5, 1 / 127.5], offset: [-1, -1, -1] },
  torch: {
    channel: [0, 1, 2],
    scale: IMAGENET_STD.map((std) => 1 / (255 * std)),
    offset: IMAGENET_MEAN.map((mean, c) => -mean / IMAGENET_STD[c]!),
  },
  none: { channel: [0, 1, 2], scale: [1, 1, 1], offset: [0, 0, 0] },
};

/**
 * Prepares pixels as a network's published weights expect them (Keras's `preprocess_input`).
 *
 * @param x - RGB values from 0 to 255, [h, w, 3] or [n, h, w, 3]
 * @param mode - one of the modes, or the name of a network of the zoo: `'resnet50'`
 * @returns float32 of the same shape, on the host when `x` is
 * @throws FoveaError ERR_SHAPE when there are not three channels, ERR_NOT_FOUND for an unknown name
 */
export function preprocessInput(x: Tensor, mode: PreprocessMode | (string & {})): Tensor;
export function preprocessInput(x: HostTensor, mode: PreprocessMode | (string & {})): HostTensor;
export function preprocessInput(x: Tensor | HostTensor, mode: PreprocessMode | (string & {})): Tensor | HostTensor {
  const op = 'preprocessInput';
  if (!(x instanceof Tensor) && !isHostTensor(x)) throw mismatch('ERR_ARGUMENT', { op }, 'a tensor', typeof x);
  const shape = imageShape(op, x.shape);
  if (shape[3] !== 3) throw mismatch('ERR_SHAPE', { op }, 'images of 3 channels (RGB)', `[${x.shape.join(',')}]`);
  const word = Object.hasOwn(AFFINE, mode) ? (mode as PreprocessMode) : preprocessingOf(op, mode).mode;
  const affine = AFFINE[word];
  return x instanceof Tensor ? onDevice(x, affine) : imageOf(onHost(x.data, affine), shape, x);
}

function onHost(x: ArrayLike<number>, { channel, scale, offset }: Affine): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i += 3) {
    for (let c = 0; c < 3; c++) y[i + c] = x[i + channel[c]!]! * scale[c]! + offset[c]!;
  }
  return y;
}

function onDevice(x: Tensor, { channel, scale, offset }: Affine): Tensor {
  const float = x.dtype === 'float64' ? x : ops.cast(x, 'float32');
  const row = (values: readonly number[]): Tensor =>
    tensor([...values], [3], { dtype: float.dtype, device: float.device });
  const order = tensor([...channel], [3], { dtype: 'int32', device: float.device });
  const reversed = channel[0] === 0 ? float : ops.gather(float, order, -1);
  return ops.add(ops.mul(reversed, row(scale)), row(offset));
}
