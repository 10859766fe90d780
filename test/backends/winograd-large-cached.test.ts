import { test } from 'vitest';
import { expectWinograd } from '../support/winograd.js';

// Winograd in large tiles, in blocks that stay in a core's cache: see winograd-cached.test.ts.
process.env['FOVEA_CONV'] = 'winograd-large-cached';

test.each([
  { byKernel: false, size: 3, image: [2, 27, 21, 24], filters: 176 },
  { byKernel: false, size: 5, image: [2, 22, 18, 176], filters: 24 },
  { byKernel: true, size: 3, image: [3, 46, 37, 24], filters: 40 },
  { byKernel: true, size: 5, image: [3, 45, 42, 24], filters: 24 },
])('$size x $size, $image to $filters, by kernel $byKernel: as the reference', (options) =>
  expectWinograd({ ...options, strides: 1 }, options.size === 5 ? 'own:winograd4x5' : 'own:winograd6x3'),
);
