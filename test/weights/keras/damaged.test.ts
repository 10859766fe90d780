import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FoveaError, loadModel, loadWeights, type Model } from '../../../lib/index.js';
import { Hdf5File } from '../../../lib/weights/hdf5/file.js';
import { hash } from '../../support/fill.js';
import { fixtures, goldenFile, registerResidualUnit } from './support.js';

let folder = '';
beforeAll(async () => {
  registerResidualUnit();
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-damaged-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const HDF5 = [
  ...['many_groups.h5', 'split_attributes.h5', 'types_earliest.h5', 'types_latest.h5'],
  ...fixtures.flatMap(({ files }) => [files.weights, files.legacyModel, files.legacyWeights, files.keras2StyleWeights]),
];

/** The bytes cut off somewhere, or with some bits turned; the same for the same seed. */
function damage(bytes: Uint8Array, seed: number): Uint8Array {
  const random = (i: number, below: number): number => hash(seed, i) % below;
  if (random(0, 5) === 0) return bytes.slice(0, random(1, bytes.length));
  const out = bytes.slice();
  // Structures are at the start, for the most part.
  const reach = random(2, 2) === 0 ? out.length : Math.min(out.length, 4096);
  const count = 1 + random(3, 8);
  for (let i = 0; i < count; i++) out[random(10 + i, reach)]! ^= 1 << random(100 + i, 8);
  return out;
}

/** Whether all of a file can be read; anything but our own error fails the test. */
async function readAll(name: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const file = Hdf5File.fromBytes(name, bytes);
    for (const object of file.walk()) {
      void object.attributes;
      if (object.kind === 'dataset') await object.read();
    }
    return true;
  } catch (error) {
    if (error instanceof FoveaError) return false;
    throw error;
  }
}

describe('damaged files end in an error of ours, or are read', () => {
  it.each(HDF5)('%s', async (name) => {
    const bytes = new Uint8Array(await readFile(goldenFile(name)));
    expect(await readAll(name, bytes)).toBe(true);
    let refused = 0;
    for (let seed = 0; seed < 60; seed++) if (!(await readAll(name, damage(bytes, seed)))) refused++;
    expect(refused).toBeGreaterThan(5);
  });

  it.each(fixtures.flatMap(({ files }) => [files.keras, files.legacyModel]))('whole model %s', async (name) => {
    const bytes = new Uint8Array(await readFile(goldenFile(name)));
    let refused = 0;
    for (let seed = 0; seed < 25; seed++) {
      const target = path.join(folder, `${seed}-${name}`);
      await writeFile(target, damage(bytes, 1000 + seed));
      try {
        for (const weight of (await loadModel<Model>(target)).weights) weight.dispose();
      } catch (error) {
        if (!(error instanceof FoveaError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(3);
  });

  it('a model that does not load a damaged file keeps its weights', async () => {
    const { files } = fixtures.find(({ model }) => model === 'small_sequential')!;
    const model = await loadModel<Model>(goldenFile(files.keras));
    const before = await model.getWeights();
    const bytes = await readFile(goldenFile(files.weights));
    const target = path.join(folder, 'cut.weights.h5');
    await writeFile(target, bytes.subarray(0, bytes.length - 1000));
    await expect(loadWeights(model, target)).rejects.toThrow('truncated');
    expect(await model.getWeights()).toEqual(before);
  });
});

describe('files that claim too much', () => {
  it('a compressed .keras file, however small', async () => {
    const target = path.join(folder, 'bomb.keras');
    const zeros = new Uint8Array(1024 * 1024);
    await writeFile(target, zipSync({ 'config.json': zeros, 'model.weights.h5': zeros }));
    await expect(loadModel(target)).rejects.toThrow('"config.json" is compressed');
  });

  it('a chunk that is inflated to more than its size', async () => {
    const bytes = new Uint8Array(await readFile(goldenFile('types_earliest.h5')));
    const gzip = Hdf5File.fromBytes('x.h5', bytes).root.dataset('gzip');
    expect(gzip.filters.map(({ name }) => name)).toContain('deflate');
    const { undoFilters } = await import('../../../lib/weights/hdf5/filters.js');
    const bomb = new Uint8Array(deflateRawSync(new Uint8Array(1 << 20)));
    await expect(undoFilters('x.h5', bomb, [{ id: 1, name: 'deflate', values: [] }], 0, 960)).rejects.toThrow(
      'cannot be inflated to 960 bytes',
    );
  });

  it('names that are no files of models', async () => {
    for (const [name, content] of [
      ['text.h5', 'hello'],
      ['empty.h5', ''],
      ['list.json', '{"a": []}'],
      ['deep.json', `{"modelTopology": ${'['.repeat(5000)}${']'.repeat(5000)}}`],
      ['none.keras', 'PK\u0003\u0004'],
    ] as const) {
      const target = path.join(folder, name);
      await writeFile(target, content);
      await expect(loadModel(target), name).rejects.toBeInstanceOf(FoveaError);
    }
    const h5 = goldenFile('types_latest.h5');
    await expect(loadModel(h5)).rejects.toThrow('use loadWeights');
    const model = await loadModel<Model>(goldenFile('small_sequential.keras'));
    await expect(loadWeights(model, h5)).rejects.toThrow('without layers');
  });
});
