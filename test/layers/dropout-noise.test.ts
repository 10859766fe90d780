import { expect, it } from 'vitest';
import { deserializeLayer, layers, ones, serializeLayer } from '../../lib/index.js';
import { describeEachDevice } from '../support/each-device.js';

describeEachDevice('Dropout with a noise shape', () => {
  it('drops whole examples together, and scales the others', async () => {
    const drop = layers.dropout({ rate: 0.5, noiseShape: [null, 1, 1, 1], seed: 7 });
    const x = ones([64, 3, 3, 2]);
    const values = await drop.apply(x, { training: true }).data();
    const examples = Array.from({ length: 64 }, (_, i) => new Set(values.slice(i * 18, (i + 1) * 18)));
    expect(examples.every((example) => example.size === 1)).toBe(true);
    const kept = examples.filter((example) => example.has(2)).length;
    expect(examples.filter((example) => example.has(0)).length).toBe(64 - kept);
    expect(kept).toBeGreaterThan(16);
    expect(kept).toBeLessThan(48);
    expect(await drop.apply(x).data()).toEqual(new Float32Array(64 * 18).fill(1));
  });

  it('drops rows of a matrix, and every element by itself without one', async () => {
    const rows = layers.dropout({ rate: 0.5, noiseShape: [1, null], seed: 3 });
    const values = await rows.apply(ones([4, 32]), { training: true }).data();
    for (let i = 1; i < 4; i++) expect(values.slice(i * 32, (i + 1) * 32)).toEqual(values.slice(0, 32));
    expect(new Set(values)).toEqual(new Set([0, 2]));
  });
});

it('Dropout refuses noise shapes that do not fit, and keeps its own in the configuration', () => {
  expect(() => layers.dropout({ name: 'd', rate: 0.5, noiseShape: [null, 2] })).toThrow(
    /dropout "d": expected noiseShape to be a list with 1 .* received \[null,2\]/,
  );
  const drop = layers.dropout({ name: 'd', rate: 0.5, noiseShape: [null, 1, 1, 1] });
  expect(() => drop.apply(ones([2, 3]))).toThrow(/dropout "d": expected inputs of rank 4, as noiseShape has/);
  expect(deserializeLayer(serializeLayer(drop)).getConfig()).toEqual(drop.getConfig());
});
