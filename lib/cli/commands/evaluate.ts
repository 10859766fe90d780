import { existsSync } from 'node:fs';
import path from 'node:path';
import { onInterrupt } from '../../index.js';
import { RUN_FILES } from '../../training/run-folder.js';
import { checkConfig, readConfigFile } from '../config.js';
import { UsageError } from '../errors.js';
import { savedModel, unknownModel } from '../model-source.js';
import type { Output } from '../output.js';
import { evaluateOn, prepare } from '../training.js';

export interface EvaluateOptions {
  readonly data?: string;
  readonly folder?: string;
  readonly imageSize?: [number, number];
  readonly split: string;
  readonly limit?: number;
  readonly batchSize?: number;
  readonly device?: string;
  readonly loss?: string;
}

const SPLITS = ['train', 'validation', 'test'] as const;

/** `fovea evaluate` */
export async function run(name: string, options: EvaluateOptions, out: Output): Promise<void> {
  const split = SPLITS.find((part) => part === options.split);
  if (!split)
    throw new UsageError(`evaluate: expected --split to be one of ${SPLITS.join(', ')}, received ${options.split}`);
  const file = savedModel(name);
  if (file === undefined) throw unknownModel(name);
  using interrupt = onInterrupt();
  const asked = checkConfig(await configOf(name, file, options), 'evaluate');
  const { config, data, model } = await prepare(asked, interrupt.signal);
  const examples = data[split];
  if (!examples) throw new UsageError(`evaluate: ${config.data.name} has no ${split} images`);
  const metrics = await evaluateOn(model, data, split, config, out, interrupt.signal);
  const images = examples.cardinality;
  out.result({ model: file, data: config.data.name, split, images, metrics }, () => {
    const lines = Object.entries(metrics).map(([key, value]) => `${key}: ${Number(value.toPrecision(5))}`);
    return [`${config.data.name}, ${split}, ${images} images`, ...lines].join('\n');
  });
}

/** The configuration of the run that the model is from, with what the flags say. */
async function configOf(name: string, file: string, options: EvaluateOptions): Promise<Record<string, unknown>> {
  const inRun = path.join(name, RUN_FILES.config);
  const run = existsSync(inRun) ? await readConfigFile(inRun) : {};
  const { folder, imageSize, limit, batchSize, device } = options;
  const before = options.data === undefined ? (run['data'] as object | undefined) : { name: options.data };
  if (!before) throw new UsageError(`evaluate: expected --data, or the folder of a run, received neither`);
  const limits = limit === undefined ? {} : { limit, testLimit: limit };
  // The model has its weights, whatever they were in the beginning.
  const { weights: _, freezeBase: __, ...rest } = run;
  return {
    ...rest,
    model: file,
    data: { ...before, ...(folder === undefined ? {} : { folder }), ...(imageSize ? { imageSize } : {}), ...limits },
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(device === undefined ? {} : { device }),
    ...(options.loss === undefined ? {} : { loss: options.loss }),
  };
}
