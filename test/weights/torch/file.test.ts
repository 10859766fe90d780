import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FoveaError } from '../../../lib/errors.js';
import { TorchFile } from '../../../lib/weights/torch/file.js';

const GOLDEN = path.resolve(import.meta.dirname, '../../golden/files');

interface Expected {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values?: readonly number[];
  readonly text?: readonly string[];
}

interface Fixture {
  readonly file: string;
  readonly tensors: readonly Expected[];
  readonly other?: Readonly<Record<string, unknown>>;
}

const { files } = JSON.parse(readFileSync(path.join(GOLDEN, 'pth.json'), 'utf8')) as { files: readonly Fixture[] };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-torch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Maps as records, to compare with JSON. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, v]) => [key, plain(v)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** The fixture's numbers have nine digits, which tell a float32, and float64 numbers widened from one. */
function expectValues(data: ArrayLike<number | bigint>, { dtype, values, text, name }: Expected): void {
  if (text) return expect(Array.from(data, String), name).toEqual(text);
  const float = /float/.test(dtype);
  const numbers = Array.from(data, Number);
  expect(float ? numbers.map(Math.fround) : numbers, name).toEqual(float ? values!.map(Math.fround) : values);
}

describe('files of PyTorch', () => {
  it.each(files.map((fixture) => [fixture.file, fixture] as const))('%s, exactly', async (name, fixture) => {
    await using file = await TorchFile.open(path.join(GOLDEN, name));
    expect([...file.entries.keys()]).toEqual(fixture.tensors.map((tensor) => tensor.name));
    for (const tensor of fixture.tensors) {
      const { dtype, shape, data } = await file.read(tensor.name);
      expect({ dtype, shape }).toEqual({ dtype: tensor.dtype, shape: tensor.shape });
      expectValues(data, tensor);
    }
    if (fixture.other) expect(plain(file.other)).toEqual(fixture.other);
  });

  it('reads float64 with all its digits', async () => {
    await using file = await TorchFile.open(path.join(GOLDEN, 'mixed.pth'));
    const { data } = await file.read('f64');
    expect(data).toBeInstanceOf(Float64Array);
  });

  it('says which tensor it has not', async () => {
    await using file = await TorchFile.open(path.join(GOLDEN, 'mixed.pth'));
    await expect(file.read('absent')).rejects.toThrow(/mixed\.pth: has no tensor "absent"/);
    await expect(TorchFile.open(path.join(folder, 'absent.pth'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await expect(TorchFile.open(folder)).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

/** Opens damaged bytes and reads all: a FoveaError or success, nothing else. */
async function outcome(bytes: Uint8Array): Promise<string> {
  const damaged = path.join(folder, 'damaged.pth');
  await writeFile(damaged, bytes);
  try {
    await using file = await TorchFile.open(damaged);
    for (const name of file.entries.keys()) await file.read(name);
    return 'read';
  } catch (error) {
    if (error instanceof FoveaError) return error.code;
    throw error;
  }
}

/** Seeded numbers: mulberry32. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('damaged files', () => {
  it.each(['mixed.pth', 'net_state_dict_legacy.pth', 'checkpoint.pth'])('%s: bits flipped', async (name) => {
    const whole = readFileSync(path.join(GOLDEN, name));
    const random = generator(7);
    const outcomes = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      const bytes = Uint8Array.from(whole);
      for (let k = 0; k <= i % 4; k++) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      const result = await outcome(bytes);
      outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
    }
    expect(outcomes.get('ERR_FILE')).toBeGreaterThan(20);
    expect(outcomes.get('read')).toBeGreaterThan(20);
  });

  it.each(['mixed.pth', 'net_state_dict_legacy.pth'])('%s: cut off', async (name) => {
    const whole = readFileSync(path.join(GOLDEN, name));
    for (let length = 0; length < whole.length; length += 1 + Math.floor(whole.length / 150)) {
      expect(await outcome(whole.subarray(0, length)), `${length} bytes`).toBe('ERR_FILE');
    }
  });
});
