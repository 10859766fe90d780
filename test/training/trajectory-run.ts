import { Variable, ops, tensor, zeros, type Tensor } from '../../lib/index.js';
import * as losses from '../../lib/losses/index.js';
import * as optimizers from '../../lib/optimizers/index.js';
import * as schedules from '../../lib/schedules/index.js';
import { compileModel, predictOnBatch, trainOnBatch } from '../../lib/training/trainer.js';
import type { TypedArray } from '../../lib/index.js';
import { fillSpec, label, unit, type FillSpec, type GeneratedSpec } from '../support/fill.js';
import { FashionNet, MixedNet, ResNet34, TransferNet, type Net } from './trajectory-nets.js';

/** A number of a tensor: its norm and its first eight elements. */
export interface Sample {
  readonly name: string;
  readonly shape: readonly number[];
  readonly l2: number;
  readonly first: readonly number[];
}

interface Phase {
  readonly steps: number;
  readonly trainable?: boolean;
  readonly optimizer: Readonly<Record<string, unknown>> & { readonly name: string };
}

/** One case of training.json.gz. */
export interface TrainingCase {
  readonly id: string;
  readonly model: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly batch: number;
  readonly phases: readonly Phase[];
  readonly loss: {
    readonly name: string;
    readonly from_logits: boolean;
    readonly label_smoothing?: number;
    readonly class_weight?: readonly number[];
  };
  readonly weights: readonly (FillSpec & { readonly path: string })[];
  readonly x: GeneratedSpec;
  readonly labels: { readonly seed: number; readonly classes: number };
  readonly sampleWeight?: FillSpec;
  readonly expected: {
    readonly losses: readonly number[];
    readonly accuracy: readonly number[];
    readonly gradientNorm: readonly number[];
    readonly gradientsStep0: readonly Sample[];
    readonly weightsAfter: readonly Sample[];
    readonly inferenceAfter: { readonly shape: readonly number[]; readonly values: readonly number[] };
  };
  readonly noise: {
    readonly losses: readonly number[];
    readonly gradientNormRel: number;
    readonly weightL2Rel: number;
    readonly weightFirst: number;
    readonly inference: number;
  };
}

/** What a run of a case gave; the shapes are the fixture's. */
export interface Trajectory {
  readonly losses: number[];
  readonly accuracy: number[];
  readonly gradientNorm: number[];
  readonly gradientsStep0: Map<string, TypedArray>;
  readonly weightsAfter: Map<string, TypedArray>;
  inferenceAfter: TypedArray;
}

function makeNet({ model, kwargs }: TrainingCase): Net {
  switch (model) {
    case 'fashion_cnn':
      return new FashionNet(kwargs as unknown as ConstructorParameters<typeof FashionNet>[0]);
    case 'mixed_net':
      return new MixedNet();
    case 'transfer_net':
      return new TransferNet();
    case 'resnet34':
      return new ResNet34(kwargs['bn_momentum'] as number);
    default:
      throw new Error(`no network ${model}`);
  }
}

function makeOptimizer({ name, schedule, ...options }: Phase['optimizer']): optimizers.Optimizer {
  const config: Record<string, unknown> = { ...options };
  if (schedule !== undefined) {
    const { name: className, ...rest } = schedule as { name: string };
    config['learningRate'] = schedules.get({ className, config: rest });
  }
  return optimizers.get({ className: name, config } as Parameters<typeof optimizers.get>[0]);
}

/** Weights by the fixture's names, which leave out the model's. */
function named(net: Net): Map<string, Variable> {
  return new Map(net.weights.map((variable) => [short(variable.name), variable]));
}

