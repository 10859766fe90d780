import { compile, losses, Model, ops, optimizers, tensor, valueAndGrad } from '../../lib/index.js';
import type { Layer, SymbolicTensor, Tensor } from '../../lib/index.js';
import { expect } from 'vitest';
import { fillSpec, label, type FillSpec } from './fill.js';
import { expectTapClose, expectTensorClose, largestMagnitude, readGolden } from './golden.js';
import type { ExpectedTensor, FullTensor, Tap } from './golden.js';

// Comparing networks of models/ with the fixtures of test/golden.
//
// - `readModel('models-keras/VGG16.json')`, `readSeedModel('lenet5')`: a fixture.
// - `fixtureState(fixture)`: its weights by name, made by the fill: what a file of real weights holds.
// - `checkCounts(model, fixture)`: parameters, in total, trainable and not, exactly.
// - `checkModel(model, fixture, { load, tapLayer })`: loads the weights through `load` (`loadKeras`, or e.g.
//   `(model, state) => model.setWeights(fromStateDict(model, state))`), runs the fixture's input, and compares logits,
//   probabilities or features, and all taps. Make the model with `classifierActivation: null`, so that it gives logits.
//   Returns how far everything was off. `tapLayer` gives the layer of a tap where their names differ.
// - `checkTraining(model)`: a step of gradient descent lowers the loss of its batch, and gradients reach every weight.
//   Make the model with small images, few classes, `classifierActivation: null` and no dropout.
// - `disposeModel(model)`: frees the weights at once; in `afterEach`.
// - `FULL`: whether the biggest ones are run too (FOVEA_ZOO_FULL=1; `npm run test:zoo -- --full`).
// - `report(name, errors)`: prints a line.

/** Whether every fixture is run whole. */
export const FULL = !['', '0', undefined].includes(process.env['FOVEA_ZOO_FULL']);

/** A weight of a fixture: Keras's path or PyTorch's name, and how its values are made. */
export type WeightSpec = FillSpec & {
  readonly path?: string;
  readonly name?: string;
  readonly trainable?: boolean;
  readonly parameter?: boolean;
};

/** What a fixture of a model holds; see test/golden/README.md. */
export interface ModelFixture {
  readonly model: string;
  readonly inputShape: readonly number[];
  readonly weights: readonly WeightSpec[];
  readonly params: { readonly total: number; readonly trainable: number; readonly nonTrainable: number };
  readonly input: FillSpec;
  /** Keras: the layers in the order of old weight files, with the numbers of their weights. */
  readonly legacyOrder?: readonly (readonly [string, readonly number[]])[];
  readonly logits?: FullTensor;
  readonly probabilities?: FullTensor;
  readonly features?: ExpectedTensor;
  readonly taps: readonly Tap[];
}

export function readModel(file: string): ModelFixture {
  return readGolden<ModelFixture>(file);
}

export function readSeedModel(name: string): ModelFixture {
  const found = readGolden<{ models: readonly ModelFixture[] }>('models-seed.json').models.find(
    ({ model }) => model === name,
  );
  if (!found) throw new Error(`models-seed.json has no model ${name}`);
  return found;
}

/** Weights by name, as a file of them holds them. */
export type State = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
>;

export function fixtureState({ weights }: ModelFixture): State {
  return new Map(weights.map((spec) => [spec.path ?? spec.name ?? '', { shape: spec.shape, data: fillSpec(spec) }]));
}

/**
 * Loads weights by Keras's paths, which are our variables' names.
 *
 * @param prefix - of the paths in the file, where it is a subclassed model's: `lenet5/`
 */
export function loadKeras(model: Layer, state: State, prefix = ''): void {
  const used = new Set<string>();
  const values = model.weights.map((weight) => {
    const path = prefix + weight.name;
    const found = state.get(path);
    if (!found) throw new Error(`${model.name}: the fixture has no weight ${path}`);
    expect(weight.shape, path).toEqual(found.shape);
    used.add(path);
    return found.data;
  });
  const left = [...state.keys()].filter((path) => !used.has(path));
  expect(left, `${model.name}: weights of the fixture that the model has not`).toEqual([]);
  model.setWeights(values);
}

