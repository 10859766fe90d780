import { gradsOf } from '../autograd/grad.js';
import { hostTensor, isHostTensor, type HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import { SymbolicTensor } from '../layers/symbolic.js';
import * as ops from '../ops/index.js';
import { tensor } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import { Model } from '../training/model.js';
import { imageShape } from './host-image.js';

export interface GradCamOptions {
  /** The layer whose output is looked at. The last one whose output has height and width unless told. */
  readonly layerName?: string | undefined;
  /** The class that is asked for. The likeliest of each image unless told. */
  readonly classIndex?: number | undefined;
  /** Brings maps to this height and width (bilinear). Those of the layer unless told. */
  readonly size?: readonly [height: number, width: number] | undefined;
}

const op = 'gradCam';

/** The output of the layer to look at. */
function featuresOf(model: Model, layerName: string | undefined): SymbolicTensor {
  const maps = (output: unknown): output is SymbolicTensor =>
    output instanceof SymbolicTensor && output.shape.length === 4;
  if (layerName !== undefined) {
    const { output } = model.getLayer(layerName);
    if (maps(output)) return output;
    throw mismatch('ERR_ARGUMENT', { op }, 'a layer with an output [n,h,w,c]', `"${layerName}"`);
  }
  const last = model.layers.findLast((layer) => layer.inboundNodes.length === 1 && maps(layer.output));
  if (last) return last.output as SymbolicTensor;
  throw mismatch('ERR_ARGUMENT', { op }, 'a model with a layer whose output is [n,h,w,c]', `"${model.name}"`);
}

/**
 * Where a network looks to decide for a class (Selvaraju et al. 2016, "Grad-CAM", arXiv:1610.02391): the features of a layer,
 * weighted by the mean gradient of the class's output by each, where positive.
 *
 * @param model - a functional or sequential model with one input of images and one output [n, classes]
 * @param image - as the model takes it, [h, w, c] or [n, h, w, c]
 * @returns float32 [h, w] or [n, h, w], from 0 to 1 in each image
 * @throws FoveaError ERR_ARGUMENT when the layer or the class does not fit
 */
export async function gradCam(
  model: Model,
  image: Tensor | HostTensor,
  { layerName, classIndex, size }: GradCamOptions = {},
): Promise<HostTensor> {
  if (!(image instanceof Tensor) && !isHostTensor(image)) {
    throw mismatch('ERR_ARGUMENT', { op }, 'an image as tensor', typeof image);
  }
  const shape = imageShape(op, image.shape);
  const batch = image instanceof Tensor ? image.reshape([...shape]) : tensor(image.data, [...shape]);
  if (!(model.output instanceof SymbolicTensor) || model.output.shape.length !== 2) {
    throw mismatch('ERR_ARGUMENT', { op }, 'a model with one output [n,classes]', `"${model.name}"`);
  }
  const layer = featuresOf(model, layerName);
  const features = new Model({ inputs: model.input, outputs: layer }).apply(batch, { training: false });
  const head = new Model({ inputs: layer, outputs: model.output });
  const outputs = head.apply(features, { training: false });
  const [n, classes] = outputs.shape as [number, number];
  const chosen = classIndex === undefined ? await ops.argMax(outputs, -1).data() : new Int32Array(n).fill(classIndex);
  if (classIndex !== undefined && !(Number.isInteger(classIndex) && classIndex >= 0 && classIndex < classes)) {
    throw mismatch('ERR_ARGUMENT', { op }, `classIndex from 0 to ${classes - 1}`, String(classIndex));
  }
  const mask = ops.oneHot(tensor(Int32Array.from(chosen)), classes);
  const score = (x: Tensor): Tensor => ops.sum(ops.mul(head.apply(x, { training: false }), mask));
  const gradient = gradsOf(score, [0])(features).grads[0]!;
  const weights = ops.mean(gradient, { axes: [1, 2], keepDims: true });
  let maps = ops.relu(ops.sum(ops.mul(features, weights), { axes: [3], keepDims: true }));
  if (size) maps = ops.resize(maps, size);
  const largest = ops.max(maps, { axes: [1, 2, 3], keepDims: true });
  const values = await ops.div(maps, ops.maximum(largest, 1e-12)).data();
  const sides = maps.shape.slice(1, 3);
  return hostTensor(Float32Array.from(values), image.shape.length === 3 ? sides : [n, ...sides]);
}
