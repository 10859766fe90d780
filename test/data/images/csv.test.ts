import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCsv } from '../../../lib/data/images/csv.js';
import * as data from '../../../lib/data/index.js';
import { png } from './files.js';

const fields = (text: string, delimiter?: string) => parseCsv(text, 'x.csv', delimiter).map((record) => record.fields);

describe('parseCsv', () => {
  it.each([
    [
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r1,2\r',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['\uFEFFa\n', [['a']]],
    ['"a, b","c ""d"""\n', [['a, b', 'c "d"']]],
    ['"line 1\nline 2",x\n', [['line 1\nline 2', 'x']]],
    [',\n', [['', '']]],
    ['a,\n', [['a', '']]],
    ['""\n"",""\n', [['', '']]],
    ['\n\na\n\n', [['a']]],
    ['', []],
    [' a , b \n', [[' a ', ' b ']]],
  ])('%j', (text, expected) => expect(fields(text)).toEqual(expected));

  it('takes other delimiters, and knows the lines', () => {
    expect(fields('a;b,c\n', ';')).toEqual([['a', 'b,c']]);
    expect(parseCsv('a\n"b\r\nb"\nc', 'x').map(({ line }) => line)).toEqual([1, 2, 4]);
  });

  it.each([
    ['a\n"open\n', /x\.csv, line 2: expected the end of the quotes/],
    ['a\nb"c\n', /line 2: expected quotes around whole fields/],
    ['"a"b\n', /line 1: expected a delimiter or the end of the line/],
  ])('refuses %j', (text, message) => expect(() => fields(text)).toThrow(message));

  it('takes a long file in one go', () => {
    const text = Array.from({ length: 200_000 }, (_, i) => `folder/image-${i}.jpg,"class ${i % 7}"`).join('\n');
    const begin = performance.now();
    expect(fields(text).length).toBe(200_000);
    expect(performance.now() - begin).toBeLessThan(3000);
  });
});

describe('csvImages', () => {
  let root = '';
  let list = '';
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'fovea-csv-'));
    list = path.join(root, 'list.csv');
    await mkdir(path.join(root, 'images'));
    for (let i = 0; i < 4; i++) await writeFile(path.join(root, 'images', `${i}, x.png`), await png(i));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const options = { imageSize: [4, 6], shuffle: false } as const;
  const pairs = async (set: data.ImageDataset<[data.HostTensor, data.HostTensor]>) =>
    (await set.toArray()).map(([image, label]) => [image.data[2], ...label.data]);
  const csv = (lines: string[]) => writeFile(list, lines.join('\r\n'));

  it('reads images and labels by the names of columns, classes sorted', async () => {
    await csv(['id,path,label', '1,"images/2, x.png",zebra', '2,"images/0, x.png",ant', '3,"images/1, x.png",zebra']);
    const set = await data.csvImages(list, options);
    expect(set.classNames).toEqual(['ant', 'zebra']);
    expect(await pairs(set)).toEqual([
      [2, 1],
      [0, 0],
      [1, 1],
    ]);
    const named = await data.csvImages(list, { ...options, classNames: ['zebra', 'ant'], labelMode: 'categorical' });
    expect(await pairs(named)).toEqual([
      [2, 1, 0],
      [0, 0, 1],
      [1, 1, 0],
    ]);
    const [a, b] = await data.csvImages(list, { ...options, split: ['train[:1]', 'train[1:]'] });
    expect([a.cardinality, b.cardinality]).toEqual([1, 2]);
  });

  it('sorts numbers as numbers, and takes columns by number, other roots and delimiters', async () => {
    await csv(['10;0, x.png', '9;1, x.png', '-1;3, x.png']);
    const set = await data.csvImages(list, {
      ...{ ...options, header: false, pathColumn: 1, labelColumn: 0, delimiter: ';' },
      root: path.join(root, 'images'),
    });
    expect(set.classNames).toEqual(['-1', '9', '10']);
    expect(await pairs(set)).toEqual([
      [0, 2],
      [1, 1],
      [3, 0],
    ]);
  });

  it('gives numbers for regression, or images alone', async () => {
    await csv(['path,label', '"images/0, x.png",0.5', '"images/1, x.png",-2e3']);
    const set = await data.csvImages(list, { ...options, labelMode: 'float' });
    expect(await pairs(set)).toEqual([
      [0, 0.5],
      [1, -2000],
    ]);
    const bare = await data.csvImages(list, { ...options, labelMode: null });
    expect((await bare.toArray()).map((image) => image.data[2])).toEqual([0, 1]);
  });

  it('names file and line of what is wrong', async () => {
    await csv(['path,label', '"images/0, x.png",a', 'only one']);
    await expect(data.csvImages(list)).rejects.toThrow(/2 fields in .*list\.csv, line 3, received 1/);
    await csv(['path,label', ',a']);
    await expect(data.csvImages(list)).rejects.toThrow(/a value in field 1 of .*line 2/);
    await csv(['path,label', '"images/0, x.png",b']);
    await expect(data.csvImages(list, { classNames: ['a'] })).rejects.toThrow(
      /one of the classes a in .*line 2, received b/,
    );
    await expect(data.csvImages(list, { labelMode: 'float' })).rejects.toThrow(
      /a number as label .*line 2, received "b"/,
    );
    await expect(data.csvImages(list, { labelColumn: 'class' })).rejects.toThrow(
      /labelColumn to be one of the columns path, label/,
    );
    await csv(['path,label']);
    await expect(data.csvImages(list)).rejects.toThrow(/records in .*list\.csv, received none/);
    await expect(data.csvImages(path.join(root, 'no.csv'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await csv(['path,label', 'images/none.png,a']);
    await expect((await data.csvImages(list)).toArray()).rejects.toThrow(/cannot read .*none\.png/);
  });
});
