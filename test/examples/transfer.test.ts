import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel, type Model } from '../../lib/index.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-transfer-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the program in a folder of its own, without the network. */
function run(...flags: string[]) {
  const program = path.join(ROOT, 'examples/transfer-learning.ts');
  return spawnSync(process.execPath, ['--import', TSX, program, ...flags], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, FOVEA_CACHE: path.join(folder, 'cache') },
  });
}

/** A line of the table: epochs, trained weights, then accuracies. */
function line(output: string, name: string): number[] {
  const found = output.split('\n').find((text) => text.startsWith(`│ ${name}`));
  return (found ?? '').split('│').slice(2, -1).map(Number);
}

test('the chapter runs on drawn flowers: a frozen base that has learned shapes beats one that has learned nothing', async () => {
  const small = ['--data', 'drawn', '--base', 'small', '--size', '40', '--per-class', '40'];
  const { stdout, stderr, status } = run(
    ...small,
    '--epochs',
    '4',
    '--pretrain-epochs',
    '4',
    '--fine-tune-epochs',
    '1',
  );
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  expect(stdout).toContain(
    'Data: 150 / 30 / 20 images to train / validate / test: buttercup, daisy, dandelion, rose, tulip',
  );
  const [frozen, tuned, scratch] = ['frozen base', 'fine-tuned', 'from scratch'].map((name) => line(stdout, name));
  // Only the top is trained at first: 128 features, 5 classes.
  expect([frozen![1], tuned![1], scratch![1]]).toEqual([645, 98325, 98325]);
  expect(frozen![0]).toBe(4);
  // Training and validation accuracy, as measured over 180 images; chance is 0.2.
  expect(frozen![2]).toBeGreaterThan(0.6);
  expect(frozen![3]).toBeGreaterThan(0.45);
  expect(frozen![2]! + frozen![3]!).toBeGreaterThan(scratch![2]! + scratch![3]!);
  const [name] = await readdir(path.join(folder, 'runs'));
  const model = await loadModel(path.join(folder, 'runs', name!, 'model'));
  expect((model as Model).outputShape).toEqual([null, 5]);
});

test('it says what is wrong with a flag', () => {
  expect(run('--epochs', '0').stderr).toContain('--epochs: expected a whole number of at least 1, received 0');
});