/** Expects Keras's old files to hold our layers in their order, each with its trained weights in front of the others. */
export function checkLegacyOrder(model: Model, { legacyOrder, weights }: ModelFixture, prefix = ''): void {
  const ours = model.layers.map((layer) => [
    layer.name,
    [...layer.trainableWeights, ...layer.nonTrainableWeights].map((weight) => prefix + weight.name),
  ]);
  const theirs = legacyOrder!.map(([layer, indices]) => [layer, indices.map((i) => weights[i]!.path)]);
  expect(ours.filter(([, names]) => names!.length > 0)).toEqual(theirs);
}

/** Expects the same weights, by name, shape and order, as the fixture lists: Keras's `model.weights`. */
export function checkWeightList(model: Layer, fixture: ModelFixture): void {
  const line = (name: string, shape: readonly number[], trainable: boolean | undefined): string =>
    `${name} [${shape.join()}] ${trainable ? 'trainable' : 'fixed'}`;
  expect(model.weights.map((w) => line(w.name, w.shape, w.trainable))).toEqual(
    fixture.weights.map((w) => line(w.path ?? '', w.shape, w.trainable)),
  );
}

/** Expects the numbers of parameters to be the fixture's. */
export function checkCounts(model: Layer, { params }: Pick<ModelFixture, 'params'>): void {
  const count = (weights: readonly { readonly size: number }[]): number => weights.reduce((sum, w) => sum + w.size, 0);
  expect({
    total: model.countParams(),
    trainable: count(model.trainableWeights),
    nonTrainable: count(model.nonTrainableWeights),
  }).toEqual(params);
}

/** How far a model was off, and how long that took. */
export interface ModelErrors {
  /** Largest difference of a logit or feature. */
  readonly output: number;
  /** Largest difference of a sampled number of a tap, relative to the tap's largest magnitude. */
  readonly taps: number;
  readonly seconds: number;
}

export interface CheckOptions {
  /** Brings the fixture's weights into the model. {@link loadKeras} unless given. */
  load?: (model: Model, state: State) => void;
  /** The layer whose output a tap is. Of the same name unless given. */
  tapLayer?: (tap: string) => string;
  /** Allowed difference of logits, and of features relative to the largest. */
  logits?: number;
  features?: number;
  taps?: number;
}

/** Loads a fixture's weights and compares what the model makes of the fixture's input. */
export async function checkModel(
  model: Model,
  fixture: ModelFixture,
  { load = loadKeras, tapLayer = (tap) => tap, logits = 1e-4, features = 1e-5, taps = 1e-4 }: CheckOptions = {},
): Promise<ModelErrors> {
  const start = performance.now();
  load(model, fixtureState(fixture));
  const x = tensor(fillSpec(fixture.input), fixture.input.shape);

  // First as users run it, with everything fused that can be.
  const whole = compile((input: Tensor) => {
    const y = model.apply<Tensor>(input);
    return fixture.logits ? { y, probabilities: ops.softmax(y) } : { y };
  });
  const { y, probabilities } = whole(x);
  const values = await y.data();
  const expected = fixture.logits ?? fixture.features!;
  const tolerance = fixture.logits ? { relative: 0, absolute: logits } : { relative: features, absolute: 0 };
  expectTensorClose(values, y.shape, expected, { ...tolerance, label: fixture.logits ? 'logits' : 'features' });
  if (probabilities) {
    const close = { relative: 0, absolute: 1e-5, label: 'probabilities' };
    expectTensorClose(await probabilities.data(), probabilities.shape, fixture.probabilities!, close);
  }
  whole.dispose();

  // Then with every tap as an output of its own. That of the classifier holds logits.
  const outputs = fixture.taps.map(({ name }) => model.getLayer(tapLayer(name)).output as SymbolicTensor);
  const tapped = new Model({ inputs: model.inputs, outputs });
  const run = compile((input: Tensor) => tapped.apply<Tensor | Tensor[]>(input));
  const made = [run(x)].flat();
  let worst = 0;
  for (const [i, tap] of fixture.taps.entries()) {
    const tapValues = await made[i]!.data();
    expectTapClose(tapValues, made[i]!.shape, tap, { relative: taps });
    const scale = largestMagnitude(tapValues);
    tap.at.forEach((want, k) => (worst = Math.max(worst, Math.abs(tapValues[tap.indices[k]!]! - want) / scale)));
    made[i]!.dispose();
  }
  run.dispose();
  const list = 'values' in expected ? expected.values : [];
  const output = list.reduce((most, want, i) => Math.max(most, Math.abs(want - values[i]!)), 0);
  return { output, taps: worst, seconds: (performance.now() - start) / 1000 };
}

