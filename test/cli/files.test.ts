import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { data, layers, loadModel, saveModel, Sequential, setRandomSeed, vision, type Tensor } from '../../lib/index.js';
import { encodePng } from '../../lib/training/tensorboard/png.js';
import { createModel } from '../../models/index.js';
import { fovea, type Result } from './support.js';

const PHOTO = fileURLToPath(new URL('../golden/files/rocket.jpg', import.meta.url));

let root = '';
let tiny = '';
let two = '';
let model: Sequential;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'fovea files '));
  setRandomSeed(3);
  model = new Sequential(
    [
      layers.conv2d({ filters: 4, kernelSize: 5, strides: 5, activation: 'relu', inputShape: [20, 30, 3] }),
      layers.globalAveragePooling2d(),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
    { name: 'tiny' },
  );
  tiny = path.join(root, 'tiny model');
  await saveModel(model, tiny);
  two = path.join(root, 'two classes');
  const smaller = new Sequential([
    layers.conv2d({ filters: 4, kernelSize: 5, strides: 5, activation: 'relu', inputShape: [20, 30, 3] }),
    layers.globalAveragePooling2d(),
    layers.dense({ units: 2, activation: 'softmax' }),
  ]);
  await saveModel(smaller, two);
});
afterAll(() => rm(root, { recursive: true, force: true }));

function json<T>({ code, stdout, stderr }: Result, expected = 0): T {
  expect(code, stderr).toBe(expected);
  return JSON.parse(stdout) as T;
}

interface Row {
  file: string;
  predictions?: { name: string; index: number; probability: number; wnid?: string }[];
  error?: string;
}

describe('predict', { timeout: 120_000 }, () => {
  it('looks at images with a saved model; one that cannot be read is told, and the others are looked at', async () => {
    const classes = path.join(root, 'the classes.txt');
    await writeFile(classes, 'rocket\r\ncat\nship\n');
    const broken = path.join(root, 'broken photo.jpg');
    await writeFile(broken, (await readFile(PHOTO)).subarray(0, 5000));
    const args = ['predict', '--model', tiny, '--classes', classes, '--scale', 'tf', '--batch-size', '2'];
    const [first, second] = await Promise.all([
      fovea([...args, PHOTO, broken, PHOTO, '--json']),
      fovea(['predict', '--model', tiny, '--top', '1', PHOTO]),
    ]);
    const rows = json<Row[]>(first, 1);
    expect(rows.map(({ file }) => file)).toEqual([PHOTO, broken, PHOTO]);
    expect(rows[1]!.error).toContain('broken photo.jpg');
    expect(first.stderr).toContain(rows[1]!.error);
    // The same by hand: resized with antialias, -1 to 1.
    const image = await vision.loadImage(PHOTO, { size: [20, 30], interpolation: 'bilinear' });
    const scaled = Float32Array.from(image.data, (v) => v / 127.5 - 1);
    const scores = await ((await model.predict(data.hostTensor(scaled, [1, 20, 30, 3]))) as Tensor).data();
    for (const row of [rows[0]!, rows[2]!]) {
      expect(row.predictions!.map(({ name }) => name).sort()).toEqual(['cat', 'rocket', 'ship']);
      for (const { index, probability, name } of row.predictions!) {
        expect(name).toBe(['rocket', 'cat', 'ship'][index]);
        // Pillow rounds to bytes, ours keeps the fractions.
        expect(Math.abs(probability - Number(scores[index]))).toBeLessThan(0.01);
      }
    }
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toContain('0 to 1 is assumed');
    expect(second.stdout).toMatch(/^file +probability +class\n-+ +-+ +-+\n.*rocket.jpg +\d+\.\d\d% +class \d\n$/);
  });

  it('prepares images for a network of the zoo as its weights were evaluated', async () => {
    setRandomSeed(5);
    const network = createModel('mobilenet_v2');
    const weights = path.join(root, 'mobilenet weights.safetensors');
    await network.saveWeights(weights);
    const [row] = json<[Row]>(
      await fovea(['predict', '--model', 'mobilenet_v2', '--weights', weights, '--top', '3', '--json', PHOTO]),
    );
    const input = vision.stackImages([vision.prepareImage(await vision.loadImage(PHOTO), 'mobilenet_v2')]);
    const [expected] = await vision.decodePredictions((await network.predict(input)) as Tensor, { top: 3 });
    expect(row.predictions!.map(({ index, wnid }) => [index, wnid])).toEqual(
      expected!.map(({ index, wnid }) => [index, wnid]),
    );
    row.predictions!.forEach(({ probability }, i) => expect(probability).toBeCloseTo(expected![i]!.probability, 6));
  });

  it('says what is missing', async () => {
    const [unknown, none, file, usage, photo] = await Promise.all([
      fovea(['predict', '--model', 'resnet5', PHOTO]),
      fovea(['predict', '--model', 'fashion_cnn', PHOTO]),
      fovea(['predict', '--model', 'resnet18', '--weights', 'no such file.pth', PHOTO]),
      fovea(['predict', PHOTO]),
      fovea(['predict', '--model', 'resnet18', 'no such photo.jpg']),
    ]);
    // Not the weights are missed, which would have to be downloaded first.
    expect([photo.code, photo.stderr]).toEqual([2, expect.stringMatching(/cannot read no such photo.jpg/)]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/did you mean 'resnet50'\?/)]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/nobody published weights for fashion_cnn/)]);
    expect([file.code, file.stderr]).toEqual([
      1,
      expect.stringMatching(/expected the name of published weights.*or a file/),
    ]);
    expect([usage.code, usage.stderr]).toEqual([2, expect.stringMatching(/required option '--model <name>'/)]);
  });
});

