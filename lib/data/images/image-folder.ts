import { mismatch } from '../../errors.js';
import {
  checkLabelMode,
  type ImageElement,
  imageDatasets,
  type ImageSplits,
  type LabelMode,
  SPLIT_KEYS,
  type SplitOptions,
  type SplitSpec,
} from './image-dataset.js';
import { checkKeys } from '../../util/options.js';
import { IMAGE_KEYS, type ImageOptions } from './image-options.js';
import { scanFolder } from './scan.js';

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions<S extends SplitSpec = SplitSpec, M extends LabelMode = LabelMode>
  extends ImageOptions, SplitOptions<S> {
  /** 'int' unless told; `null` takes every image below the folder, without labels. */
  readonly labelMode?: M;
  /** The folders of the classes in the order of their labels; that of their names unless told. */
  readonly classNames?: readonly string[];
  /** Whether symbolic links to files and folders are followed (each folder once on its way). False unless told. */
  readonly followLinks?: boolean;
}

/** The names of {@link ImageFolderOptions}. */
export const FOLDER_KEYS = [...IMAGE_KEYS, ...SPLIT_KEYS, 'labelMode', 'classNames', 'followLinks'];

/**
 * Images in one folder per class, as Keras's image_dataset_from_directory takes them:
 *
 * ```ts
 * const [test, valid, train] = await imageFolder('flower_photos', {
 *   imageSize: 224,
 *   split: ['train[:10%]', 'train[10%:25%]', 'train[25%:]'],
 * });
 * await model.fit(train.shuffle(1000).batch(32).prefetch(1), { validationData: valid.batch(32) });
 * ```
 *
 * Files are read and decoded when their turn has come, some at once, in an order that is the same everywhere for the same
 * files and seed. A shuffle holds file numbers only, whatever its buffer.
 *
 * @param folder - with a folder for each class; images may lie deeper in them
 * @returns a dataset of `[image [height,width,channels], label]`, or a tuple of them for a list of splits; with the files,
 *   their labels, the class names, and what was skipped
 * @throws FoveaError ERR_NOT_FOUND, ERR_DATA or ERR_ARGUMENT; while iterating ERR_DATA that names a corrupt file
 */
export async function imageFolder<const S extends SplitSpec = 'train', M extends LabelMode = 'int'>(
  folder: string,
  options: ImageFolderOptions<S, M> = {},
): Promise<ImageSplits<S, ImageElement<M>>> {
  return readFolder('imageFolder', folder, options);
}

/** As {@link imageFolder}, in another name. */
export async function readFolder<const S extends SplitSpec, M extends LabelMode>(
  op: string,
  folder: string,
  options: ImageFolderOptions<S, M>,
): Promise<ImageSplits<S, ImageElement<M>>> {
  if (typeof folder !== 'string' || folder === '') {
    throw mismatch('ERR_ARGUMENT', { op }, 'the path of a folder', JSON.stringify(folder) ?? 'nothing');
  }
  checkKeys(op, options, FOLDER_KEYS);
  const { labelMode = 'int', classNames, followLinks = false } = options;
  checkLabelMode(op, labelMode, ['int', 'categorical', 'binary', null]);
  const found = await scanFolder(op, folder, { classes: labelMode !== null, classNames, followLinks });
  return imageDatasets<S, ImageElement<M>>(op, found, labelMode, options);
}