/** Frees a model's weights. */
export function disposeModel(model: Layer): void {
  for (const weight of model.weights) weight.dispose();
}

/** Prints how a comparison went. */
export function report(name: string, { output, taps, seconds }: ModelErrors): void {
  console.log(
    `${name}: outputs within ${output.toExponential(1)}, taps within ${taps.toExponential(1)} (relative), ` +
      `${seconds.toFixed(1)} s`,
  );
}

export interface TrainingOptions {
  /** Images of the batch. 4 unless given. */
  batch?: number;
  /** Makes the batch from other numbers. */
  seed?: number;
  /** Range of the images. -1 to 1 unless given. */
  range?: readonly [number, number];
  /** A scalar, from what the model returns and labels. Crossentropy from logits unless given. */
  loss?: (outputs: Tensor, labels: Tensor) => Tensor;
  /** Names of weights that may have a gradient of zero. */
  unreached?: RegExp;
  /** Steps of Adam, instead of one step of gradient descent. */
  adamSteps?: number;
}

/**
 * One step of gradient descent on a batch, of the length that should take a tenth of the loss away: expects the loss to
 * be lower afterwards, and a gradient that is not all zeros for every trainable weight. With `adamSteps` the loss is to
 * be lower after these.
 */
export async function checkTraining(
  model: Model,
  { batch = 4, seed = 77, range: [lo, hi] = [-1, 1], loss, unreached, adamSteps }: TrainingOptions = {},
): Promise<{ before: number; after: number }> {
  const input = [model.inputs].flat()[0] as SymbolicTensor;
  const output = [model.outputs].flat()[0] as SymbolicTensor;
  const classes = output.shape.at(-1)!;
  const shape = [batch, ...(input.shape.slice(1) as readonly number[])];
  const x = tensor(fillSpec({ shape, seed, lo, hi }), shape);
  const labels = Int32Array.from({ length: batch }, (_, i) => label(seed, i, classes));
  const crossentropy = losses.sparseCategoricalCrossentropy({ fromLogits: true });
  const lossOf = loss ?? ((y: Tensor, t: Tensor): Tensor => crossentropy.apply(t, y));
  const adam = adamSteps === undefined ? undefined : optimizers.adam({ learningRate: 1e-3 });
  const step = compile((images: Tensor, targets: Tensor) => {
    const { value, grads } = valueAndGrad(
      () => lossOf(model.apply<Tensor>(images, { training: true }), targets),
      model.trainableWeights,
    );
    if (adam) adam.apply(grads);
    else {
      const squares = [...grads.values()].map((grad) => ops.sum(ops.square(grad)));
      const rate = ops.div(
        ops.mul(value, 0.1),
        squares.reduce((a, b) => ops.add(a, b)),
      );
      for (const [weight, grad] of grads) weight.assign(ops.sub(weight.value, ops.mul(grad, rate)));
    }
    return { value, largest: [...grads.values()].map((grad) => ops.max(ops.abs(grad))) };
  });
  const targets = tensor(labels, [batch]);
  const first = step(x, targets);
  const before = (await first.value.data())[0]!;
  const largest = await Promise.all(first.largest.map(async (t) => (await t.data())[0]!));
  const zero = model.trainableWeights
    .map(({ name }, i) => ({ name, gradient: largest[i]! }))
    .filter(({ name, gradient }) => !(gradient > 0 && gradient < Infinity) && !unreached?.test(name));
  expect(zero, `${model.name}: weights without a gradient`).toEqual([]);
  for (let i = 1; i < (adamSteps ?? 1); i++) for (const made of Object.values(step(x, targets)).flat()) made.dispose();
  const second = step(x, targets);
  const after = (await second.value.data())[0]!;
  step.dispose();
  adam?.variables.forEach((variable) => variable.dispose());
  expect(after, `${model.name}: loss after the step (before: ${before})`).toBeLessThan(before);
  return { before, after };
}
