import path from 'node:path';
import { onInterrupt, type RunFolder } from '../../index.js';
import { createRunFolder, openRunFolder, RUN_FILES } from '../../training/run-folder.js';
import { checkConfig, jsonSchema, readConfigFile, type TrainConfig } from '../config.js';
import { UsageError } from '../errors.js';
import type { Output } from '../output.js';
import { prepare, train, type TrainResult } from '../training.js';

export interface TrainOptions {
  readonly config?: string;
  readonly resume?: string;
  readonly schema?: boolean;
  readonly model?: string;
  readonly data?: string;
  readonly folder?: string;
  readonly imageSize?: [number, number];
  readonly limit?: number;
  readonly validationSplit?: number;
  readonly weights?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: string;
  readonly learningRate?: number;
  readonly schedule?: string;
  readonly precision?: string;
  readonly device?: string;
  readonly seed?: number;
  readonly earlyStopping?: number;
  readonly tensorboard?: boolean;
  readonly checkpointEvery?: number;
  readonly runs: string;
  readonly name?: string;
}

/** `fovea train` */
export async function run(options: TrainOptions, out: Output): Promise<void> {
  if (options.schema) return out.result(jsonSchema(), () => JSON.stringify(jsonSchema(), null, 2));
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  if (options.resume === undefined) {
    const prepared = await prepare(await newConfig(options), signal);
    tell(await train(prepared, await newFolder(options, prepared.config), out, signal), out);
  } else {
    const [config, folder] = await resumed(options, options.resume);
    tell(await train(await prepare(config, signal), folder, out, signal), out);
  }
}

function tell(result: TrainResult, out: Output): void {
  out.result(result, () => {
    const numbers = { ...result.metrics, ...prefixed('test_', result.test ?? {}) };
    const width = Math.max(...Object.keys(numbers).map((name) => name.length));
    const lines = Object.entries(numbers).map(
      ([name, value]) => `${name.padEnd(width)}  ${Number(value.toPrecision(5))}`,
    );
    return [...lines, '', `${result.epochs} epochs, ${result.seconds} s; everything is in ${result.run}`].join('\n');
  });
}

async function newConfig(options: TrainOptions): Promise<TrainConfig> {
  const fromFile = options.config === undefined ? {} : await readConfigFile(options.config);
  const merged = merge(fromFile, options);
  for (const name of ['model', 'data'] as const) {
    if (merged[name] !== undefined || options.config !== undefined) continue;
    throw new UsageError(`train: expected --${name} (or --config FILE, or --resume RUN), received none`);
  }
  return checkConfig(merged, options.config ?? 'train');
}

function newFolder(options: TrainOptions, { model, data }: TrainConfig): Promise<RunFolder> {
  const name = options.name ?? `${path.basename(model.name)}-${data.name}`;
  return createRunFolder({ root: options.runs, name });
}

async function resumed(options: TrainOptions, run: string): Promise<[TrainConfig, RunFolder]> {
  const changes = Object.keys(options).filter(
    (key) => options[key as keyof TrainOptions] !== undefined && !['resume', 'epochs', 'runs', 'json'].includes(key),
  );
  if (changes.length > 0) {
    throw new UsageError(
      `train: --resume goes on with the run's own configuration; only --epochs may change, not ${changes.join(', ')}`,
    );
  }
  const folder = await openRunFolder(run);
  const file = folder.file(RUN_FILES.config);
  const config = checkConfig(await readConfigFile(file), file);
  return [{ ...config, epochs: options.epochs ?? config.epochs }, folder];
}

/** The file with what the flags say. */
function merge(file: Readonly<Record<string, unknown>>, flags: TrainOptions): Record<string, unknown> {
  const { epochs, batchSize, precision, device, seed, checkpointEvery, weights } = flags;
  const merged: Record<string, unknown> = { ...file };
  for (const [name, value] of Object.entries({
    epochs,
    batchSize,
    precision,
    device,
    seed,
    checkpointEvery,
    weights,
  })) {
    if (value !== undefined) merged[name] = value;
  }
  // A flag that names another one leaves nothing of the options of the first.
  for (const name of ['model', 'data', 'optimizer', 'schedule'] as const) {
    if (flags[name] !== undefined) merged[name] = { name: flags[name] };
  }
  const { folder, imageSize, limit, validationSplit } = flags;
  const testLimit = limit;
  into(merged, 'data', { folder, imageSize, limit, testLimit, validationSplit });
  into(merged, 'optimizer', { learningRate: flags.learningRate }, { name: 'adam' });
  into(merged, 'callbacks', {
    earlyStopping:
      flags.earlyStopping === undefined ? undefined : { patience: flags.earlyStopping, restoreBestWeights: true },
    tensorBoard: flags.tensorboard ? {} : undefined,
  });
  return merged;
}

/** Puts values into an object of a configuration; `"adam"` there is short for `{ "name": "adam" }`. */
function into(config: Record<string, unknown>, key: string, values: object, fallback: object = {}): void {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined);
  if (defined.length === 0) return;
  const before = config[key];
  const object = typeof before === 'string' ? { name: before } : ((before as object | undefined) ?? fallback);
  config[key] = { ...object, ...Object.fromEntries(defined) };
}

function prefixed(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}