describe('weights', { timeout: 60_000 }, () => {
  let server: Server;
  let address = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url?.startsWith('/keras/vgg16')) response.end('not what it should be');
      else if (request.url?.startsWith('/keras/mobilenet_1_0_224')) response.end('weights, for all that is stated');
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('are listed, pulled and verified', async () => {
    const cache = path.join(root, 'cache');
    const env = { FOVEA_CACHE: cache, FOVEA_HUB: address };
    // Before the pull of the same file, which leaves a part for as long as it runs.
    const list = await fovea(['weights', 'list', 'vgg16', '--json'], { env });
    const [pull, wrong, missing, name] = await Promise.all([
      fovea(['weights', 'pull', 'mobilenet', '--json'], { env }),
      fovea(['weights', 'pull', 'vgg16', '--json'], { env }),
      fovea(['weights', 'pull', 'xception'], { env }),
      fovea(['weights', 'pull', 'resnet50', '--name', 'IMAGENET1K_V3'], { env }),
    ]);
    const [row] = json<{ model: string; state: string; path: string }[]>(list);
    expect(row).toMatchObject({ model: 'vgg16', state: 'absent' });
    expect(row!.path.startsWith(cache)).toBe(true);
    const [pulled] = json<{ path: string; cached: boolean }[]>(pull);
    expect(pulled!.cached).toBe(false);
    expect(await readFile(pulled!.path, 'utf8')).toBe('weights, for all that is stated');
    expect(wrong.code).toBe(1);
    const { error } = JSON.parse(wrong.stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe('ERR_DATA');
    expect(error.message).toMatch(/weights 'imagenet' of vgg16: /);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/weights 'imagenet' of xception: .*404/);
    expect(name.code).toBe(2);
    expect(name.stderr).toMatch(/--name to be one of imagenet, .*IMAGENET1K_V2.*, received IMAGENET1K_V3/);
    await mkdir(path.dirname(row!.path), { recursive: true });
    await writeFile(row!.path, 'damaged');
    const verdict = await fovea(['weights', 'verify', '--json'], { env });
    expect(json<{ model: string; verdict: string }[]>(verdict, 1)).toMatchObject([
      { model: 'vgg16', verdict: 'damaged' },
      { model: 'mobilenet', verdict: 'unchanged' },
    ]);
    const here = await fovea(['weights', 'list', '--here'], { env });
    expect(here.stdout).toMatch(/^vgg16 +imagenet +keras +yes +present +7 B$/m);
  });
});

