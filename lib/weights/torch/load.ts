import type { Layer } from '../../layers/layer.js';
import type { TypedArray } from '../../tensor/dtype.js';
import type { Shape } from '../../tensor/shape.js';
import { matchWeights, type MatchReport } from '../match.js';
import { assignArray } from '../model-weights.js';
import { openSafetensors } from '../safetensors-shards.js';
import { TorchFile, type TorchArray } from './file.js';
import { IGNORED, torchWeights, type TorchWeight } from './names.js';
import { refuseTorch } from './pickle.js';

/** Options of {@link loadTorchWeights}. */
export interface LoadTorchOptions {
  /** Names in the file that the model need not have: `/^aux/` for a GoogLeNet without its auxiliary heads. */
  readonly ignore?: RegExp | undefined;
  /** Refuses a file that does not fit as a whole. True by default. */
  readonly strict?: boolean | undefined;
  /** Leaves weights alone whose shape differs, instead of refusing the file. False by default. */
  readonly skipMismatch?: boolean | undefined;
}

/** A file of tensors, whatever its format. */
interface Source extends AsyncDisposable {
  readonly entries: ReadonlyMap<string, { readonly dtype: string; readonly shape: Shape }>;
  readonly read: (name: string) => Promise<Pick<TorchArray, 'data'>>;
}

/** What wrappers put in front of all names: `DataParallel`, `torch.compile`. */
const WRAPPERS = ['module.', '_orig_mod.'];

/** A function that takes wrappers' prefixes off, if all names have them. */
function unwrap(names: readonly string[]): (name: string) => string {
  const prefix = WRAPPERS.find((p) => names.length > 0 && names.every((name) => name.startsWith(p)));
  if (prefix === undefined) return (name) => name;
  const inner = unwrap(names.map((name) => name.slice(prefix.length)));
  return (name) => inner(name.slice(prefix.length));
}

/**
 * Loads the weights of a PyTorch model (`.pth`, `.pt`, `.bin`, or `.safetensors`, sharded too, with PyTorch's names
 * and layouts) into
 * one of ours whose layers bear the names of its modules, as those in `models/` do: kernels from OIHW to HWIO, linear
 * weights transposed. All weights or none.
 *
 * @throws FoveaError ERR_SHAPE that lists every tensor that fits nowhere; ERR_FILE, ERR_NOT_FOUND
 */
export async function loadTorchWeights(
  model: Layer,
  file: string,
  options: LoadTorchOptions = {},
): Promise<MatchReport> {
  const { ignore, strict, skipMismatch } = options;
  await using source: Source = /\.safetensors(\.index\.json)?$/.test(file)
    ? await openSafetensors(file)
    : await TorchFile.open(file);
  const rename = unwrap([...source.entries.keys()]);
  const found = new Map([...source.entries].filter(([name]) => !IGNORED.test(name) && !ignore?.test(rename(name))));
  const targets = new Map(torchWeights(model).map((weight) => [weight.name, weight]));
  const { pairs, report } = matchWeights<TorchWeight, { dtype: string; shape: Shape }>(targets, found, {
    ...{ rename, strict, skipMismatch, file },
    model: model.name,
  });
  const values: [TorchWeight, TypedArray][] = [];
  for (const { target, source: name } of pairs) {
    const { data } = await source.read(name);
    values.push([target, target.convert(floats(file, name, data))]);
  }
  for (const [{ variable }, data] of values) assignArray(variable, { dtype: 'float32', shape: variable.shape, data });
  return report;
}

function floats(file: string, name: string, data: TorchArray['data']): TypedArray {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw refuseTorch(file, `tensor "${name}": expected floating-point numbers`);
}
