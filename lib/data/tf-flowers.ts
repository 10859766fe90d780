import path from 'node:path';
import { stat } from 'node:fs/promises';
import { type ArchiveOptions, fetchArchive, type PublishedArchive } from './archives/fetch-archive.js';
import type { ImageElement, ImageSplits, LabelMode, SplitSpec } from './images/image-dataset.js';
import { type ImageFolderOptions, readFolder } from './images/image-folder.js';

/** The five classes, in the order of their labels in TensorFlow Datasets. */
export const TF_FLOWERS_CLASSES = ['dandelion', 'daisy', 'tulips', 'sunflowers', 'roses'] as const;

/** Options of {@link tfFlowers}. */
export interface TfFlowersOptions<S extends SplitSpec = SplitSpec, M extends LabelMode = LabelMode>
  extends ArchiveOptions, Omit<ImageFolderOptions<S, M>, 'classNames' | 'followLinks'> {}

// Size and digest: tensorflow_datasets/url_checksums/tf_flowers.txt in the repository of TensorFlow Datasets, for the
// second address; the first is the same object by https.
const ARCHIVE: PublishedArchive = {
  op: 'tfFlowers',
  name: 'tf-flowers',
  urls: [
    'https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz',
    'http://download.tensorflow.org/example_images/flower_photos.tgz',
  ],
  expected: { size: 228813984, sha256: '4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c' },
  limits: { maxEntries: 10_000, maxBytes: 1e9, maxFileBytes: 50e6 },
};

/**
 * The flowers of the chapter: 3,670 photos of five kinds, of many sizes (The TensorFlow Team 2019; the authors of the
 * photos and their licences are listed in the archive's LICENSE.txt). Downloaded into the cache (229 MB, checked) and
 * unpacked there.
 *
 * ```ts
 * const [test, valid, train] = await tfFlowers({ split: ['train[:10%]', 'train[10%:25%]', 'train[25%:]'], imageSize: 224 });
 * ```
 *
 * The classes have TensorFlow Datasets' numbers; the order of the images is ours, so a split has other images than there.
 *
 * @returns as `imageFolder` does
 * @throws FoveaError ERR_NOT_FOUND, ERR_NETWORK, or ERR_DATA when the archive is not what it should be
 */
export async function tfFlowers<const S extends SplitSpec = 'train', M extends LabelMode = 'int'>(
  options: TfFlowersOptions<S, M> = {},
): Promise<ImageSplits<S, ImageElement<M>>> {
  const { folder, download, url, sha256, signal, onProgress, ...reading } = options;
  const archive = { folder, download, url, sha256, signal, onProgress };
  const given = Object.entries(archive).filter(([, value]) => value !== undefined);
  const contents = await fetchArchive(ARCHIVE, Object.fromEntries(given));
  const inner = path.join(contents, 'flower_photos');
  const root = await stat(inner).then(
    () => inner,
    () => contents,
  );
  const named = { ...reading, classNames: TF_FLOWERS_CLASSES } as ImageFolderOptions<S, M>;
  return readFolder('tfFlowers', root, named);
}
