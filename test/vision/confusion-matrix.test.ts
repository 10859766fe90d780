import { expect, test } from 'vitest';
import { data, tensor, vision } from '../../lib/index.js';

test('rows are the true classes, columns what they were taken for', async () => {
  const expected = [
    [1, 1, 0],
    [0, 0, 1],
    [0, 0, 2],
  ];
  expect(await vision.confusionMatrix([0, 0, 1, 2, 2], [0, 1, 2, 2, 2], 3)).toEqual(expected);
  const labels = data.hostTensor(Int32Array.from([0, 0, 1, 2, 2]), [5, 1]);
  const outputs = tensor([
    [0.9, 0.1, 0],
    [0.2, 0.7, 0.1],
    [0, 0.1, 0.9],
    [0.3, 0.3, 0.4],
    [0, 0, 1],
  ]);
  expect(await vision.confusionMatrix(labels, outputs, 3)).toEqual(expected);
  const oneHot = data.hostTensor(Uint8Array.from([1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1]), [5, 3]);
  expect(await vision.confusionMatrix(oneHot, outputs, 3)).toEqual(expected);
});

test('refuses classes out of range, other shapes and counts', async () => {
  await expect(vision.confusionMatrix([3], [0], 3)).rejects.toThrow(/classes from 0 to 2, received 3/);
  await expect(vision.confusionMatrix([0, 1], [0], 3)).rejects.toThrow(/as many predictions as labels, 2/);
  await expect(vision.confusionMatrix([0], tensor([[1, 0]]), 3)).rejects.toThrow(/\[n,3\], received \[1,2\]/);
  await expect(vision.confusionMatrix([0], [0], 0)).rejects.toThrow(/classes/);
});
