import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layers, readEvents, saveModel, Sequential, setRandomSeed } from '../../lib/index.js';
import { fovea, writeTinyMnist, type Result } from './support.js';

let root = '';
let mnist = '';
let tiny = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'fovea commands '));
  mnist = path.join(root, 'tiny mnist');
  await writeTinyMnist(mnist);
  setRandomSeed(1);
  const model = new Sequential(
    [
      layers.conv2d({ filters: 4, kernelSize: 7, strides: 7, activation: 'relu', inputShape: [28, 28, 1] }),
      layers.flatten(),
      layers.dropout({ rate: 0.1 }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
    { name: 'tiny' },
  );
  tiny = path.join(root, 'tiny model');
  await saveModel(model, tiny);
});
afterAll(() => rm(root, { recursive: true, force: true }));

function json<T>({ code, stdout, stderr }: Result): T {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

describe('what there is', { timeout: 60_000 }, () => {
  it('devices and doctor tell it, as JSON and for people', async () => {
    const [devices, doctor, text] = await Promise.all([
      fovea(['devices', '--json']),
      fovea(['doctor', '--json'], { env: { FOVEA_CACHE: path.join(root, 'cache of mine') } }),
      fovea(['doctor'], { env: { FOVEA_ADDON: path.join(root, 'no addon.node') } }),
    ]);
    const found = json<{ current: string; present: { name: string }[] }>(devices);
    expect(found.present.map(({ name }) => name)).toContain(found.current);
    const report = json<{ canTrain: boolean; checks: { name: string; status: string; detail: string }[] }>(doctor);
    expect(report.canTrain).toBe(true);
    const check = (name: string) => report.checks.find((c) => c.name === name);
    expect(check('cache folder')).toEqual({
      ...{ name: 'cache folder', status: 'ok', detail: path.join(root, 'cache of mine') },
    });
    expect(check('native addon')!.detail).toMatch(/fovea\.node$/);
    expect(check('node')!.detail).toContain(process.version);
    expect(text.code, text.stderr).toBe(0);
    expect(text.stdout).toMatch(/warn {2}native addon +not available: FOVEA_ADDON=.*no addon.node: /);
    expect(text.stdout).toMatch(/-> Build the addon with "npm run setup"/);
    expect(text.stdout).toMatch(/Training works here, on reference\.\n$/);
  });

  it('doctor fails when training cannot work', async () => {
    const { code, stdout } = await fovea(['doctor'], { env: { FOVEA_DEVICE: 'cuda:7' } });
    expect(code).toBe(1);
    expect(stdout).toMatch(/FAIL {2}training step +on cuda:7: /);
  });

  it('models and summary', async () => {
    const [models, summary, text] = await Promise.all([
      fovea(['models', 'ResNet-50', '--json']),
      fovea(['summary', 'mobilenet', '--classes', '7', '--input-shape', '64,64,3', '--json']),
      fovea(['summary', tiny, '--plot', path.join(root, 'a graph.svg')]),
    ]);
    expect(json<{ name: string }[]>(models).map(({ name }) => name)).toContain('seresnet50');
    const read = json<{ outputShape: unknown; parameters: number; layers: object[] }>(summary);
    expect(read.outputShape).toEqual([null, 7]);
    expect(read.layers.length).toBeGreaterThan(50);
    expect(text.code, text.stderr).toBe(0);
    expect(text.stdout).toMatch(/Total params: 850/);
    expect(await readFile(path.join(root, 'a graph.svg'), 'utf8')).toContain('<svg');
  });
});

describe('train', { timeout: 120_000 }, () => {
  const args = (...more: string[]): string[] => {
    return ['train', '--model', tiny, '--data', 'mnist', '--folder', mnist, '--learning-rate', '0.02', ...more];
  };

  it('leaves a run folder that tells all; evaluate takes it', async () => {
    const runs = path.join(root, 'my runs');
    const config = path.join(root, 'a config.json');
    await writeFile(
      config,
      JSON.stringify({
        ...{ model: 'lenet5', data: 'mnist', batchSize: 16, optimizer: 'nadam', schedule: 'cosineDecay', epochs: 100 },
        callbacks: { modelCheckpoint: true, tensorBoard: { updateFreq: 2 }, terminateOnNaN: true },
      }),
    );
    const trained = await fovea(args('--config', config, '--epochs', '3', '--runs', runs, '--json'));
    const result = json<{ run: string; status: string; epochs: number; metrics: Record<string, number>; test: object }>(
      trained,
    );
    expect(result).toMatchObject({ status: 'finished', epochs: 3 });
    expect(path.dirname(result.run)).toBe(runs);
    expect(trained.stderr).toMatch(/mnist: 108 images to train, 12 to validate, 10 classes/);
    expect(trained.stderr).toMatch(/Epoch 3\/3 - 7\/7 .* val_accuracy: /);
    expect((await readdir(result.run)).sort()).toEqual([
      ...[
        'best',
        'checkpoint.safetensors',
        'config.json',
        'curves.svg',
        'curves.vl.json',
        'history.csv',
        'history.json',
      ],
      ...['model', 'run.json', 'tensorboard'],
    ]);
    const run = JSON.parse(await readFile(path.join(result.run, 'run.json'), 'utf8')) as Record<string, unknown>;
    expect(run).toMatchObject({
      ...{ status: 'finished', test: result.test, model: { name: 'tiny', parameters: 850 } },
      data: { name: 'mnist', folder: mnist, shape: [28, 28, 1], train: 108, validation: 12, test: 40 },
      environment: { node: process.version, device: { name: expect.any(String) as string } },
    });
    expect((run['command'] as string[]).slice(0, 3)).toEqual(['fovea', 'train', '--model']);
    const kept = JSON.parse(await readFile(path.join(result.run, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(kept).toMatchObject({
      ...{ model: { name: tiny }, data: { name: 'mnist', folder: mnist, scale: 'unit' }, epochs: 3, batchSize: 16 },
      optimizer: { name: 'nadam', learningRate: 0.02 },
    });
    const csv = (await readFile(path.join(result.run, 'history.csv'), 'utf8')).trim().split('\n');
    expect(csv[0]).toBe(
      'epoch,loss,accuracy,val_loss,val_accuracy,samples_per_second,step_ms_p50,step_ms_p90,step_ms_p99',
    );
    expect(csv.length).toBe(4);
    const events = path.join(result.run, 'tensorboard', 'train');
    expect((await readEvents(path.join(events, (await readdir(events))[0]!))).length).toBeGreaterThan(6);
    const measured = json<{ images: number; metrics: Record<string, number> }>(
      await fovea(['evaluate', result.run, '--json']),
    );
    expect(measured).toMatchObject({ split: 'test', images: 40, metrics: result.test });
  });

  it('ends at Ctrl-C with 130 and a checkpoint, from which --resume goes on bit for bit', async () => {
    const common = args('--epochs', '40', '--batch-size', '4', '--runs', path.join(root, 'interrupted'));
    let sent = false;
    const first = await fovea([...common, '--checkpoint-every', '1000'], {
      watch: (stderr, child) => {
        if (sent || !stderr.includes('Epoch 2/40')) return;
        sent = true;
        child.kill('SIGINT');
      },
    });
    expect(first.code, first.stderr).toBe(130);
    expect(first.stdout).toBe('');
    expect(first.stderr).toContain('interrupted by Ctrl-C: ending after the running batch');
    const folder = /go on with: fovea train --resume '(.*)'/.exec(first.stderr)![1]!;
    const state = JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')) as { status: string };
    expect(state.status).toBe('interrupted');
    expect(existsSync(path.join(folder, 'curves.svg'))).toBe(true);
    const whole = await fovea([...common, '--epochs', '6', '--json']);
    const second = await fovea(['train', '--resume', folder, '--epochs', '6', '--json']);
    const comparable = (result: Result) => {
      const { metrics, test, epochs } = json<{ metrics: Record<string, number>; test: object; epochs: number }>(result);
      const { loss, accuracy, val_loss } = metrics;
      return { loss, accuracy, val_loss, test, epochs };
    };
    const a = comparable(second);
    if (a.epochs === 6) expect(a).toEqual(comparable(whole));
    else throw new Error(`the signal came too late: ${a.epochs} epochs`);
  });

  it('makes no folder when something is wrong', async () => {
    const runs = path.join(root, 'none');
    const [optimizer, folder, shape] = await Promise.all([
      fovea(args('--optimizer', 'adamm', '--runs', runs)),
      fovea(['train', '--model', tiny, '--data', 'mnist', '--folder', path.join(root, 'x'), '--runs', runs, '--json']),
      fovea(args('--image-size', '20', '--runs', runs)),
    ]);
    expect([optimizer.code, optimizer.stderr]).toEqual([2, expect.stringMatching(/did you mean 'Adam'\?/)]);
    expect(folder.code).toBe(1);
    expect(JSON.parse(folder.stdout)).toMatchObject({ error: { name: 'FoveaError', code: 'ERR_NOT_FOUND' } });
    expect(folder.stderr).toMatch(/^fovea: mnist: expected the four IDX files in .*\n$/);
    expect([shape.code, shape.stderr]).toEqual([
      2,
      'fovea: data: expected images of 28x28x1, which tiny takes, received 20x20x1; --image-size 28,28 resizes them\n',
    ]);
    expect(existsSync(runs)).toBe(false);
  });
});

describe('bench', { timeout: 60_000 }, () => {
  it('times training and inference, and says what a time is worth', async () => {
    const result = json<{ rows: { work: string; medianMs: number; imagesPerSecond: number }[]; note: string }>(
      await fovea(['bench', tiny, '--batch-size', '4', '--steps', '3', '--json']),
    );
    expect(result.rows.map(({ work }) => work)).toEqual(['train', 'predict']);
    for (const { medianMs, imagesPerSecond } of result.rows) expect(medianMs * imagesPerSecond).toBeCloseTo(4000, 3);
    expect(result.note).toMatch(/compare ratios/);
  });
});