function short(path: string): string {
  return path.replace(/^(fashion_cnn|resnet34|mixed_net|transfer_net)\//, '').replace(/^base\//, '');
}

/** Records the gradients that reach an optimizer: their common norm at each step, and the gradients themselves. */
function recordGradients(optimizer: optimizers.Optimizer, norm: Variable, kept: Map<string, Variable>): void {
  const apply = optimizer.apply.bind(optimizer);
  optimizer.apply = (grads) => {
    const pairs = [...grads];
    const squares = pairs.map(([, g]) => ops.sum(ops.square(g!)));
    norm.assign(ops.sqrt(squares.reduce((a, b) => ops.add(a, b))));
    for (const [variable, g] of pairs) {
      const name = short(variable.name);
      if (!kept.has(name)) kept.set(name, new Variable(zeros(variable.shape), { name: `gradient/${name}` }));
      kept.get(name)!.assign(g!);
    }
    apply(pairs);
  };
}

/** Weights moved by one unit of rounding (2^-23 of each), up or down as `seed` draws; none for seed 0. */
function nudge(values: Float32Array, seed: number): Float32Array {
  return seed === 0 ? values : values.map((v, i) => v * (1 + (unit(seed, i) < 0.5 ? -1 : 1) * 2 ** -23));
}

/**
 * Trains a case by `trainOnBatch`, on the current device.
 *
 * @param moved - seed of initial weights moved within rounding; 0 takes them as they are
 */
export async function runCase(c: TrainingCase, moved = 0): Promise<Trajectory> {
  const net = makeNet(c);
  const [steps, batch, ...image] = c.x.shape as [number, number, ...number[]];
  const x = fillSpec(c.x) as Float32Array;
  const size = x.length / steps;
  const images = (t: number): Tensor => tensor(x.subarray(t * size, (t + 1) * size), [batch, ...image]);
  const { seed, classes } = c.labels;
  const labels = (t: number): Tensor =>
    tensor(Int32Array.from({ length: batch }, (_, j) => label(seed, t * batch + j, classes)));
  const sampleWeights = c.sampleWeight && (fillSpec(c.sampleWeight) as Float32Array);
  const oneHot = c.loss.name === 'categorical_crossentropy';
  const { class_weight: weights, name: _, ...lossOptions } = c.loss;

  net.apply(images(0)); // makes the weights
  const variables = named(net);
  for (const spec of c.weights) {
    const variable = variables.get(short(spec.path));
    if (!variable) throw new Error(`no weight ${spec.path} among ${[...variables.keys()].join(' ')}`);
    variable.assign(tensor(nudge(fillSpec(spec) as Float32Array, moved), spec.shape));
  }
  const result: Trajectory = {
    losses: [],
    accuracy: [],
    gradientNorm: [],
    gradientsStep0: new Map(),
    weightsAfter: new Map(),
    inferenceAfter: new Float32Array(),
  };
  let t = 0;
  for (const phase of c.phases) {
    if (phase.trainable !== undefined && net instanceof TransferNet) net.base.trainable = phase.trainable;
    const optimizer = makeOptimizer(phase.optimizer);
    const norm = new Variable(zeros([]));
    const gradients = new Map<string, Variable>();
    recordGradients(optimizer, norm, gradients);
    const loss = oneHot
      ? losses.categoricalCrossentropy({ fromLogits: true, labelSmoothing: c.loss.label_smoothing ?? 0 })
      : losses.sparseCategoricalCrossentropy({ fromLogits: lossOptions.from_logits });
    compileModel(net, { optimizer, loss, metrics: ['accuracy'] });
    for (let i = 0; i < phase.steps; i++, t++) {
      const y = oneHot ? ops.oneHot(labels(t), classes) : labels(t);
      const logs = await trainOnBatch(net, images(t), y, {
        ...(sampleWeights ? { sampleWeight: sampleWeights.subarray(t * batch, (t + 1) * batch) } : {}),
        ...(weights ? { classWeight: Object.fromEntries(weights.entries()) } : {}),
      });
      result.losses.push(logs['loss']!);
      result.accuracy.push(logs['accuracy']!);
      result.gradientNorm.push((await norm.data())[0]!);
      if (t > 0) continue;
      for (const [name, variable] of gradients) result.gradientsStep0.set(name, await variable.data());
    }
  }
  for (const [name, variable] of variables) result.weightsAfter.set(name, await variable.data());
  const logits = await predictOnBatch(net, images(0));
  result.inferenceAfter = await logits.data();
  return result;
}

export { short };
