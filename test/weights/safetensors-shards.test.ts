import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  layers,
  loadWeights,
  saveWeights,
  Sequential,
  ShardedSafetensors,
  writeShardedSafetensors,
} from '../../lib/index.js';
import type { NamedArray } from '../../lib/index.js';

let folder = '';
let file = '';
let index = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-shards-'));
  file = path.join(folder, 'model.safetensors');
  index = `${file}.index.json`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const floats = (...values: number[]): NamedArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const tensors = new Map([
  ['a', floats(1, 2)],
  ['b', floats(3)],
  ['big', floats(4, 5, 6, 7)],
  ['c', floats(8)],
]);

/** Every tensor's elements. */
async function all(opened: ShardedSafetensors): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const name of opened.entries.keys()) found.set(name, [...(await opened.read(name)).data]);
  return found;
}

async function changeIndex(change: (json: { weight_map: Record<string, string> }) => void): Promise<void> {
  const json = JSON.parse(await readFile(index, 'utf8')) as { weight_map: Record<string, string> };
  change(json);
  await writeFile(index, JSON.stringify(json));
}

describe('sharded safetensors', () => {
  it('makes files of at most the limit, with an index as Hugging Face writes it', async () => {
    expect(await writeShardedSafetensors(file, tensors, 12, { format: 'pt' })).toBe(index);
    const names = [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`);
    expect((await readdir(folder)).sort()).toEqual([...names, 'model.safetensors.index.json']);
    expect(JSON.parse(await readFile(index, 'utf8'))).toEqual({
      metadata: { total_size: 32, format: 'pt' },
      weight_map: { a: names[0], b: names[0], big: names[1], c: names[2] },
    });
    await using opened = await ShardedSafetensors.open(index);
    expect(opened.metadata).toEqual({ format: 'pt' });
    expect(await all(opened)).toEqual(new Map([...tensors].map(([name, { data }]) => [name, [...data]])));
    await expect(opened.read('d')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  it('is one file where that is enough, and clears what was there before', async () => {
    await writeShardedSafetensors(file, tensors, 12);
    expect(await writeShardedSafetensors(file, tensors, 32)).toBe(file);
    expect(await readdir(folder)).toEqual(['model.safetensors']);
    await writeShardedSafetensors(file, tensors, 12);
    expect(await readdir(folder)).not.toContain('model.safetensors');
  });

  it('never overwrites a file that the old index names', async () => {
    await writeShardedSafetensors(file, tensors, 12);
    const before = await readFile(index, 'utf8');
    await writeShardedSafetensors(file, tensors, 12);
    const names = new Set(
      Object.values((JSON.parse(await readFile(index, 'utf8')) as { weight_map: Record<string, string> }).weight_map),
    );
    for (const name of names) expect(before).not.toContain(name);
    expect((await readdir(folder)).sort()).toEqual([...names, 'model.safetensors.index.json'].sort());
  });

  it('carries the weights of models', async () => {
    const make = (): Sequential =>
      new Sequential([layers.dense({ name: 'd1', units: 3, inputShape: [2] }), layers.dense({ name: 'd2', units: 2 })]);
    const [from, to] = [make(), make()];
    await saveWeights(from, file, { maxShardBytes: 30 });
    for (const by of ['name', 'order'] as const) {
      to.setWeights(to.weights.map(({ size }) => new Float32Array(size)));
      await loadWeights(to, by === 'name' ? index : folder, { by });
      for (const [i, weight] of from.weights.entries())
        expect(await to.weights[i]!.data()).toEqual(await weight.data());
    }
  });

  it('refuses an index that lies, or leads elsewhere', async () => {
    const opened = async (): Promise<string> => {
      const error = await ShardedSafetensors.open(index).catch((e: unknown) => e);
      expect(error).toMatchObject({ name: 'FoveaError' });
      return (error as Error).message;
    };
    expect(await opened()).toMatch(/cannot read/);
    await writeShardedSafetensors(file, tensors, 12);
    await changeIndex(({ weight_map }) => (weight_map['a'] = '../model-00001-of-00003.safetensors'));
    expect(await opened()).toMatch(/tensor "a": expected the name of a safetensors file, received "\.\.\//);
    await changeIndex(({ weight_map }) => (weight_map['a'] = weight_map['big']!));
    expect(await opened()).toMatch(/expected tensor "a" in model-00002-of-00003\.safetensors, where it is not/);
    await changeIndex(({ weight_map }) => delete weight_map['a']);
    expect(await opened()).toMatch(/says nothing of tensor "a" in model-00001/);
    await changeIndex(({ weight_map }) => (weight_map['z'] = 'absent.safetensors'));
    expect(await opened()).toMatch(/absent\.safetensors/);
    for (const text of ['', '[]', 'null', '{"weight_map":[]}', '{"weight_map":{"a":7}}']) {
      await writeFile(index, text);
      expect(await opened()).toMatch(/expected/);
    }
  });
});
