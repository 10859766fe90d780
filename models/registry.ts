import { FoveaError } from '../lib/index.js';
import type { Model, Sequential } from '../lib/index.js';
import { CATALOGUE } from './catalogue.js';
import type { ModelOptions } from './options.js';
import type { ModelBuilder, PretrainedOptions } from './pretrained.js';

/** A publication that describes a network. */
export interface Paper {
  readonly authors: string;
  readonly title: string;
  readonly year: number;
  readonly url: string;
}

/** Weights that somebody has published for a network. */
export interface PublishedWeights {
  readonly source: 'keras' | 'torchvision' | 'timm';
  /** What the source calls them: `imagenet`, `IMAGENET1K_V2`, `seresnet50.a1_in1k`. */
  readonly name: string;
  /** Accuracy on ImageNet's validation images in percent, as the source states it. */
  readonly top1: number;
  readonly top5: number;
}

/** How pixels from 0 to 255 become inputs, in Keras's words; `none` takes them as they are. */
export type Preprocessing = 'caffe' | 'tf' | 'torch' | 'none';

/** What is known of a network without making it. */
export interface ModelInfo {
  /** For {@link createModel}. */
  readonly name: string;
  readonly paper: Paper;
  readonly year: number;
  /** Numbers that training changes, with the default options. */
  readonly parameters: number;
  /** Numbers that it does not: moving statistics. Keras adds them to a model's parameters, PyTorch does not. */
  readonly statistics: number;
  /** Multiply-adds of one inference at the default size; see `countFlops`. */
  readonly multiplyAdds: number;
  /** Height, width and channels of the images unless the options name them. */
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  readonly preprocessing: Preprocessing;
  readonly weights: readonly PublishedWeights[];
}

/** The networks of the zoo, by year and name. */
export function listModels(): ModelInfo[] {
  return [...CATALOGUE.values()]
    .map(({ info }) => info)
    .sort((a, b) => a.year - b.year || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/**
 * What is known of one network.
 *
 * @throws FoveaError ERR_NOT_FOUND when there is none of that name
 */
export function modelInfo(name: string): ModelInfo {
  return entry('modelInfo', name).info;
}

/**
 * Makes a network of the zoo: at once with random weights, as a promise with `weights`.
 *
 * @example
 * const model = createModel('resnet50', { inputShape: [160, 160, 3], classes: 5 });
 * const trained = await createModel('resnet50', { weights: 'imagenet' });
 *
 * @param name - one of `listModels()`
 * @throws FoveaError ERR_NOT_FOUND when there is none of that name, ERR_ARGUMENT when an option is wrong; with `weights`
 *   (as a rejection) also ERR_NETWORK, ERR_DATA, ERR_FILE, and ERR_SHAPE when they do not fit
 */
export function createModel(name: string, options?: ModelOptions): Model | Sequential;
export function createModel(name: string, options: PretrainedOptions): Promise<Model | Sequential>;
export function createModel(
  name: string,
  options: ModelOptions | PretrainedOptions = {},
): Model | Sequential | Promise<Model | Sequential> {
  const { build } = entry('createModel', name);
  return typeof options.weights === 'string' ? build(options) : build(options);
}

function entry(op: string, name: string): { readonly info: ModelInfo; readonly build: ModelBuilder } {
  const found = CATALOGUE.get(name);
  if (found) return found;
  const near = [...CATALOGUE.keys()].filter((known) => similar(known, name));
  const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '; listModels() names them';
  throw new FoveaError(`${op}: expected the name of a model, received '${name}'${hint}`, {
    code: 'ERR_NOT_FOUND',
    op,
    received: name,
  });
}

/** Whether two names differ only in case and punctuation, or one begins like the other. */
function similar(known: string, name: string): boolean {
  const [a, b] = [known, name].map((text) => text.toLowerCase().replace(/[^a-z0-9]/g, '')) as [string, string];
  return a === b || (b.length > 3 && (a.startsWith(b) || b.startsWith(a)));
}
