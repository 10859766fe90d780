import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { Hdf5Dataset, Hdf5File, type Hdf5Attribute, type Hdf5Data } from '../../../lib/weights/hdf5/file.js';
import { fromPatterns } from '../../../lib/tensor/narrow.js';
import { readGolden } from '../../support/golden.js';

interface ExpectedDataset {
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly chunks: readonly number[] | null;
  readonly compression: string | null;
  readonly first?: readonly number[];
  readonly l2?: number;
  readonly values?: string | readonly string[];
}
interface ExpectedFile {
  readonly datasets?: readonly ExpectedDataset[];
  readonly attributes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const { files } = readGolden<{ files: Readonly<Record<string, ExpectedFile>> }>('files/h5.json.gz');
const FOLDER = new URL('../../golden/files/', import.meta.url);

async function openGolden(name: string): Promise<Hdf5File> {
  const [file, inner] = name.split('!');
  const path = new URL(file!, FOLDER);
  if (inner === undefined) return Hdf5File.open(path.pathname);
  return Hdf5File.fromBytes(name, unzipSync(readFileSync(path))[inner]!);
}

/** NumPy's names with another order of bytes or a length. */
const TYPES: Readonly<Record<string, string>> = { '>f4': 'float32', object: 'string' };

function numbers(dataset: Hdf5Dataset, data: Hdf5Data): number[] {
  const values = dataset.type.name === 'float16' ? fromPatterns('float16', data as Uint16Array) : data;
  return Array.from(values as ArrayLike<number | bigint>, Number);
}

/** Nine digits are what the fixtures keep, ties rounded to even: the nearest number of its type is the one meant. */
const isMeant = (value: number, digits: number): boolean =>
  Math.abs(value - digits) <= 5.001e-9 * 10 ** exponent(value);
const exponent = (value: number): number => (value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value))));

async function checkDataset(dataset: Hdf5Dataset, expected: ExpectedDataset): Promise<void> {
  const type = TYPES[expected.dtype] ?? (expected.dtype.startsWith('|S') ? 'string' : expected.dtype);
  expect(dataset.type.name, expected.path).toBe(type);
  expect(dataset.shape, expected.path).toEqual(expected.shape);
  expect(dataset.chunks ?? null, expected.path).toEqual(expected.chunks);
  expect(dataset.filters.some(({ name }) => name === 'deflate')).toBe(expected.compression === 'gzip');
  const data = await dataset.read();
  expect(data.length).toBe(expected.shape.reduce((a, b) => a * b, 1));
  if (expected.values !== undefined) {
    expect(data).toEqual([expected.values].flat());
    return;
  }
  const values = numbers(dataset, data);
  expect(
    values.slice(0, 8).every((value, i) => isMeant(value, expected.first![i]!)),
    expected.path,
  ).toBe(true);
  expect(Math.min(8, values.length)).toBe(expected.first!.length);
  const l2 = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  expect(Math.abs(l2 - expected.l2!), expected.path).toBeLessThanOrEqual(1e-11 * expected.l2!);
}

function plain({ shape, data }: Hdf5Attribute): unknown {
  const list = Array.from(data as ArrayLike<unknown>, (value) => (typeof value === 'bigint' ? Number(value) : value));
  return shape?.length === 0 ? list[0] : list;
}

describe.each(Object.entries(files).filter(([name]) => name !== 'split_attributes.h5'))('%s', (name, expected) => {
  it('every dataset', async () => {
    await using file = await openGolden(name);
    const found = [...file.walk()].filter((object) => object instanceof Hdf5Dataset);
    expect(found.map(({ path }) => path).sort()).toEqual(expected.datasets!.map(({ path }) => path).sort());
    for (const dataset of expected.datasets!) await checkDataset(file.root.dataset(dataset.path), dataset);
  });

  it('every attribute', async () => {
    await using file = await openGolden(name);
    const found = new Map<string, Record<string, unknown>>();
    for (const object of file.walk()) {
      const { attributes } = object;
      if (attributes.size > 0) {
        found.set(object.path, Object.fromEntries([...attributes].map(([key, value]) => [key, plain(value)])));
      }
    }
    expect(Object.fromEntries(found)).toEqual(expected.attributes);
  });
});

it('split_attributes.h5: long lists in parts', async () => {
  await using file = await openGolden('split_attributes.h5');
  const { attributes } = file.root;
  const expected = files['split_attributes.h5']!.attributes['/']! as Record<string, number>;
  expect([...attributes.keys()].sort()).toEqual(Object.keys(expected).sort());
  const names = Object.keys(expected).flatMap((part) => plain(attributes.get(part)!) as string[]);
  expect(names).toEqual(Array.from({ length: 800 }, (_, i) => `${String(i).padStart(5, '0')}_${'n'.repeat(90)}`));
});
