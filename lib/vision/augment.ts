import { hostTensor, isHostTensor, type HostTensor } from '../data/host-tensor.js';
import type { Pass } from '../data/pull.js';
import { mismatch } from '../errors.js';
import { compile } from '../graph/compile.js';
import { MixingLayer } from '../layers/augmentation/mixing-layer.js';
import type { Layer } from '../layers/layer.js';
import { HostRandom } from '../random/philox.js';
import { nextSeed } from '../random/seed.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

export interface AugmentOptions {
  /** Fixes what is drawn, for every element of every epoch; one of the global seeds by default. */
  readonly seed?: number | undefined;
}

/** What a data set holds: images, or images first and then labels and whatever else. */
export type Augmentable = HostTensor | readonly [HostTensor, ...HostTensor[]];

/**
 * Layers as a function for `Dataset.map`: applied in training mode, one after the other, to images before or behind
 * `batch` ({@link MixingLayer}s behind it, with one-hot labels). What an element gets depends on the seed, the epoch and its
 * number only, so that a run that is resumed, or maps several elements at once, sees the same images.
 *
 * @example
 * const augment = vision.augment([layers.randomFlip({ mode: 'horizontal' }), layers.randomCrop({ height: 224, width: 224 })]);
 * const batches = train.shuffle(1000).batch(32).map(augment).prefetch(2);
 *
 * @returns a function from images, or a tuple that begins with them, to the same with float32 images
 */
export function augment(
  layers: Layer | readonly Layer[],
  options: AugmentOptions = {},
): <T extends Augmentable>(element: T, index: number, pass: Pass) => Promise<T> {
  const list = Array.isArray(layers) ? (layers as readonly Layer[]) : [layers as Layer];
  const seed = options.seed ?? nextSeed();
  const mixes = list.some((layer) => layer instanceof MixingLayer);
  const run = compile((...inputs: Tensor[]) => {
    let [images, labels] = inputs as [Tensor, Tensor?];
    for (const layer of list) {
      if (!(layer instanceof MixingLayer)) images = layer.apply(images, { training: true });
      else [images, labels] = layer.apply<Tensor[]>([images, labels!], { training: true }) as [Tensor, Tensor];
    }
    return labels ? [images, labels] : [images];
  });
  const generators = list.flatMap((layer) => layer.seedGenerators);

  return async <T extends Augmentable>(element: T, index: number, pass: Pass): Promise<T> => {
    const all: readonly unknown[] = Array.isArray(element) ? element : [element];
    const [images, labels] = all;
    if (!isHostTensor(images)) throw mismatch('ERR_ARGUMENT', { op: 'augment' }, 'images first', typeof images);
    if (mixes && !isHostTensor(labels)) {
      throw mismatch('ERR_ARGUMENT', { op: 'augment' }, 'batches of [images, labels] to mix', typeof labels);
    }
    const random = new HostRandom(seed, [...pass, index]);
    const alone = images.shape.length === 3;
    const inputs = [tensor(images.data, alone ? [1, ...images.shape] : images.shape)];
    if (mixes) inputs.push(tensor((labels as HostTensor).data, (labels as HostTensor).shape));
    // Seeds and call belong together: nothing else runs between them.
    for (const generator of generators) generator.restore([random.uint32() | 0, random.uint32() | 0, 0, 0]);
    const outputs = run(...inputs);
    const [changed, mixed] = await Promise.all(outputs.map(toHost));
    [...inputs, ...outputs].forEach((t) => t.dispose());
    const result = alone ? hostTensor(changed!.data, changed!.shape.slice(1)) : changed!;
    if (!Array.isArray(element)) return result as T;
    return [result, ...(mixed ? [mixed, ...all.slice(2)] : all.slice(1))] as unknown as T;
  };
}

async function toHost(t: Tensor): Promise<HostTensor> {
  return hostTensor((await t.data()) as Float32Array, t.shape);
}
