import { FoveaError, input, layers, losses, Model, optimizers, schedules, type SymbolicTensor } from '../index.js';
import { createModel, modelInfo } from '../../models/index.js';
import { suggestion } from '../layers/suggest.js';
import type { Config } from '../util/options.js';
import type { TrainConfig } from './config.js';
import { countOf, type LoadedData } from './datasets.js';
import { UsageError } from './errors.js';
import { findModel, isZooModel } from './model-source.js';
import type { Scale } from './pixels.js';

/** How pixels become inputs: as published weights want it, else 0 to 1. */
export function scaleFor({ model, weights }: TrainConfig): Scale {
  return weights !== undefined && isZooModel(model.name) ? modelInfo(model.name).preprocessing : 'unit';
}

/** The model of a configuration: of the zoo, made for the data; or a saved one. */
export async function modelFor(
  config: TrainConfig,
  { shape, classes }: LoadedData,
  signal: AbortSignal,
): Promise<Model> {
  const { name, ...options } = config.model;
  if (isZooModel(name)) {
    if (config.weights === undefined) {
      return within('model', () => createModel(name, { inputShape: shape, classes, ...options }));
    }
    return pretrained(config, config.weights, shape, classes, signal);
  }
  const [first] = [
    ...Object.keys(options).map((key) => `model: ${key}`),
    ...(config.weights === undefined ? [] : ['weights']),
  ];
  if (first !== undefined) throw new UsageError(`${first} is an option of networks of the zoo, which ${name} is not`);
  return (await findModel(name)).model;
}

/** A network with the weights of others below a new classifier, as in transfer learning. */
async function pretrained(
  { model: { name, ...options }, freezeBase = true }: TrainConfig,
  weights: string,
  inputShape: readonly number[],
  classes: number,
  signal: AbortSignal,
): Promise<Model> {
  const given = { inputShape, includeTop: false, pooling: 'avg', ...options } as const;
  const base = await createModel(name, { ...given, weights, signal });
  base.trainable = !freezeBase;
  const image = input({ shape: inputShape, name: 'image' });
  const features = base.apply<SymbolicTensor>(image);
  const outputs = layers.dense({ units: classes, activation: 'softmax', name: 'classes' }).apply(features);
  return new Model({ inputs: image, outputs, name: `${name}_transfer` });
}

/**
 * Checks that a model takes the images and tells the classes apart, before anything is written.
 *
 * @throws UsageError that says what to do
 */
export function checkFit(model: Model, { shape, classes }: LoadedData): void {
  if (model.inputs.length !== 1 || model.outputs.length !== 1) return;
  const takes = model.inputs[0]!.shape.slice(1);
  const gives = model.outputs[0]!.shape.at(-1);
  if (takes.length !== 3 || takes.some((size, i) => size !== null && size !== shape[i])) {
    const [height, width, channels] = takes;
    const resize = channels === shape[2] && takes.length === 3 ? `; --image-size ${height},${width} resizes them` : '';
    throw new UsageError(
      `data: expected images of ${takes.join('x')}, which ${model.name} takes, received ${shape.join('x')}${resize}`,
    );
  }
  if (gives === classes) return;
  throw new UsageError(`data: expected ${gives} classes, which ${model.name} tells apart, received ${classes}`);
}

/** Compiles a model as a configuration says. */
export function compileFor(model: Model, config: TrainConfig, loaded: LoadedData): void {
  const { name: loss, ...lossOptions } = config.loss;
  const optimizer = optimizerFor(config, countOf(loaded.train));
  const chosen = within('loss', () => losses.get({ className: loss, config: lossOptions as Config }));
  within('metrics', () => model.compile({ optimizer, loss: chosen, metrics: config.metrics }));
}

function optimizerFor(config: TrainConfig, images: number | undefined): optimizers.Optimizer {
  const { name, ...options } = config.optimizer;
  const plain = within('optimizer', () => optimizers.get({ className: name, config: options as Config }));
  if (!config.schedule) return plain;
  const { name: kind, ...given } = config.schedule;
  const steps = images === undefined ? undefined : config.epochs * Math.ceil(images / config.batchSize);
  const schedule = within('schedule', () =>
    schedules.get({
      className: kind,
      config: {
        ...(/piecewise/i.test(kind) ? {} : { initialLearningRate: plain.learningRate }),
        ...(/cosine_?decay$|polynomial/i.test(kind) && steps !== undefined ? { decaySteps: steps } : {}),
        ...given,
      } as Config,
    }),
  );
  plain.learningRate = schedule;
  return plain;
}

/** Errors of the library about an option tell where in the configuration it is. */
function within<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof FoveaError)) throw error;
    const { message, expected, received, code } = error;
    const names = code === 'ERR_NOT_FOUND' && Array.isArray(expected) ? (expected as string[]) : [];
    const text = message.startsWith(`${where}:`) ? message : `${where}: ${message}`;
    throw new UsageError(`${text}${suggestion(String(received), names)}`);
  }
}
