import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { createModel } from '../../../models/index.js';
import { loadModel, saveModel, saveWeights, type Model } from '../../index.js';
import { UsageError } from '../errors.js';
import { isZooModel, savedModel, unknownModel } from '../model-source.js';
import { bytes, grouped, type Output } from '../output.js';

export interface ConvertOptions {
  /** The network of the zoo that a file of weights belongs to. */
  readonly model?: string;
  readonly classes?: number;
  readonly inputShape?: (number | null)[];
  readonly weightsOnly?: boolean;
  readonly force?: boolean;
}

type Writer = (model: Model, target: string) => Promise<void>;

/** `fovea convert` */
export async function run(source: string, target: string, options: ConvertOptions, out: Output): Promise<void> {
  const write = writerFor(target, options.weightsOnly ?? false);
  const file = savedModel(source);
  if (file === undefined) throw new UsageError(`convert: cannot find ${source}`);
  if (existsSync(target) && !options.force) {
    throw new UsageError(`convert: ${target} is there already; --force replaces it`);
  }
  const model = await read(file, options);
  await write(model, target);
  const size = sizeOf(target);
  const parameters = model.weights.reduce((sum, { shape }) => sum + shape.reduce((product, d) => product * d, 1), 0);
  const result = { source: file, target, model: model.name, parameters, bytes: size };
  out.result(result, `${target}: ${model.name}, ${grouped(parameters)} parameters, ${bytes(size)}`);
}

/** What writes a target: the end of its name tells. */
function writerFor(target: string, weightsOnly: boolean): Writer {
  if (/\.(pth|pt|bin)$/.test(target)) {
    throw new UsageError(
      `convert: files of PyTorch are read, not written; .safetensors is what both sides read: ${target}`,
    );
  }
  if (target.endsWith('.onnx')) {
    return async (model, file) => {
      const { exportOnnx } = await import('../../weights/onnx/index.js');
      await exportOnnx(model, file);
    };
  }
  if (weightsOnly || target.endsWith('.weights.h5')) return saveWeights;
  const extension = path.extname(target);
  if (['', '.safetensors', '.keras', '.h5', '.hdf5'].includes(extension)) return saveModel;
  throw new UsageError(
    `convert: expected a target of .safetensors, .keras, .h5, .weights.h5 or .onnx, or a folder, received ${target}`,
  );
}

async function read(file: string, options: ConvertOptions): Promise<Model> {
  const { model: name, classes, inputShape } = options;
  if (name === undefined) return loadModel<Model>(file);
  if (!isZooModel(name)) throw unknownModel(name);
  // `./` so that a file is a file, though it be called `imagenet`.
  const weights = path.isAbsolute(file) ? file : `./${file}`;
  return createModel(name, {
    ...{ weights, ...(classes === undefined ? {} : { classes }), ...(inputShape ? { inputShape } : {}) },
  });
}

function sizeOf(target: string): number {
  const stats = statSync(target);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(target).reduce((sum, name) => sum + sizeOf(path.join(target, name)), 0);
}
