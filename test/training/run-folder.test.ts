import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { curvesSpec, renderSvg } from '../../lib/training/curves.js';
import { historyToCsv, type TrainingHistory } from '../../lib/training/history.js';
import { createRunFolder } from '../../lib/training/run-folder.js';

const history: TrainingHistory = {
  epoch: [0, 1, 2],
  history: {
    accuracy: [0.7, 0.8, 0.85],
    loss: [0.9, 0.5, NaN],
    val_accuracy: [0.75, 0.8, 0.82],
    val_loss: [0.8, 0.6, Infinity],
  },
};

let root = '';
beforeEach(async () => (root = await mkdtemp(path.join(tmpdir(), 'fovea-runs-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

describe('createRunFolder', () => {
  const date = new Date(2026, 10, 4, 12);

  it('numbers the runs of a day by name', async () => {
    const names: string[] = [];
    for (const name of ['Fashion CNN', 'Fashion CNN', 'fashion', '../../é & co.', '']) {
      const run = await createRunFolder({ root: path.join(root, 'runs'), name, date });
      names.push(path.relative(root, run.path));
    }
    expect(names).toEqual([
      'runs/2026-11-04-fashion-cnn-001',
      'runs/2026-11-04-fashion-cnn-002',
      'runs/2026-11-04-fashion-001',
      'runs/2026-11-04-e-co-001',
      'runs/2026-11-04-run-001',
    ]);
    await rm(path.join(root, names[0] as string), { recursive: true });
    const next = await createRunFolder({ root: path.join(root, 'runs'), name: 'fashion cnn', date });
    expect(path.basename(next.path)).toBe('2026-11-04-fashion-cnn-003');
  });

  it('gives runs that begin at once folders of their own', async () => {
    const runs = await Promise.all(Array.from({ length: 10 }, () => createRunFolder({ root, date })));
    expect(new Set(runs.map((run) => run.path)).size).toBe(10);
  });

  it('names the folder it cannot make', async () => {
    await writeFile(path.join(root, 'file'), '');
    await expect(createRunFolder({ root: path.join(root, 'file') })).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

describe('RunFolder', () => {
  it('keeps configuration, history and curves', async () => {
    const run = await createRunFolder({ root });
    await run.saveConfig({ epochs: 3 });
    await run.saveHistory(history);
    const picture = await run.saveCurves(history, 'Fashion CNN');
    expect((await readdir(run.path)).sort()).toEqual([
      'config.json',
      'curves.svg',
      'curves.vl.json',
      'history.csv',
      'history.json',
    ]);
    expect(JSON.parse(await readFile(run.file('config.json'), 'utf8'))).toEqual({ epochs: 3 });
    expect(await readFile(run.file('history.csv'), 'utf8')).toBe(
      'epoch,accuracy,loss,val_accuracy,val_loss\n0,0.7,0.9,0.75,0.8\n1,0.8,0.5,0.8,0.6\n2,0.85,NaN,0.82,Infinity\n',
    );
    const saved = JSON.parse(await readFile(run.file('history.json'), 'utf8')) as TrainingHistory;
    expect(saved.epoch).toEqual([0, 1, 2]);
    expect(saved.history['loss']).toEqual([0.9, 0.5, null]);
    const svg = await readFile(picture, 'utf8');
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
    for (const word of ['Fashion CNN', 'loss', 'accuracy', 'train', 'validation', 'epoch']) expect(svg).toContain(word);
    expect(await renderSvg(JSON.parse(await readFile(run.file('curves.vl.json'), 'utf8')) as never)).toBe(svg);
  });

  it('refuses a history whose series differ in length, and writes nothing', async () => {
    const run = await createRunFolder({ root });
    const uneven = { epoch: [0, 1], history: { loss: [1] } };
    await expect(run.saveHistory(uneven)).rejects.toThrow('history: expected 2 values of loss, received 1');
    await expect(run.saveCurves(uneven)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(await readdir(run.path)).toEqual([]);
  });
});

describe('history and curves', () => {
  it('quotes names in CSV', () => {
    expect(historyToCsv({ epoch: [0], history: { 'a,"b"': [1e-7] } })).toBe('epoch,"a,""b"""\n0,1e-7\n');
  });

  it('draws loss first, leaves out what is no number, and bears an empty or single-epoch history', async () => {
    const spec = curvesSpec(history) as unknown as {
      hconcat: { data: { values: unknown[] }; encoding: { y: { axis: { title: string } } } }[];
    };
    expect(spec.hconcat.map((chart) => chart.encoding.y.axis.title)).toEqual(['loss', 'accuracy']);
    expect(spec.hconcat.map((chart) => chart.data.values.length)).toEqual([4, 6]);
    expect(await renderSvg(curvesSpec({ epoch: [0], history: { loss: [1] } }))).toContain('<svg');
    expect(await renderSvg(curvesSpec({ epoch: [], history: {} }))).toContain('<svg');
    expect(await renderSvg(curvesSpec({ epoch: [], history: { loss: [] } }))).toContain('<svg');
  });
});
