import { test } from 'vitest';
import { expectWinograd } from '../support/winograd.js';

// Winograd in tiny tiles, F(2x2, 3x3), taken wherever it applies.
process.env['FOVEA_CONV'] = 'winograd-tiny';

test.each([
  { byKernel: false, image: [2, 26, 23, 24], filters: 40 },
  { byKernel: false, image: [1, 7, 7, 176], filters: 208 }, // few tiles: all threads take them together
  { byKernel: true, image: [3, 34, 27, 24], filters: 40 },
])('$image to $filters, by kernel $byKernel: as the reference', (options) =>
  expectWinograd({ ...options, size: 3, strides: 1 }, 'own:winograd2x3'),
);
