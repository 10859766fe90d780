import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTorchWeights, writeSafetensors } from '../../../lib/index.js';
import { TorchFile } from '../../../lib/weights/torch/index.js';
import { resNet18 } from '../../../models/index.js';
import { expectOutputs } from '../../support/outputs.js';
import { encodeTorchLegacy, encodeTorchZip, type TorchState } from '../../support/torch-file.js';
import { disposeModel, fixtureState, readModel, type State } from '../../support/zoo.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-torch-load-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fixture = readModel('models-torch/resnet18.json');
const state = fixtureState(fixture);
const small: TorchState = new Map([
  ['a', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['count', { shape: [], data: Int32Array.of(7) }],
]);

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return file;
}

describe('loadTorchWeights', () => {
  it.each([
    ['zip.pth', encodeTorchZip],
    ['legacy.pth', encodeTorchLegacy],
  ] as const)('%s, as PyTorch writes it', async (name, encode) => {
    await using file = await TorchFile.open(await written(name, encode(small)));
    expect((await file.read('a')).data).toEqual(small.get('a')!.data);
    expect(await file.read('count')).toEqual({ dtype: 'int32', shape: [], data: Int32Array.of(7) });
  });

  it('parts of storages, as PyTorch wrote them before 0.4', async () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const parts = (size: number): TorchState => new Map([['a', { shape: [2], data, part: [3, size] }]]);
    await using file = await TorchFile.open(await written('parts.pth', encodeTorchLegacy(parts(2))));
    expect((await file.read('a')).data).toEqual(Float32Array.of(4, 5));
    const short = await written('short-part.pth', encodeTorchLegacy(parts(1)));
    await expect(TorchFile.open(short)).rejects.toThrow(/reaches to element 1 of a storage of 1/);
    const outside = await written('outside.pth', encodeTorchLegacy(parts(4)));
    await expect(TorchFile.open(outside)).rejects.toThrow(/a part of storage 0 does not lie in it/);
  });

  it.each([
    ['zip, with the prefix of DataParallel', encodeTorchZip, 'module.'],
    ['the older format', encodeTorchLegacy, ''],
  ] as const)("resnet18 from %s gives torchvision's logits", async (_, encode, prefix) => {
    const named: State = new Map([...state].map(([name, tensor]) => [prefix + name, tensor]));
    const file = await written('resnet18.pth', encode(named));
    const model = resNet18({ classifierActivation: null });
    const matched = await loadTorchWeights(model, file);
    expect(matched.matched).toHaveLength(model.weights.length);
    await expectOutputs(model, fixture);
    disposeModel(model);
  });

  it('takes safetensors with the names of PyTorch', async () => {
    const file = path.join(folder, 'resnet18.safetensors');
    const floats = [...state].filter(([name]) => !name.endsWith('num_batches_tracked'));
    await writeSafetensors(file, new Map(floats.map(([name, t]) => [name, { ...t, dtype: 'float32' as const }])));
    const model = resNet18({ classifierActivation: null });
    await loadTorchWeights(model, file);
    const bias = model.weights.find(({ name }) => name === 'fc/bias')!;
    expect(await bias.data()).toEqual(state.get('fc.bias')!.data);
    disposeModel(model);
  });

  it('tells everything that does not fit, and changes nothing', async () => {
    const other = new Map(state);
    other.delete('conv1.weight');
    other.set('fc.bias', { shape: [10], data: new Float32Array(10) });
    other.set('aux1.fc.weight', { shape: [1], data: new Float32Array(1) });
    const file = await written('other.pth', encodeTorchZip(other));
    const model = resNet18();
    const before = await model.weights[0]!.data();
    await expect(loadTorchWeights(model, file)).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      received: [
        'conv1.weight [64,3,7,7]: not in the file',
        'fc.bias: expected [1000], received [10]',
        'aux1.fc.weight [1]: not in the model',
      ],
    });
    const matched = await loadTorchWeights(model, file, { strict: false });
    expect(matched).toMatchObject({ missing: ['conv1.weight'], unexpected: ['aux1.fc.weight'] });
    expect(await model.weights[0]!.data()).toEqual(before);
    disposeModel(model);
  });

  it('refuses a file whose tensors end before they should, with nothing changed', async () => {
    const bytes = encodeTorchLegacy(state);
    const file = await written('short.pth', bytes.subarray(0, bytes.length - 100));
    const model = resNet18();
    await expect(loadTorchWeights(model, file)).rejects.toThrow(/short\.pth: storage \d+ reaches past the end/);
    disposeModel(model);
  });

  it('refuses what would have to be executed, by name', async () => {
    const evil = [
      0x80,
      2,
      ...Buffer.from('cposix\nsystem\n'),
      0x58,
      4,
      0,
      0,
      0,
      ...Buffer.from('exit'),
      0x85,
      0x52,
      0x2e,
    ];
    const { zipSync } = await import('fflate');
    const file = await written('evil.pth', zipSync({ 'x/data.pkl': Uint8Array.from(evil) }, { level: 0 }));
    await expect(TorchFile.open(file)).rejects.toThrow(/needs posix\.system; only tensors and plain values are read/);
    const packed = await written('packed.pth', zipSync({ 'x/data.pkl': new Uint8Array(1000) }, { level: 9 }));
    await expect(TorchFile.open(packed)).rejects.toThrow(/"x\/data\.pkl" is compressed/);
  });
});
