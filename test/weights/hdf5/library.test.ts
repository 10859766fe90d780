import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hdf5File } from '../../../lib/weights/hdf5/file.js';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-hdf5-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const TEXT = 'x'.repeat(5000);

/** What the HDF5 library itself writes: many links and attributes, which lie in heaps of their own in the latest format. */
describe.each([
  [['earliest', 'v110'], false, 400],
  [['latest', 'latest'], false, 400],
  [['latest', 'latest'], true, 400],
  [['latest', 'latest'], true, 9],
] as const)('the HDF5 library, %j, order kept: %s, %i datasets', (libver, trackOrder, count) => {
  it('is read as it was written', async () => {
    const { File, ready } = await import('h5wasm/node');
    await ready;
    const target = path.join(folder, `${libver.join('-')}-${trackOrder}-${count}.h5`);
    const written = new File(target, 'w', { libver: [...libver], track_order: trackOrder });
    const group = written.create_group('group', trackOrder);
    const names = Array.from({ length: count }, (_, i) => `layer_${(i * 7) % count}`);
    for (const [i, name] of names.entries()) {
      group.create_dataset({ name, data: Float32Array.of(i, i + 1, i + 2), shape: [3] });
    }
    for (let i = 0; i < 40; i++) group.create_attribute(`attribute_${i}`, i % 2 ? `value ${i}` : [i, i + 1]);
    group.create_attribute('long', [TEXT, 'é']);
    const chunked = Float32Array.from({ length: 50 * 41 }, (_, i) => i);
    written.create_dataset({ name: 'chunked', data: chunked, shape: [50, 41], chunks: [7, 6], compression: 9 });
    written.create_dataset({ name: 'one', data: chunked, shape: [50, 41], chunks: [50, 41] });
    const [shape, chunks] = [[2050], [1]];
    written.create_dataset({ name: 'pages', data: chunked, shape, chunks });
    written.close();

    await using file = await Hdf5File.open(target);
    const read = file.root.group('group');
    expect(read.names).toEqual(trackOrder ? names : [...names].sort());
    for (const [i, name] of names.entries()) {
      expect(Array.from((await read.dataset(name).read()) as Float32Array)).toEqual([i, i + 1, i + 2]);
    }
    const { attributes } = read;
    expect(attributes.size).toBe(41);
    for (let i = 0; i < 40; i++) {
      const { data } = attributes.get(`attribute_${i}`)!;
      expect(Array.from(data as ArrayLike<unknown>)).toEqual(i % 2 ? [`value ${i}`] : [i, i + 1]);
    }
    expect(attributes.get('long')?.data).toEqual([TEXT, 'é']);
    for (const name of ['chunked', 'one', 'pages']) {
      expect(
        Buffer.compare(
          Buffer.from(((await file.root.dataset(name).read()) as Float32Array).buffer),
          Buffer.from(chunked.buffer),
        ),
      ).toBe(0);
    }
  });
});
