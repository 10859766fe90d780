import { test } from 'vitest';
import { expectWinograd } from '../support/winograd.js';

// Winograd in large tiles, F(6x6, 3x3) and F(4x4, 5x5), taken wherever it applies.
process.env['FOVEA_CONV'] = 'winograd-large';

test.each([
  { byKernel: false, size: 3, image: [2, 26, 23, 24], filters: 40 },
  { byKernel: false, size: 3, image: [1, 13, 14, 176], filters: 208 }, // few tiles: all threads take them together
  { byKernel: false, size: 5, image: [3, 27, 22, 24], filters: 40 },
  { byKernel: false, size: 5, image: [1, 14, 13, 208], filters: 176 },
  { byKernel: true, size: 3, image: [3, 34, 27, 24], filters: 40 },
  { byKernel: true, size: 5, image: [3, 33, 42, 40], filters: 24 },
])('$size x $size, $image to $filters, by kernel $byKernel: as the reference', (options) =>
  expectWinograd({ ...options, strides: 1 }, options.size === 5 ? 'own:winograd4x5' : 'own:winograd6x3'),
);
