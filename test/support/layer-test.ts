import { expect, test } from 'vitest';
import { gradsOf, valueAndGrad } from '../../lib/autograd/grad.js';
import { deserializeLayer, Layer, serializeLayer, input } from '../../lib/layers/index.js';
import type { CustomLayers, Nest, SerializedLayer, SymbolicShape, SymbolicTensor } from '../../lib/layers/index.js';
import * as ops from '../../lib/ops/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { describeEachDevice } from './each-device.js';
import { largestMagnitude } from './golden.js';
import { RandomValues } from './random-values.js';

/** What a layer must do. */
export interface LayerExpectation {
  /** Makes the layer; called several times. */
  make: () => Layer;
  /** Shapes of the inputs, with a batch. */
  inputs: readonly (readonly number[])[];
  /** Shape of the output for them. */
  output: readonly number[];
  /** Names and shapes of the weights, in their order. */
  weights?: Readonly<Record<string, readonly number[]>>;
  /** How many of the weights are trained; all of them unless told. */
  trainable?: number;
  /** Whether training gives other outputs than inference. */
  trainingDiffers?: boolean;
  /** Classes that are not registered. */
  customLayers?: CustomLayers;
  /** Whether a gradient other than 0 reaches the inputs in training. True unless told. */
  differentiable?: boolean;
}

/**
 * Defines the tests that every layer has to pass, on every device: its configuration makes it again, it is built with
 * the weights that are expected, its output has the shape that it foretells (also when that is found out by calling it),
 * gradients reach all trainable weights and the inputs, weights can be read and written, training differs from inference
 * exactly where it should.
 */
export function runLayerTest(name: string, expectation: LayerExpectation): void {
  const {
    make,
    inputs,
    output,
    weights = {},
    trainingDiffers = false,
    differentiable = true,
    customLayers,
  } = expectation;
  const names = Object.keys(weights);
  const trainable = expectation.trainable ?? names.length;
  const values = (): Tensor[] => inputs.map((shape, i) => tensor(new RandomValues(i + 1).floats(shape), shape));
  const nest = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0]! : list);
  const symbolic = (shapes: readonly SymbolicShape[]): Nest<SymbolicTensor> =>
    nest(shapes.map((batchShape) => input({ batchShape })));

  describeEachDevice(name, () => {
    test('its configuration makes it again', () => {
      const layer = make();
      const json = JSON.parse(JSON.stringify(serializeLayer(layer))) as SerializedLayer;
      const again = deserializeLayer(json, customLayers);
      expect(again.constructor).toBe(layer.constructor);
      expect(again.name).toBe(layer.name);
      expect(JSON.parse(JSON.stringify(serializeLayer(again)))).toEqual(json);
    });

    test('is built with the weights that are expected', () => {
      const layer = make();
      expect(layer.built).toBe(false);
      layer.apply(symbolic(inputs));
      expect(layer.built).toBe(true);
      expect(Object.fromEntries(layer.weights.map((w) => [w.name.slice(layer.name.length + 1), w.shape]))).toEqual(
        weights,
      );
      expect(layer.weights.map((w) => w.name)).toEqual(names.map((weight) => `${layer.name}/${weight}`));
      expect(layer.trainableWeights).toHaveLength(trainable);
      expect(layer.nonTrainableWeights).toHaveLength(names.length - trainable);
      expect(layer.countParams()).toBe(layer.weights.reduce((sum, { size }) => sum + size, 0));
    });

    test('foretells the shape of its output', async () => {
      const layer = make();
      const foretold = layer.apply(symbolic(inputs.map(([, ...rest]) => [null, ...rest])));
      expect(foretold.shape).toEqual([null, ...output.slice(1)]);
      const found = Layer.prototype.computeOutputShape.call(layer, ...inputs.map(([, ...rest]) => [null, ...rest]));
      expect(found).toEqual(foretold.shape);
      const y = layer.apply(nest(values()));
      expect(y.shape).toEqual(output);
      expect([...(await y.data())].every(Number.isFinite)).toBe(true);
    });

    test('gradients reach every trainable weight and the inputs', async () => {
      const layer = make();
      const xs = values();
      layer.apply(nest(xs));
      const { grads } = valueAndGrad(() => ops.sum(ops.square(layer.apply(nest(xs), { training: true }))));
      expect([...grads.keys()].map((v) => v.name).sort()).toEqual(layer.trainableWeights.map((v) => v.name).sort());
      for (const [variable, gradient] of grads) {
        expect(gradient.shape).toEqual(variable.shape);
        expect(largestMagnitude(await gradient.data()), variable.name).toBeGreaterThan(0);
      }
      const loss = (...list: Tensor[]): Tensor => ops.sum(ops.square(layer.apply(nest(list), { training: true })));
      const argnums = xs.map((_, i) => i);
      for (const [i, gradient] of gradsOf(loss, argnums)(...xs).grads.entries()) {
        expect(gradient.shape).toEqual(xs[i]!.shape);
        if (differentiable) expect(largestMagnitude(await gradient.data()), `input ${i}`).toBeGreaterThan(0);
      }
    });

    test('weights can be read and written', async () => {
      const [layer, other] = [make(), make()];
      const xs = values();
      const before = await layer.apply(nest(xs)).data();
      other.apply(nest(xs));
      other.setWeights(await layer.getWeights());
      expect([...(await other.apply(nest(xs)).data())]).toEqual([...before]);
    });

    test(`training ${trainingDiffers ? 'differs from' : 'is like'} inference`, async () => {
      const layer = make();
      const xs = values();
      const inference = [...(await layer.apply(nest(xs)).data())];
      const training = [...(await layer.apply(nest(xs), { training: true }).data())];
      if (trainingDiffers) expect(training).not.toEqual(inference);
      else expect(training).toEqual(inference);
    });

    test('frozen: nothing is trained, thawed: as before', () => {
      const layer = make();
      layer.trainable = false;
      layer.apply(symbolic(inputs));
      expect(layer.trainableWeights).toEqual([]);
      expect(layer.weights.some((w) => w.trainable)).toBe(false);
      layer.trainable = true;
      expect(layer.trainableWeights).toHaveLength(trainable);
    });
  });
}
