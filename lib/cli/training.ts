import path from 'node:path';
import {
  callbacks,
  currentDevice,
  saveModel,
  setDevice,
  setPolicy,
  setRandomSeed,
  type Callback,
  type Logs,
  type Model,
} from '../index.js';
import { ProgressBar } from '../training/callbacks/progress-bar.js';
import { InterruptError } from '../training/interrupt.js';
import { RUN_FILES, type RunFolder } from '../training/run-folder.js';
import type { TrainConfig } from './config.js';
import { countOf, loadData, type LoadedData } from './datasets.js';
import { environment } from './environment.js';
import { checkModelName } from './model-source.js';
import { grouped, type Output } from './output.js';
import { checkFit, compileFor, modelFor, scaleFor } from './training-model.js';

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
  const scale = config.data.scale ?? scaleFor(config);
  const data = await loadData(config.data, scale, signal);
  const model = await modelFor(config, data, signal);
  checkFit(model, data);
  compileFor(model, config, data);
  return { config: { ...config, data: { ...config.data, scale } }, data, model };
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
    const history = await model.fit(batches(data, 'train', config, config.seed), {
      ...{ epochs: config.epochs, verbose: 0, signal, callbacks: callbacksFor(config, run, out) },
      ...(data.validation ? { validationData: batches(data, 'validation', config) } : {}),
    });
    const test = data.test ? await evaluateOn(model, data, 'test', config, out, signal) : null;
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

type Part = 'train' | 'validation' | 'test';

/** Batches of a part of the data, shuffled when a seed is given. */
export function batches(data: LoadedData, part: Part, { batchSize }: { readonly batchSize: number }, seed?: number) {
  const examples = data[part]!;
  const shuffled = seed === undefined ? examples : examples.shuffle(countOf(examples) ?? 10_000, { seed });
  return (data.stage ? shuffled.map(data.stage) : shuffled).batch(batchSize).prefetch(2);
}

/** Loss and metrics over examples; progress on standard error. */
export async function evaluateOn(
  model: Model,
  data: LoadedData,
  part: Part,
  config: { readonly batchSize: number },
  out: Output,
  signal: AbortSignal,
): Promise<Logs> {
  const progress = new ProgressBar('auto', process.stderr);
  out.log(`${part}: ${countOf(data[part]) ?? '?'} images`);
  return model.evaluate(batches(data, part, config), { verbose: 0, callbacks: [progress], signal });
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
