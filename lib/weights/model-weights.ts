import { FoveaError } from '../errors.js';
import { tensor } from '../tensor/create.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import type { Variable } from '../tensor/variable.js';
import { SafetensorsFile, writeSafetensors, type NamedArray } from './safetensors.js';

/** Anything with weights: a model or a layer. */
export interface Weighted {
  readonly name: string;
  readonly weights: readonly Variable[];
}

/** Options of `loadWeights`. */
export interface LoadWeightsOptions {
  /** Matches weights by their order instead of their names; shapes must fit all the same. */
  readonly byOrder?: boolean;
}

/** Weights under names that no two share: a name that comes again gets a number. */
export function namedWeights(model: Weighted): Map<string, Variable> {
  const named = new Map<string, Variable>();
  for (const variable of model.weights) {
    let name = variable.name;
    for (let i = 1; named.has(name); i++) name = `${variable.name}#${i}`;
    named.set(name, variable);
  }
  return named;
}

/** Copies of variables, all as they are after what has been asked for so far. */
export async function readVariables(variables: ReadonlyMap<string, Variable>): Promise<Map<string, NamedArray>> {
  const reading = [...variables].map(async ([name, v]) => {
    const { dtype, shape } = v;
    return [name, { dtype, shape, data: await v.data() }] as const;
  });
  return new Map(await Promise.all(reading));
}

/** Writes the weights of a model to a safetensors file, atomically. */
export async function saveWeights(model: Weighted, file: string): Promise<void> {
  const named = namedWeights(model);
  const order = JSON.stringify([...named.keys()]);
  await writeSafetensors(file, await readVariables(named), { format: 'fovea-weights-1', order });
}

/**
 * Loads the weights of a model from a safetensors file: all of them, matched by name and shape, or none.
 *
 * @throws FoveaError ERR_SHAPE that lists every weight that is missing, unknown or of another shape
 */
export async function loadWeights(model: Weighted, file: string, options: LoadWeightsOptions = {}): Promise<void> {
  await using opened = await SafetensorsFile.open(file);
  await assignFrom(opened, model, file, '', options);
}

/**
 * Gives the weights of a model the values in an open file.
 *
 * @param prefix - of the names in the file; tensors without it are none of its business
 */
export async function assignFrom(
  opened: SafetensorsFile,
  model: Weighted,
  file: string,
  prefix = '',
  { byOrder = false }: LoadWeightsOptions = {},
): Promise<void> {
  const named = namedWeights(model);
  const entries = [...opened.entries.values()].filter(({ name }) => name.startsWith(prefix));
  const source = new Map<string, string>();
  if (byOrder) {
    // In the file's bytes wider types come first; the order of the model is what its list tells.
    const order = orderOf(opened) ?? entries.map(({ name }) => name);
    [...named.keys()].forEach((name, i) => order[i] !== undefined && source.set(name, order[i]));
  } else {
    for (const { name } of entries) source.set(name.slice(prefix.length), name);
  }
  const wrong: string[] = [];
  for (const [name, variable] of named) {
    const entry = opened.entries.get(source.get(name) ?? '');
    if (!entry) wrong.push(`${name} ${formatShape(variable.shape)}: not in the file`);
    else if (!sameShape(entry.shape, variable.shape)) {
      wrong.push(`${name}: expected ${formatShape(variable.shape)}, received ${formatShape(entry.shape)}`);
    }
  }
  if (byOrder && entries.length !== named.size)
    wrong.push(`expected ${named.size} weights, received ${entries.length}`);
  if (!byOrder) {
    for (const [name, full] of source) {
      if (!named.has(name)) wrong.push(`${name} ${formatShape(opened.entries.get(full)!.shape)}: not in the model`);
    }
  }
  if (wrong.length > 0) {
    const hint = named.size === 0 ? ' (the model has no weights before it is built)' : '';
    throw new FoveaError(`${file} does not fit model "${model.name}"${hint}:\n  ${wrong.join('\n  ')}`, {
      code: 'ERR_SHAPE',
      op: 'loadWeights',
      received: wrong,
    });
  }
  const values: [Variable, NamedArray][] = [];
  for (const [name, variable] of named) values.push([variable, await opened.read(source.get(name)!)]);
  for (const [variable, value] of values) assignArray(variable, value);
}

function orderOf(opened: SafetensorsFile): string[] | undefined {
  const { order } = opened.metadata;
  return order === undefined ? undefined : (JSON.parse(order) as string[]);
}

/** Gives a variable the elements of an array of its shape. */
export function assignArray(variable: Variable, { data, shape }: NamedArray): void {
  const { dtype, device } = variable;
  // Float64 files into float32 variables round; anything else that does not fit is refused by `tensor`.
  const values = dtype === 'float32' && data instanceof Float64Array ? Float32Array.from(data) : data;
  using value = tensor(values, shape, { dtype, device });
  variable.assign(value);
}
