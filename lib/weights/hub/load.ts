import { stat } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import type { Layer } from '../../layers/layer.js';
import type { MatchReport } from '../match.js';
import { loadWeights } from '../model-weights.js';
import { openSafetensors } from '../safetensors-shards.js';
import { loadTorchWeights, torchWeights } from '../torch/index.js';
import { publishedFor } from './find.js';
import { pullWeights, type PullOptions } from './pull.js';

/** Classifiers of torchvision's and timm's networks. */
const TORCH_CLASSIFIER = /^(fc|classifier|last_linear)\./;
/** GoogLeNet's auxiliary heads, which training needs only. */
const TORCH_AUXILIARY = /^aux\d\./;

/** Keras's old files are matched by order: most were written under other names. */
const BY_ORDER = { by: 'order' } as const;

/** Whether `weights` means published ones: not the path of a file. */
export function isPublishedName(model: string, weights: string): boolean {
  const name = weights.toLowerCase();
  return name === 'imagenet' || publishedFor(model).some((entry) => entry.name.toLowerCase() === name);
}

/**
 * Loads weights into a network of the zoo: published ones, which are downloaded when they are not in the cache folder, or
 * those of a file.
 *
 * @param zooName - the network's name in the zoo: `resnet50`
 * @param weights - `imagenet`, a publisher's name (`IMAGENET1K_V1`), or the path of a file of any format that
 *   `loadWeights` reads, safetensors with PyTorch's names too
 * @throws FoveaError ERR_SHAPE that lists what does not fit; ERR_NOT_FOUND, ERR_NETWORK, ERR_DATA, ERR_FILE
 */
export async function loadPretrained(
  model: Layer,
  zooName: string,
  weights: string,
  options: PullOptions = {},
): Promise<void> {
  if (!isPublishedName(zooName, weights)) {
    await loadFile(model, zooName, weights);
    return;
  }
  const { includeTop = true } = options;
  const { source, path } = await pullWeights(zooName, { ...options, name: weights });
  if (source === 'keras') await loadWeights(model, path, BY_ORDER);
  else await loadTorch(model, path, includeTop);
}

async function loadTorch(model: Layer, path: string, includeTop: boolean): Promise<MatchReport> {
  const unwanted = [];
  if (!includeTop) unwanted.push(TORCH_CLASSIFIER);
  if (!torchWeights(model).some(({ name }) => TORCH_AUXILIARY.test(name))) unwanted.push(TORCH_AUXILIARY);
  const ignore = unwanted.length > 0 ? new RegExp(unwanted.map(({ source }) => source).join('|')) : undefined;
  return await loadTorchWeights(model, path, { ignore });
}

async function loadFile(model: Layer, zooName: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    const names = ['imagenet', ...publishedFor(zooName).map(({ name }) => name)];
    const known = names.length > 1 ? `: one of ${[...new Set(names)].join(', ')}` : '';
    throw new FoveaError(
      `weights of ${zooName}: expected the name of published weights${known} or a file, received '${path}'`,
      { code: 'ERR_NOT_FOUND', op: 'weights', received: path },
    );
  }
  const safetensors = /\.safetensors(\.index\.json)?$/.test(path);
  if (safetensors && (await hasTorchNames(model, path))) await loadTorchWeights(model, path);
  else await loadWeights(model, path);
}

/** Whether a safetensors file has PyTorch's names: `conv1.weight`, where ours are `conv1/kernel`. */
async function hasTorchNames(model: Layer, path: string): Promise<boolean> {
  await using file = await openSafetensors(path);
  const ours = model.weights.some(({ name }) => file.entries.has(name));
  return !ours && torchWeights(model).some(({ name }) => file.entries.has(name));
}
