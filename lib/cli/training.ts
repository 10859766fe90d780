import path from 'node:path';
import {
  callbacks,
  currentDevice,
  FoveaError,
  losses,
  optimizers,
  saveModel,
  schedules,
  setDevice,
  setPolicy,
  setRandomSeed,
  type Callback,
  type Logs,
  type Model,
} from '../index.js';
import { createModel } from '../../models/index.js';
import { ProgressBar } from '../training/callbacks/progress-bar.js';
import { suggestion } from '../layers/suggest.js';
import { RUN_FILES, type RunFolder } from '../training/run-folder.js';
import { InterruptError } from '../training/interrupt.js';
import type { Config } from '../util/options.js';
import type { TrainConfig } from './config.js';
import { countOf, loadData, type LoadedData } from './datasets.js';
import { environment } from './environment.js';
import { UsageError } from './errors.js';
import { checkModelName, findModel, isZooModel } from './model-source.js';
import { grouped, type Output } from './output.js';

/** What a training came to. */
export interface TrainResult {
  readonly run: string;
  readonly status: 'finished';
  /** Epochs in all, with those before it was resumed. */
  readonly epochs: number;
  /** The last epoch's. */
  readonly metrics: Logs;
  /** On the test images, of the model in the end. */
  readonly test: Logs | null;
  readonly seconds: number;
}

/** A training that is ready to begin. */
export interface Prepared {
  readonly config: TrainConfig;
  readonly data: LoadedData;
  readonly model: Model;
}

/** Loads the data and makes the model: what can be wrong with a configuration is found here, before anything is written. */
export async function prepare(config: TrainConfig, signal: AbortSignal): Promise<Prepared> {
  checkModelName(config.model.name);
  if (config.device !== undefined) setDevice(config.device);
  setPolicy(config.precision);
  setRandomSeed(config.seed);
  const data = await loadData(config.data, signal);
  const model = await modelFor(config, data);
  compileFor(model, config, data);
  return { config, data, model };
}

/**
 * Trains, and leaves everything in a run folder.
 *
 * @param signal - ends training after the running batch, with a checkpoint to go on from
 */
export async function train(
  { config, data, model }: Prepared,
  run: RunFolder,
  out: Output,
  signal: AbortSignal,
): Promise<TrainResult> {
  const begin = performance.now();
  const seconds = (): number => Math.round((performance.now() - begin) / 10) / 100;
  const parameters = parametersOf(model);
  const facts = {
    ...{ command: ['fovea', ...process.argv.slice(2)], folder: process.cwd(), started: new Date().toISOString() },
    ...{ environment: await environment(), data: data.facts, model: { name: model.name, parameters } },
  };
  await run.saveConfig(config);
  await run.saveRun({ ...facts, status: 'running' });
  out.log(`${model.name}, ${grouped(parameters)} parameters, on ${currentDevice()}`);
  out.log(
    `${config.data.name}: ${countOf(data.train) ?? '?'} images to train, ${countOf(data.validation) ?? 0} to validate, ` +
      `${data.classes} classes`,
  );
  out.log(`run folder: ${run.path}`);
  try {
    const history = await model.fit(batches(data.train, config, config.seed), {
      ...{ epochs: config.epochs, verbose: 0, signal, callbacks: callbacksFor(config, run, out) },
      ...(data.validation ? { validationData: batches(data.validation, config) } : {}),
    });
    const test = data.test ? await evaluateOn(model, data.test, config, out, signal) : null;
    await saveModel(model, run.file(RUN_FILES.model));
    const result: TrainResult = {
      ...{ run: run.path, status: 'finished', epochs: history.epoch.length, metrics: history.last },
      ...{ test, seconds: seconds() },
    };
    await run.saveRun({ ...facts, ...result, ended: new Date().toISOString() });
    return result;
  } catch (error) {
    const status = error instanceof InterruptError ? 'interrupted' : 'failed';
    const reason = (error as Error).message;
    const ended = new Date().toISOString();
    // The error that is being told counts more than one in writing that it was.
    await run.saveRun({ ...facts, status, reason, seconds: seconds(), ended }).catch(() => undefined);
    if (status === 'interrupted') out.log(`${reason}; go on with: fovea train --resume ${quoted(run.path)}`);
    throw error;
  }
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

type Examples = LoadedData['train'];

/** Batches of examples, shuffled when a seed is given. */
export function batches(examples: Examples, { batchSize }: { readonly batchSize: number }, seed?: number) {
  const shuffled = seed === undefined ? examples : examples.shuffle(countOf(examples) ?? 10_000, { seed });
  return shuffled.batch(batchSize).prefetch(2);
}

/** Loss and metrics over examples; progress on standard error. */
export async function evaluateOn(
  model: Model,
  examples: Examples,
  config: { readonly batchSize: number },
  out: Output,
  signal: AbortSignal,
): Promise<Logs> {
  const progress = new ProgressBar('auto', process.stderr);
  out.log(`test: ${countOf(examples) ?? '?'} images`);
  return model.evaluate(batches(examples, config), { verbose: 0, callbacks: [progress], signal });
}

/** The model of a configuration: of the zoo, made for the data; or a saved one. */
export async function modelFor({ model: config }: TrainConfig, { shape, classes }: LoadedData): Promise<Model> {
  const { name, ...options } = config;
  if (!isZooModel(name)) {
    if (Object.keys(options).length > 0) {
      const [first] = Object.keys(options);
      throw new UsageError(`model: ${first} is an option of networks of the zoo, which ${name} is not`);
    }
    return (await findModel(name)).model;
  }
  return createModel(name, { inputShape: shape, classes, ...options });
}

export function compileFor(model: Model, config: TrainConfig, loaded: LoadedData): void {
  const { name: loss, ...lossOptions } = config.loss;
  model.compile({
    optimizer: optimizerFor(config, countOf(loaded.train)),
    loss: losses.get({ className: loss, config: lossOptions as Config }),
    metrics: config.metrics,
  });
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

function callbacksFor({ callbacks: config, checkpointEvery }: TrainConfig, run: RunFolder, out: Output): Callback[] {
  const print = (line: string): void => out.log(line);
  const told = { verbose: 1, print } as const;
  const { earlyStopping, reduceLROnPlateau, modelCheckpoint, tensorBoard, terminateOnNaN } = config;
  const best = { monitor: 'val_loss', ...given(modelCheckpoint ?? {}), saveBestOnly: true };
  return [
    ...(terminateOnNaN ? [new callbacks.TerminateOnNaN()] : []),
    ...(reduceLROnPlateau ? [new callbacks.ReduceLROnPlateau({ ...given(reduceLROnPlateau), ...told })] : []),
    new ProgressBar('auto', process.stderr),
    // After the line on the terminal, which has no room for it.
    new callbacks.ThroughputMeter(),
    ...(earlyStopping ? [new callbacks.EarlyStopping({ ...given(earlyStopping), ...told })] : []),
    ...(modelCheckpoint ? [new callbacks.ModelCheckpoint(run.file(RUN_FILES.best), best)] : []),
    ...(tensorBoard ? [new callbacks.TensorBoard(run.file(RUN_FILES.tensorboard), given(tensorBoard))] : []),
    new callbacks.RunLogger(run, path.basename(run.path)),
    new callbacks.BackupAndRestore(run.file(RUN_FILES.checkpoint), {
      ...{ saveFreq: checkpointEvery ?? 'epoch', deleteCheckpoint: false },
    }),
  ];
}

/** The options that were given. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function parametersOf(model: Model): number {
  return model.weights.reduce((sum, { shape }) => sum + shape.reduce((product, d) => product * d, 1), 0);
}
