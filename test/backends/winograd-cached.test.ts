import { test } from 'vitest';
import { expectWinograd } from '../support/winograd.js';

// Winograd in blocks that stay in a core's cache, taken wherever it applies: several blocks a thread, the last one short.
// By kernel that is one for every thread, and for sums that are smaller than what is summed.
process.env['FOVEA_CONV'] = 'winograd-cached';

test.each([
  // Of so many channels the blocks are smaller than the large ones up to 4 MB of cache.
  { byKernel: false, size: 3, strides: 1, image: [2, 27, 14, 176], filters: 208 },
  { byKernel: false, size: 3, strides: 2, image: [2, 54, 28, 176], filters: 208 },
  { byKernel: false, size: 5, strides: 1, image: [1, 27, 14, 208], filters: 176 },
  { byKernel: true, size: 3, strides: 1, image: [3, 34, 27, 24], filters: 40 },
  { byKernel: true, size: 3, strides: 2, image: [3, 58, 62, 40], filters: 24 },
  { byKernel: true, size: 5, strides: 1, image: [3, 33, 42, 24], filters: 24 },
])('$size x $size, strides $strides, $image to $filters, by kernel $byKernel: as the reference', (options) =>
  expectWinograd(
    options,
    options.size === 5 ? 'own:winograd2x5' : options.strides === 2 ? 'own:winograd4x3s2' : 'own:winograd4x3',
  ),
);