describe('convert', { timeout: 120_000 }, () => {
  it('between the formats that models have, and refuses to replace a file', async () => {
    const target = path.join(root, 'one file.safetensors');
    const result = json<{ parameters: number; bytes: number }>(await fovea(['convert', tiny, target, '--json']));
    expect(result.parameters).toBe(319);
    const copy = await loadModel<Sequential>(target);
    expect(await copy.getWeights()).toEqual(await model.getWeights());
    const onnx = path.join(root, 'a model.onnx');
    const keras = path.join(root, 'a model.keras');
    const h5 = path.join(root, 'a model.weights.h5');
    const [whole, weights, exported, again, pth, kind, none] = await Promise.all([
      fovea(['convert', target, keras]),
      fovea(['convert', tiny, h5]),
      fovea(['convert', target, onnx]),
      fovea(['convert', tiny, target]),
      fovea(['convert', tiny, path.join(root, 'x.pth')]),
      fovea(['convert', tiny, path.join(root, 'x.doc')]),
      fovea(['convert', path.join(root, 'nothing'), path.join(root, 'y')]),
    ]);
    expect([whole.code, weights.code], whole.stderr + weights.stderr).toEqual([0, 0]);
    expect(await (await loadModel<Sequential>(keras)).getWeights()).toEqual(await model.getWeights());
    await copy.loadWeights(h5);
    expect(await copy.getWeights()).toEqual(await model.getWeights());
    expect([exported.code, exported.stdout]).toEqual([
      0,
      expect.stringMatching(/a model.onnx: tiny, 319 parameters, /),
    ]);
    const session = await InferenceSession.create(onnx);
    const image = Float32Array.from({ length: 1800 }, (_, i) => Math.sin(i));
    const answer = await session.run({ [session.inputNames[0]!]: new OnnxTensor('float32', image, [1, 20, 30, 3]) });
    const scores = await ((await model.predict(data.hostTensor(image, [1, 20, 30, 3]))) as Tensor).data();
    const got = answer[session.outputNames[0]!]!.data as Float32Array;
    got.forEach((value, i) => expect(value).toBeCloseTo(Number(scores[i]), 5));
    expect([again.code, again.stderr]).toEqual([2, expect.stringMatching(/is there already; --force replaces it/)]);
    expect([pth.code, pth.stderr]).toEqual([2, expect.stringMatching(/files of PyTorch are read, not written/)]);
    expect([kind.code, kind.stderr]).toEqual([2, expect.stringMatching(/expected a target of .safetensors, .keras/)]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/convert: cannot find .*nothing/)]);
    expect((await readdir(root)).filter((name) => /^[xy]/.test(name))).toEqual([]);
  });

  it('takes weights of a network of the zoo, and says what does not fit', async () => {
    const weights = path.join(root, 'lenet.safetensors');
    const network = createModel('lenet5', { classes: 4 });
    await network.saveWeights(weights);
    const folder = path.join(root, 'lenet folder');
    const [good, bad] = await Promise.all([
      fovea(['convert', weights, folder, '--model', 'lenet5', '--classes', '4']),
      fovea(['convert', weights, path.join(root, 'z'), '--model', 'lenet5']),
    ]);
    expect(good.code, good.stderr).toBe(0);
    expect(await (await loadModel<Sequential>(folder)).getWeights()).toEqual(await network.getWeights());
    expect(bad.code).toBe(1);
    expect(bad.stderr).toMatch(/expected \[84,10\], received \[84,4\]/);
  });
});

describe('train on an image folder', { timeout: 120_000 }, () => {
  it('knows the classes afterwards, and predict takes the run', async () => {
    const folder = path.join(root, 'my photos');
    for (const [c, name] of ['blue sky', 'grass'].entries()) {
      await mkdir(path.join(folder, name), { recursive: true });
      for (let i = 0; i < 20; i++) {
        const pixels = Uint8Array.from({ length: 24 * 32 * 3 }, (_, at) =>
          at % 3 === 2 - c ? 200 + ((i * at) % 50) : (i * 7 + at) % 60,
        );
        await writeFile(path.join(folder, name, `${i}.png`), encodePng(pixels, 32, 24, 3));
      }
    }
    const result = json<{ run: string; test: { accuracy: number } }>(
      await fovea([
        ...['train', '--model', two, '--data', 'image-folder', '--folder', folder, '--image-size', '20,30'],
        ...['--epochs', '8', '--batch-size', '8', '--learning-rate', '0.05', '--validation-split', '0.2'],
        ...['--runs', path.join(root, 'runs'), '--json'],
      ]),
    );
    expect(result.test.accuracy).toBe(1);
    const photo = path.join(root, 'meadow.png');
    await copyFile(path.join(folder, 'grass', '3.png'), photo);
    const [row] = json<[Row]>(await fovea(['predict', '--model', result.run, '--json', '--top', '2', photo]));
    expect(row.predictions!.map(({ name }) => name)).toEqual(['grass', 'blue sky']);
  });
});
