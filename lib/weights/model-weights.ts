import { FoveaError } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import { tensor } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { fileKind } from './file-kind.js';
import { matchWeights, type MatchOptions, type MatchReport } from './match.js';
import { openWeights } from './open-weights.js';
import { writeSafetensors, type NamedArray, type SafetensorsFile } from './safetensors.js';
import { writeShardedSafetensors } from './safetensors-shards.js';
import { SafetensorsWeights } from './safetensors-weights.js';
import { namedWeights, type Weighted, type WeightFile } from './weight-file.js';

export { namedWeights, type Weighted } from './weight-file.js';

/** Options of `loadWeights`. */
export interface LoadWeightsOptions extends Pick<MatchOptions, 'by' | 'rename' | 'skipMismatch' | 'strict'> {
  /** The same as `by: 'order'`. */
  readonly byOrder?: boolean;
}

/** Options of `saveWeights`. */
export interface SaveWeightsOptions {
  /** Makes several safetensors files of at most so many bytes, and `<name>.safetensors.index.json`, where one is too large. */
  readonly maxShardBytes?: number | undefined;
}

/** Copies of variables, all as they are after what has been asked for so far. */
export async function readVariables(variables: ReadonlyMap<string, Variable>): Promise<Map<string, NamedArray>> {
  const reading = [...variables].map(async ([name, v]) => {
    const { dtype, shape } = v;
    return [name, { dtype, shape, data: await v.data() }] as const;
  });
  return new Map(await Promise.all(reading));
}

/**
 * Writes the weights of a model, atomically. A name that ends in `.weights.h5` makes a file that Keras 3 loads into the
 * same model, any other a safetensors file.
 *
 * @throws FoveaError ERR_ARGUMENT for other names in `.h5`, whose layout would be anyone's guess
 */
export async function saveWeights(model: Weighted, file: string, options: SaveWeightsOptions = {}): Promise<void> {
  if (file.endsWith('.weights.h5')) {
    const { saveKerasWeights } = await import('./keras/save.js');
    return saveKerasWeights(model, file);
  }
  if (/\.(h5|hdf5|keras)$/.test(file)) {
    throw new FoveaError(
      `saveWeights "${model.name}": expected a name that ends in .weights.h5 or .safetensors, received '${file}'`,
      { op: 'saveWeights', received: file },
    );
  }
  const named = namedWeights(model);
  const order = JSON.stringify([...named.keys()]);
  const metadata = { format: 'fovea-weights-1', order };
  const { maxShardBytes } = options;
  if (maxShardBytes === undefined) await writeSafetensors(file, await readVariables(named), metadata);
  else await writeShardedSafetensors(file, await readVariables(named), maxShardBytes, metadata);
}

/**
 * Loads the weights of a model from a file: safetensors, Keras (`.h5` of any generation, `.weights.h5`, `.keras`), tfjs
 * (`model.json`) or PyTorch (see `loadTorchWeights`), told apart by their content. All of them, matched by name and shape, or none, unless `strict` is
 * false. Legacy `.h5` files whose layers have other names than the model's are matched by order, as Keras does.
 *
 * @returns what was matched and what was not
 * @throws FoveaError ERR_SHAPE that lists every weight that is missing, unknown or of another shape
 */
export async function loadWeights(
  model: Weighted,
  file: string,
  options: LoadWeightsOptions = {},
): Promise<MatchReport> {
  if ((await fileKind(file, 'loadWeights')) === 'pickle') {
    const { loadTorchWeights } = await import('./torch/load.js');
    const { strict, skipMismatch } = options;
    return loadTorchWeights(model as Weighted & Layer, file, { strict, skipMismatch });
  }
  await using opened = await openWeights(file);
  return await assignWeights(opened, model, options);
}

/** Gives the weights of a model the values in an open file, or changes none. */
export async function assignWeights(
  opened: WeightFile,
  model: Weighted,
  { byOrder = false, by = byOrder ? 'order' : undefined, rename, skipMismatch, strict }: LoadWeightsOptions = {},
): Promise<MatchReport> {
  const plan = opened.plan(model, { by, rename });
  const { pairs, report } = matchWeights(plan.targets, plan.tensors, {
    by: plan.by,
    rename: plan.rename,
    skipMismatch,
    strict,
    file: opened.path,
    model: model.name,
  });
  const loads = await Promise.allSettled(pairs.map(async ({ target, source }) => opened.load?.(source, target)));
  try {
    const values: (Tensor | NamedArray)[] = [];
    for (const [i, load] of loads.entries()) {
      if (load.status === 'rejected') throw load.reason;
      values.push(load.value ?? (await opened.read(pairs[i]!.source)));
    }
    for (const [i, { target }] of pairs.entries()) {
      const value = values[i]!;
      if (value instanceof Tensor) target.assign(value);
      else assignArray(target, value);
    }
  } finally {
    for (const load of loads) if (load.status === 'fulfilled') load.value?.dispose();
  }
  return report;
}

/**
 * Gives the weights of a model the values in an open safetensors file.
 *
 * @param prefix - of the names in the file; tensors without it are none of its business
 */
export async function assignFrom(opened: SafetensorsFile, model: Weighted, prefix = ''): Promise<void> {
  await assignWeights(new SafetensorsWeights(opened, prefix), model);
}

/** Gives a variable the elements of an array of its shape. */
export function assignArray(variable: Variable, { data, shape }: NamedArray): void {
  const { dtype, device } = variable;
  // Float64 files into float32 variables round; anything else that does not fit is refused by `tensor`.
  const values = dtype === 'float32' && data instanceof Float64Array ? Float32Array.from(data) : data;
  using value = tensor(values, shape, { dtype, device });
  variable.assign(value);
}
