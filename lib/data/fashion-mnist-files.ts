import {
  fetchIdxFiles,
  type IdxExpectations,
  type IdxFamily,
  type IdxFetchOptions,
  type IdxFiles,
} from './idx-files.js';

/** Keras's copy and the publisher's own; the same bytes. */
const OFFICIAL_ADDRESSES = [
  'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
];

/** The publisher names the MD5 digests; the others were computed from files that have these. */
const OFFICIAL_FILES: IdxExpectations = {
  trainImages: {
    size: 26421880,
    md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    sha256: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
  },
  trainLabels: {
    size: 29515,
    md5: '25c81989df183df01b3e8a0aad5dffbe',
    sha256: 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
  },
  testImages: {
    size: 4422102,
    md5: 'bef4ecab320f06d8554ea6380940ec79',
    sha256: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
  },
  testLabels: {
    size: 5148,
    md5: 'bb300cfdad3c16e7a12a480ee83cd310',
    sha256: '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
  },
};

/** Where Fashion-MNIST may be found; the folder is that of Debian's and Ubuntu's package dataset-fashion-mnist. */
export const FASHION_MNIST: IdxFamily = {
  op: 'fashionMnist',
  cacheName: 'fashion-mnist',
  variable: 'FOVEA_FASHION_MNIST',
  systemFolders: ['/usr/share/datasets/fashion-mnist'],
  addresses: OFFICIAL_ADDRESSES,
  expected: OFFICIAL_FILES,
};

/** Downloads the files into the cache; those that are there already are checked and kept. */
export function fetchFashionMnist(options: IdxFetchOptions): Promise<IdxFiles> {
  return fetchIdxFiles(FASHION_MNIST, options);
}
