import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkConfig, jsonSchema, readConfigFile } from '../../lib/cli/config.js';
import { bytes, table } from '../../lib/cli/output.js';
import { buildProgram } from '../../lib/cli/program.js';
import { runCli } from '../../lib/cli/run.js';
import { compareVersions } from '../../lib/cli/doctor.js';
import { MAIN, runSource } from './support.js';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea cli '))));
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs the command line in this process: for what ends before a model is made. */
async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (out.push(String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => (err.push(String(text)), true));
  try {
    return { code: await runCli(argv), stdout: out.join(''), stderr: err.join('') };
  } finally {
    vi.restoreAllMocks();
  }
}

describe('help', () => {
  const names = buildProgram().commands.map((command) => command.name());

  it('of every command teaches by examples, on standard output', async () => {
    expect(names).toEqual([
      ...['devices', 'doctor', 'models', 'summary', 'train', 'evaluate', 'bench'],
      ...['predict', 'weights', 'convert'],
    ]);
    for (const name of names) {
      const { code, stdout, stderr } = await run(name, '--help');
      expect([code, stderr], name).toEqual([0, '']);
      expect(stdout, name).toContain(`Usage: fovea ${name}`);
      if (name !== 'doctor') expect(stdout, name).toMatch(/Examples?:\n {2}(FOVEA_DEVICE=reference )?fovea /);
    }
  });

  it('comes quickly: the library is not loaded for it', { retry: 3 }, async () => {
    const empty = path.join(folder, 'empty.ts');
    await writeFile(empty, '');
    const time = async (work: () => Promise<unknown>): Promise<number> => {
      const times: number[] = [];
      for (let i = 0; i < 3; i++) {
        const begin = performance.now();
        await work();
        times.push(performance.now() - begin);
      }
      return Math.min(...times);
    };
    const own = await time(() => runSource([empty]));
    const help = await time(() => runSource([MAIN, '--help']));
    expect(help - own).toBeLessThan(150);
  });

  it('without a command, and an unknown command, are errors of usage', async () => {
    expect((await run()).code).toBe(2);
    const { code, stderr } = await run('trian');
    expect(code).toBe(2);
    expect(stderr).toMatch(/unknown command 'trian'\n\(Did you mean train\?\)/);
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong arguments', () => {
  it.each([
    [
      ['summary', 'resnet5'],
      /expected a model: .* received 'resnet5' \(no network of that name; did you mean 'resnet50'\?\)/,
    ],
    [['summary', './no/such model'], /received '.\/no\/such model' \(no such file or folder\)/],
    [
      ['train', '--model', 'fashion_cnn'],
      /train: expected --data \(or --config FILE, or --resume RUN\), received none/,
    ],
    [['train', '--model', 'fashion_cn', '--data', 'mnist'], /did you mean 'fashion_cnn'\?/],
    [
      ['train', '--model', 'lenet5', '--data', 'mnistt'],
      /data.name: expected one of .* received "mnistt"; did you mean 'mnist'\?/,
    ],
    [['train', '--epochs', '0'], /'--epochs <n>' argument '0' is invalid. Expected a whole number of at least 1/],
    [['train', '--image-size', '1,2,3'], /Expected a size like 224/],
    [['train', '--resume', 'x', '--seed', '3'], /only --epochs may change, not seed/],
    [['train', '--modle', 'x'], /unknown option '--modle'\n\(Did you mean --model\?\)/],
    [['evaluate', 'nowhere', '--data', 'mnist'], /received 'nowhere'/],
    [
      ['evaluate', '.', '--split', 'tset', '--data', 'mnist'],
      /--split to be one of train, validation, test, received tset/,
    ],
    [['bench', 'lenet5', '--mode', 'fast'], /--mode to be train, predict or both, received fast/],
    [['models', 'nothing like it'], /no name contains 'nothing like it'/],
    [['models', '--sort', 'size'], /--sort to be one of year, name, parameters, flops, top1, received size/],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr } = await run(...argv);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('are JSON when that was asked for', async () => {
    const { code, stdout } = await run('summary', 'resnet5', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { name: 'UsageError' } });
  });
});

describe('a configuration', () => {
  const refused = (raw: unknown): string => {
    try {
      checkConfig(raw, 'train.json');
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('was taken');
  };

  it('is filled in, and short forms are taken', () => {
    const config = checkConfig(
      {
        model: 'lenet5',
        data: 'mnist',
        schedule: 'cosineDecay',
        callbacks: { modelCheckpoint: true, tensorBoard: false },
      },
      'x',
    );
    expect(config).toMatchObject({
      ...{ model: { name: 'lenet5' }, data: { name: 'mnist', validationSplit: 0.1 }, epochs: 1, batchSize: 32 },
      ...{ optimizer: { name: 'adam' }, schedule: { name: 'cosineDecay' }, seed: 42, precision: 'float32' },
      callbacks: { modelCheckpoint: {} },
    });
    expect(config.callbacks.tensorBoard).toBeUndefined();
    // What a run folder keeps is a configuration again.
    expect(checkConfig(JSON.parse(JSON.stringify(config)), 'x')).toEqual(config);
  });

  it('names every place that is wrong, what was expected and what was received', () => {
    expect(
      refused({
        model: { name: '' },
        data: { name: 'fashion-mnits', limt: 3, imageSize: [28] },
        epochs: 'ten',
        optimiser: 'adam',
        batchSize: 1.5,
        precision: 'float16',
        callbacks: {
          earlyStopping: { patience: -1, mode: 'least' },
          tensorboard: true,
          tensorBoard: { updateFreq: 'step' },
        },
      }).split('\n'),
    ).toEqual([
      'train.json:',
      '  model.name: expected text that is not empty, received ""',
      expect.stringMatching(
        /^ {2}data.name: expected one of "fashion-mnist", .* received "fashion-mnits"; did you mean 'fashion-mnist'\?$/,
      ),
      '  data.imageSize: expected a list of 2, received [28]',
      "  data.limt: unknown key; did you mean 'limit'?",
      '  epochs: expected a whole number of at least 1, received "ten"',
      '  batchSize: expected a whole number of at least 1, received 1.5',
      '  precision: expected one of "float32", "mixed_bfloat16", "mixed_float16", received "float16"; did you mean \'float32\'?',
      '  callbacks.earlyStopping.mode: expected one of "auto", "min", "max", received "least"',
      '  callbacks.earlyStopping.patience: expected a whole number of at least 0, received -1',
      '  callbacks.tensorBoard.updateFreq: expected one of "epoch", "batch", or a whole number of at least 1, received "step"',
      "  callbacks.tensorboard: unknown key; did you mean 'tensorBoard'?",
      "  optimiser: unknown key; did you mean 'optimizer'?",
    ]);
    expect(refused({ model: 'x' })).toBe('train.json: data: expected an object, received nothing');
    expect(refused({ model: 'x', data: 'mnist', zzz: 1 })).toMatch(
      /^train.json: zzz: unknown key; known here: model, data, /,
    );
  });

  it('in a file that is none is refused with its place', async () => {
    const file = path.join(folder, 'a config.json');
    await writeFile(file, '{\n  "model": "x",\n}');
    await expect(readConfigFile(file)).rejects.toThrow(`${file}:3:1: expected JSON`);
    await writeFile(file, '[1]');
    await expect(readConfigFile(file)).rejects.toThrow(`${file}: expected an object, received [1]`);
    await expect(readConfigFile(path.join(folder, 'none.json'))).rejects.toThrow(
      /cannot read the configuration .*none.json/,
    );
    const { code, stderr } = await run('train', '--config', file);
    expect([code, stderr]).toEqual([2, `fovea: ${file}: expected an object, received [1]\n`]);
  });

  it('has a schema, with the short forms', () => {
    const schema = jsonSchema() as { properties: Record<string, { anyOf?: object[] }>; required: string[] };
    expect(schema.required).toEqual(['model', 'data']);
    expect(schema.properties['model']!.anyOf![0]).toEqual({ type: 'string' });
    expect(Object.keys(schema.properties)).toContain('batchSize');
  });
});

describe('output', () => {
  it('has columns, numbers to the right', () => {
    expect(
      table(
        ['name', 'n'],
        [
          ['a', 5],
          ['long one', '1,234'],
        ],
      ),
    ).toBe('name          n\n--------  -----\na             5\nlong one  1,234');
    expect([bytes(12), bytes(2 ** 20), bytes(25276502016)]).toEqual(['12 B', '1.0 MiB', '23.5 GiB']);
    expect(compareVersions('20.9.0', '20.19') < 0 && compareVersions('22.0.0', '20.19') > 0).toBe(true);
    expect(compareVersions('20.19.0', '20.19')).toBe(0);
  });
});
