import type { IdxFamily } from './idx-files.js';
import { type IdxImages, type IdxImagesOptions, loadIdxImages } from './idx-images.js';

// Sizes and SHA-256: tensorflow_datasets/url_checksums/mnist.txt in the repository of TensorFlow Datasets. The second
// address is torchvision's.
const MNIST: IdxFamily = {
  op: 'mnist',
  cacheName: 'mnist',
  variable: 'FOVEA_MNIST',
  systemFolders: [],
  addresses: ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
  expected: {
    trainImages: { size: 9912422, sha256: '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609' },
    trainLabels: { size: 28881, sha256: '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c' },
    testImages: { size: 1648877, sha256: '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6' },
    testLabels: { size: 4542, sha256: 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6' },
  },
};

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 by 28 grey pixels (Y. LeCun, C. Cortes, C. J. C.
 * Burges).
 *
 * The files are looked for in `folder`; else in the folder named by `FOVEA_MNIST` and in the cache; else they are
 * downloaded (11 MB) into the cache, checked by their digests.
 *
 * @returns train and test datasets of `[image float32 [28,28,1] in 0..1, label int32 []]`, and the bytes as `raw`
 * @throws FoveaError ERR_NOT_FOUND when the files are nowhere (and may not be downloaded), ERR_DATA when they are not
 *   what they should be, ERR_NETWORK when they cannot be downloaded
 */
export function mnist(options: IdxImagesOptions = {}): Promise<IdxImages> {
  return loadIdxImages(MNIST, options);
}
