import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbacks, readEvents, SummaryWriter, type TensorBoardEvent } from '../../../lib/index.js';
import { crc32c, maskedCrc32c } from '../../../lib/training/tensorboard/crc32c.js';
import { decodeEvent, encodeSummary, encodeVersion, scalarTensor } from '../../../lib/training/tensorboard/events.js';
import { histogramBuckets } from '../../../lib/training/tensorboard/histogram.js';
import { encodePng } from '../../../lib/training/tensorboard/png.js';
import { frameRecord, readRecords } from '../../../lib/training/tensorboard/records.js';
import { weightImages } from '../../../lib/training/tensorboard/weight-images.js';
import { scores, smallCnn, spots } from '../support.js';

interface GoldenEvent {
  wallTime: number;
  step: number;
  recordBytes: number;
  fileVersion?: string;
  tag?: string;
  plugin?: string;
  kind?: 'tensor' | 'simpleValue';
  value?: number;
  lengthCrc: number;
  dataCrc: number;
}
const GOLDEN = new URL('../../golden/files/', import.meta.url);
const golden = JSON.parse(await readFile(new URL('tensorboard.json', GOLDEN), 'utf8')) as {
  files: { file: string; bytes: number; events: GoldenEvent[] }[];
};

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-tensorboard-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** The event files of a folder, read as one. */
async function eventsOf(...parts: string[]): Promise<TensorBoardEvent[]> {
  const at = path.join(folder, ...parts);
  const names = (await readdir(at)).sort();
  expect(names.every((name) => name.includes('tfevents'))).toBe(true);
  return (await Promise.all(names.map((name) => readEvents(path.join(at, name))))).flat();
}
const scalars = (events: readonly TensorBoardEvent[]) =>
  events.flatMap(({ step, values }) =>
    values
      .filter(({ plugin }) => plugin === 'scalars')
      .map(({ tag, content }) => [tag, step, new DataView(content!.slice().buffer).getFloat32(0, true)] as const),
  );

describe('checksums', () => {
  it('are those of RFC 3720 and of TFRecord', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(maskedCrc32c(new Uint8Array())).toBe(0xa282ead8);
  });
});

