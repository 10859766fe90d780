import { FASHION_MNIST } from './fashion-mnist-files.js';
import type { IdxMirror } from './idx-files.js';
import { type IdxArrays, type IdxExample, type IdxImages, type IdxImagesOptions, loadIdxImages } from './idx-images.js';

/** The ten classes, by label. */
export const FASHION_MNIST_CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

/** An example: image float32 `[28,28,1]` with values 0 to 1, label int32 `[]`. */
export type FashionMnistExample = IdxExample;

/** Options of {@link fashionMnist}. */
export type FashionMnistOptions = IdxImagesOptions;

/** The bytes of the files: images uint8 `[n,28,28]`, labels uint8 `[n]`. */
export type FashionMnistArrays = IdxArrays;

/** What {@link fashionMnist} answers: a pair to destructure, with the same and more by name. */
export type FashionMnist = IdxImages;

/** Another place to download the files from. */
export type FashionMnistMirror = IdxMirror;

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 by 28 grey pixels, in ten classes.
 *
 * The files are looked for in `folder`; else in the folder named by `FOVEA_FASHION_MNIST`, in that of Debian's package
 * `dataset-fashion-mnist`, and in the cache; else they are downloaded (29 MB) into the cache, checked by their digests.
 *
 * ```ts
 * const [train, test] = await fashionMnist();
 * for await (const [images, labels] of train.shuffle(10_000).batch(32)) { ... } // [32,28,28,1] and [32]
 * ```
 *
 * @returns train and test datasets of `[image float32 [28,28,1] in 0..1, label int32 []]`, and the bytes as `raw`
 * @throws FoveaError ERR_NOT_FOUND when the files are nowhere (and may not be downloaded), ERR_DATA when they are not
 *   what they should be, ERR_NETWORK when they cannot be downloaded
 */
export function fashionMnist(options: FashionMnistOptions = {}): Promise<FashionMnist> {
  return loadIdxImages(FASHION_MNIST, options);
}