describe.each(golden.files)('$file of TensorFlow', ({ file, bytes, events }) => {
  it('is read, checksums and all', async () => {
    const content = await readFile(new URL(file, GOLDEN));
    expect(content.length).toBe(bytes);
    const records = readRecords(content, file);
    expect(records.map(({ lengthCrc, dataCrc, data }) => ({ lengthCrc, dataCrc, recordBytes: data.length }))).toEqual(
      events.map(({ lengthCrc, dataCrc, recordBytes }) => ({ lengthCrc, dataCrc, recordBytes })),
    );
    for (const [i, { data }] of records.entries()) {
      const { values, ...event } = decodeEvent(data);
      const { wallTime, step, fileVersion, tag, plugin, value } = events[i]!;
      expect(event).toEqual({ wallTime, step, ...(fileVersion ? { fileVersion } : {}) });
      if (tag === undefined) continue;
      expect(values.length).toBe(1);
      const [{ content: raw, ...read }] = values as [(typeof values)[0]];
      expect(read.tag).toBe(tag);
      expect(read.plugin ?? null).toBe(plugin);
      const got = read.simpleValue ?? new DataView(raw!.slice().buffer).getFloat32(0, true);
      expect(got).toBe(Math.fround(value!));
    }
  });

  it('is written byte for byte, as far as it is in the form of TensorFlow 2', async () => {
    if (!file.includes('.v2.')) return expect(events.some(({ kind }) => kind === 'tensor')).toBe(false);
    const content = await readFile(new URL(file, GOLDEN));
    const records = events.map(({ wallTime, step, tag, value, fileVersion }) =>
      frameRecord(
        fileVersion
          ? encodeVersion(wallTime, 'tensorflow.core.util.events_writer')
          : encodeSummary(wallTime, step, tag!, 'scalars', scalarTensor(value!)),
      ),
    );
    expect(Buffer.concat(records).equals(content)).toBe(true);
  });

  it('is refused when it is damaged or cut off', async () => {
    const content = await readFile(new URL(file, GOLDEN));
    const damaged = path.join(folder, file);
    for (const [at, why] of [
      [3, /record 0 at byte 0 to be whole, the checksum of its length/],
      [20, /record 0 at byte 0 to be whole, the checksum of its data/],
    ] as const) {
      const copy = Buffer.from(content);
      copy[at]! ^= 1;
      await writeFile(damaged, copy);
      await expect(readEvents(damaged)).rejects.toThrow(why);
    }
    await writeFile(damaged, content.subarray(0, content.length - 1));
    await expect(readEvents(damaged)).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(readEvents(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});

describe('histogramBuckets', () => {
  it('are of one width, with the greatest value in the last one', () => {
    expect(histogramBuckets([0, 1, 2, 3, 4, 4, NaN, Infinity], 4)).toEqual([
      [0, 1, 1],
      [1, 2, 1],
      [2, 3, 1],
      [3, 4, 3],
    ]);
    expect(histogramBuckets([5, 5], 3)).toEqual([
      [5, 5, 0],
      [5, 5, 0],
      [5, 5, 2],
    ]);
    expect(histogramBuckets([NaN], 2)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});

describe('encodePng', () => {
  it('holds the pixels', () => {
    const pixels = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => 14 * i);
    const png = encodePng(pixels, 3, 2, 3);
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    expect([png.readUInt32BE(16), png.readUInt32BE(20), png[24], png[25]]).toEqual([3, 2, 8, 2]);
    const length = png.readUInt32BE(33);
    expect(png.toString('latin1', 37, 41)).toBe('IDAT');
    const rows = inflateSync(png.subarray(41, 41 + length));
    expect([...rows]).toEqual([0, ...pixels.subarray(0, 9), 0, ...pixels.subarray(9)]);
    expect(() => encodePng(pixels, 3, 3, 3)).toThrow(/received 18 for \[3,3,3\]/);
  });
});

describe('weightImages', () => {
  it('cuts weights as Keras does', () => {
    const shapes = (shape: number[]): number[][] =>
      weightImages(
        Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
        shape,
      ).map((image) => [...image.shape]);
    expect(shapes([4])).toEqual([[1, 4, 1]]);
    expect(shapes([4, 2])).toEqual([[2, 4, 1]]);
    expect(shapes([3, 3, 1, 2])).toEqual([
      [3, 3, 1],
      [3, 3, 1],
    ]);
    expect(shapes([3, 3, 2, 8])).toEqual([]);
    const [first, second] = weightImages(Float64Array.from([0, 4, 1, 3, 2, 2, 3, 1]), [2, 2, 2]);
    expect([...first!.data]).toEqual([0, 0.25, 0.5, 0.75]);
    expect([...second!.data]).toEqual([1, 0.75, 0.5, 0.25]);
  });
});

describe('SummaryWriter', () => {
  it('writes scalars, histograms, images and text in files of their own', async () => {
    const writers = [1, 2].map(() => new SummaryWriter(path.join(folder, 'own'), () => 1_700_000_000_500));
    const [writer, other] = writers as [SummaryWriter, SummaryWriter];
    expect(writer.file).not.toBe(other.file);
    writer.scalar('s', 0.5, 3);
    await writer.flush();
    writer.histogram('h', [1, 2, 3], 4, 2);
    writer.image('i', { data: Uint8Array.of(0, 255), shape: [1, 2, 1] }, 5);
    writer.text('t', '**größer**', 6);
    await Promise.all([writer.flush(), writer.close(), writer.close()]);
    const [version, ...events] = await readEvents(writer.file);
    expect(version).toMatchObject({ wallTime: 1_700_000_000.5, fileVersion: 'brain.Event:2' });
    const values = events.map((event) => ({ step: event.step, ...event.values[0]! }));
    expect(values.map(({ tag, plugin, step, shape, dtype }) => [tag, plugin, step, shape, dtype])).toEqual([
      ['s', 'scalars', 3, [], 1],
      ['h', 'histograms', 4, [2, 3], 2],
      ['i', 'images', 5, [3], 7],
      ['t', 'text', 6, [], 7],
    ]);
    expect([...new Float64Array(values[1]!.content!.slice().buffer)]).toEqual([1, 2, 1, 2, 3, 2]);
    expect(values[2]!.strings!.slice(0, 2).map(text)).toEqual(['2', '1']);
    expect(text(values[3]!.strings![0]!)).toBe('**größer**');
    await other.close();
    expect(() => other.scalar('s', 1, 0)).toThrow(/expected an open writer/);
    expect(() => new SummaryWriter(folder).scalar('s', 1, 0.5)).toThrow(/step to be a whole number/);
  });

  it('says which file it cannot write', async () => {
    await writeFile(path.join(folder, 'a-file'), '');
    const writer = new SummaryWriter(path.join(folder, 'a-file', 'x'));
    await expect(writer.close()).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

describe('TensorBoard', () => {
  const { x, y } = spots(24);
  const compiled = () => {
    const model = smallCnn();
    model.compile({ optimizer: 'adam', loss: scores(), metrics: ['accuracy'] });
    return model;
  };

  it("writes Keras's names: epochs, validation, batches, weights", async () => {
    const model = compiled();
    const board = new callbacks.TensorBoard(path.join(folder, 'all'), {
      ...{ updateFreq: 2, histogramFreq: 2, writeImages: true, writeStepsPerSecond: true },
    });
    const history = await model.fit(x, y, {
      ...{ epochs: 3, batchSize: 6, verbose: 0, validationData: [x, y], callbacks: [board] },
    });
    const train = await eventsOf('all', 'train');
    const found = scalars(train);
    expect(found.filter(([tag]) => tag === 'epoch_loss')).toEqual(
      history.history['loss']!.map((loss, epoch) => ['epoch_loss', epoch, Math.fround(loss)]),
    );
    expect(found.filter(([tag]) => tag === 'batch_accuracy').map(([, step]) => step)).toEqual([2, 4, 6, 8, 10, 12]);
    expect(new Set(found.map(([tag]) => tag))).toEqual(
      new Set([
        ...['epoch_loss', 'epoch_accuracy', 'epoch_learning_rate', 'epoch_steps_per_second'],
        ...['batch_loss', 'batch_accuracy', 'batch_steps_per_second'],
      ]),
    );
    const others = train.flatMap(({ step, values }) => values.map(({ tag, plugin }) => `${plugin} ${tag} ${step}`));
    expect(others.filter((name) => name.startsWith('histograms') && name.includes('kernel'))).toEqual([
      'histograms conv/kernel/histogram 0',
      'histograms scores/kernel/histogram 0',
      'histograms conv/kernel/histogram 2',
      'histograms scores/kernel/histogram 2',
    ]);
    expect(others).toContain('images scores/kernel/image 2');
    const validation = scalars(await eventsOf('all', 'validation'));
    expect(validation.filter(([tag]) => tag === 'epoch_accuracy')).toEqual(
      history.history['val_accuracy']!.map((value, epoch) => ['epoch_accuracy', epoch, Math.fround(value)]),
    );
    expect(validation.filter(([tag]) => tag === 'evaluation_loss_vs_iterations').map(([, step]) => step)).toEqual([
      4, 8, 12,
    ]);
  });

  it('leaves what was written when training fails, and works with evaluate', async () => {
    const board = new callbacks.TensorBoard(path.join(folder, 'fails'));
    const model = compiled();
    const fail = new (class extends callbacks.Callback {
      override onEpochEnd(epoch: number): void {
        if (epoch === 1) throw new Error('no');
      }
    })();
    const fit = { epochs: 3, verbose: 0, callbacks: [board, fail] } as const;
    await expect(model.fit(x, y, fit)).rejects.toThrow('no');
    expect(scalars(await eventsOf('fails', 'train')).filter(([tag]) => tag === 'epoch_loss').length).toBe(2);
    const { loss } = await model.evaluate(x, y, { verbose: 0, callbacks: [board] });
    expect(scalars(await eventsOf('fails', 'validation'))).toContainEqual([
      ...['evaluation_loss_vs_iterations', 2],
      Math.fround(loss!),
    ]);
    expect(() => new callbacks.TensorBoard('x', { updateFreq: 0 })).toThrow(/updateFreq to be a whole number/);
  });
});
