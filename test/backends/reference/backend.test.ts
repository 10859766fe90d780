import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DeviceBuffer } from '../../../lib/backends/backend.js';
import type { ReferenceBackend } from '../../../lib/backends/reference/index.js';
import { createReferenceBackend } from '../../../lib/backends/reference/index.js';
import { FoveaError } from '../../../lib/errors.js';
import { allocateTyped } from '../../../lib/tensor/dtype.js';
import type { DType } from '../../../lib/tensor/dtype.js';
import { addConstant, addingPlan, arena, buffer, external, planOf, slot, step } from './plans.js';

let backend: ReferenceBackend;
beforeEach(() => {
  backend = createReferenceBackend();
});

function withCode(code: string): unknown {
  return expect.objectContaining({ name: 'FoveaError', code });
}

/** externals: labels int32 [1]; logits [1,2]; loss [1]. Fails when the label is out of range. */
function lossPlan(): ReturnType<ReferenceBackend['preparePlan']> {
  return backend.preparePlan({
    storages: [external(0), external(1), external(2)],
    slots: [slot(0, [1], 'int32'), slot(1, [1, 2]), slot(2, [1])],
    steps: [step('sparseSoftmaxCrossEntropy', {}, [1, 0], [2], 'head/loss')],
    arenaBytes: 0,
    externals: [
      { dtype: 'int32', size: 1 },
      { dtype: 'float32', size: 2 },
      { dtype: 'float32', size: 1 },
    ],
  });
}

describe('the device', () => {
  test('has every kernel of docs/kernels.md and no other', () => {
    const table = readFileSync(new URL('../../../docs/kernels.md', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map((match) => match[1]!));
    expect([...backend.kernels].sort()).toEqual(table.sort());
    expect(table.length).toBe(35);
  });

  test('says what it is', () => {
    expect(backend.device).toMatchObject({ name: 'reference', kind: 'reference' });
    expect([...backend.dtypes]).toEqual(['float32', 'bfloat16', 'float16', 'float64', 'int32', 'uint8', 'bool']);
  });
});

describe('buffers', () => {
  test.each<[DType, number[], number[]]>([
    ['float32', [0.1, -2, NaN], [Math.fround(0.1), -2, NaN]],
    ['float64', [0.1, -2, NaN], [0.1, -2, NaN]],
    ['int32', [-5, 2147483647, 0], [-5, 2147483647, 0]],
    ['uint8', [0, 7, 255], [0, 7, 255]],
    ['bool', [0, 1, 3], [0, 1, 1]],
  ])('%s: what is written is read, in the type of the dtype', async (dtype, values, expected) => {
    const data = allocateTyped(dtype, 3);
    data.set(values);
    const made = backend.createBuffer(dtype, 3, data);
    const zeroed = backend.createBuffer(dtype, 3);
    expect([...(await zeroed.read())]).toEqual([0, 0, 0]);
    zeroed.write(data);
    data.fill(0);
    for (const b of [made, zeroed]) {
      const read = await b.read();
      expect(read.constructor).toBe(data.constructor);
      expect([...read]).toEqual(expected);
      expect([...b.readSync()]).toEqual(expected);
    }
  });

  test('what is read is a copy', async () => {
    const b = buffer(backend, [1, 2]);
    (await b.read()).fill(9);
    expect([...b.readSync()]).toEqual([1, 2]);
  });

  test('refuse other sizes and dtypes', () => {
    expect(() => backend.createBuffer('float32', 2, new Float32Array(3))).toThrow(withCode('ERR_ARGUMENT'));
    expect(() => backend.createBuffer('float32', 2, new Int32Array(2))).toThrow(withCode('ERR_DTYPE'));
    expect(() => backend.createBuffer('float8' as DType, 2)).toThrow(withCode('ERR_DTYPE'));
    for (const size of [-1, 1.5, NaN]) {
      expect(() => backend.createBuffer('float32', size)).toThrow(withCode('ERR_ARGUMENT'));
    }
    const b = buffer(backend, [1, 2]);
    expect(() => b.write(new Float32Array(1))).toThrow(withCode('ERR_ARGUMENT'));
    expect(() => b.write(new Float64Array(2))).toThrow(withCode('ERR_DTYPE'));
    expect([...b.readSync()]).toEqual([1, 2]);
  });

  test('that cannot be had are an out-of-memory error', () => {
    expect(() => backend.createBuffer('float32', 2 ** 50)).toThrow(withCode('ERR_OUT_OF_MEMORY'));
    expect(backend.memory()).toEqual({ bytes: 0, peakBytes: 0, buffers: 0 });
  });

  test('refuse all use once disposed; disposing again does nothing', async () => {
    const b = buffer(backend, [1]);
    b.dispose();
    b.dispose();
    await expect(b.read()).rejects.toThrow(withCode('ERR_DISPOSED'));
    expect(() => b.readSync()).toThrow(withCode('ERR_DISPOSED'));
    expect(() => b.write(new Float32Array(1))).toThrow(withCode('ERR_DISPOSED'));
    const plan = backend.preparePlan(addingPlan(1, 1));
    await expect(plan.run([b, buffer(backend, [0])])).rejects.toThrow(withCode('ERR_DISPOSED'));
    expect(backend.memory().buffers).toBe(1);
  });
});

describe('memory', () => {
  test('counts buffers and arenas, and remembers the peak', () => {
    const a = backend.createBuffer('uint8', 10);
    const b = backend.createBuffer('float32', 5);
    expect(backend.memory()).toEqual({ bytes: 120, peakBytes: 120, buffers: 2 });
    a.dispose();
    const plan = backend.preparePlan(
      planOf([5], [external(0), arena(0, 20)], [slot(0, [5]), slot(1, [5])], [step('copy', {}, [0], [1])]),
    );
    expect(backend.memory()).toEqual({ bytes: 80, peakBytes: 120, buffers: 1 });
    plan.dispose();
    plan.dispose();
    b.dispose();
    expect(backend.memory()).toEqual({ bytes: 0, peakBytes: 120, buffers: 0 });
  });

  test('is freed only after the work that was enqueued before', async () => {
    const [x, y] = [buffer(backend, [1]), buffer(backend, [0])];
    const plan = backend.preparePlan(addingPlan(1, 1));
    const run = plan.run([x, y]);
    x.dispose();
    plan.dispose();
    expect(backend.memory().buffers).toBe(2);
    await run;
    expect([...(await y.read())]).toEqual([2]);
    expect(backend.memory().buffers).toBe(1);
  });
});

describe('order', () => {
  test('runs, writes and reads happen in the order asked', async () => {
    const [x, y] = [buffer(backend, [1]), buffer(backend, [0])];
    const [plusOne, plusTen] = [backend.preparePlan(addingPlan(1, 1)), backend.preparePlan(addingPlan(1, 10))];
    const results: Promise<unknown>[] = [plusOne.run([x, y]), y.read(), plusTen.run([y, x]), x.read()];
    const data = Float32Array.of(5);
    x.write(data);
    data[0] = 99; // The array was copied at the call.
    results.push(plusOne.run([x, y]), y.read());
    const read = (await Promise.all(results)).filter((value) => value instanceof Float32Array).map((value) => value[0]);
    expect(read).toEqual([2, 12, 6]);
  });

  test('runSync and readSync come after what was enqueued', async () => {
    const [x, y, z] = [buffer(backend, [1]), buffer(backend, [0]), buffer(backend, [0])];
    const plan = backend.preparePlan(addingPlan(1, 1, 5));
    const first = plan.run([x, y]);
    expect([...y.readSync()]).toEqual([6]);
    const second = plan.run([y, x]);
    plan.runSync([x, z]);
    expect([...z.readSync()]).toEqual([16]);
    await Promise.all([first, second]);
  });

  test('nothing runs at the call itself', () => {
    const [x, y] = [buffer(backend, [1]), buffer(backend, [0])];
    const order: string[] = [];
    const run = backend
      .preparePlan(addingPlan(1, 1))
      .run([x, y])
      .then(() => order.push('ran'));
    order.push('returned');
    return run.then(() => expect(order).toEqual(['returned', 'ran']));
  });

  test('a long plan lets the event loop turn between its steps', async () => {
    const size = 200_000;
    const [x, y] = [backend.createBuffer('float32', size), backend.createBuffer('float32', size)];
    const plan = backend.preparePlan(addingPlan(size, 1, 40));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await plan.run([x, y]);
    clearInterval(timer);
    expect(y.readSync()[size - 1]).toBe(40);
    expect(turns).toBeGreaterThan(2);
  });

  test('a half-done run is finished by a synchronous one', async () => {
    const size = 200_000;
    const [x, y] = [backend.createBuffer('float32', size), backend.createBuffer('float32', size)];
    const run = backend.preparePlan(addingPlan(size, 1, 40)).run([x, y]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(y.readSync()[0]).toBe(40);
    await run;
  });
});

describe('runs', () => {
  test('refuse buffers that do not fit, before anything runs', async () => {
    const plan = backend.preparePlan(addingPlan(2, 1));
    const [x, y] = [buffer(backend, [1, 2]), buffer(backend, [0, 0])];
    const refused: [DeviceBuffer[], string][] = [
      [[x], 'ERR_ARGUMENT'],
      [[x, y, y], 'ERR_ARGUMENT'],
      [[x, buffer(backend, [0])], 'ERR_ARGUMENT'],
      [[x, backend.createBuffer('int32', 2)], 'ERR_DTYPE'],
      [[x, buffer(createReferenceBackend(), [0, 0])], 'ERR_DEVICE'],
      [[x, {} as DeviceBuffer], 'ERR_DEVICE'],
    ];
    for (const [buffers, code] of refused) {
      await expect(plan.run(buffers)).rejects.toThrow(withCode(code));
      await expect(plan.profile(buffers)).rejects.toThrow(withCode(code));
      expect(() => plan.runSync(buffers)).toThrow(withCode(code));
    }
    expect([...y.readSync()]).toEqual([0, 0]);
    plan.dispose();
    await expect(plan.run([x, y])).rejects.toThrow(withCode('ERR_DISPOSED'));
  });

  test('that fail name op and layer, mark their outputs, and leave the device usable', async () => {
    const label = backend.createBuffer('int32', 1, Int32Array.of(7));
    const [logits, loss, next] = [buffer(backend, [0, 0]), buffer(backend, [5]), buffer(backend, [6])];
    const [plan, adding] = [lossPlan(), backend.preparePlan(addingPlan(1, 1))];
    const outcomes = await Promise.allSettled([
      plan.run([label, logits, loss], 2),
      loss.read(),
      adding.run([loss, next], 1),
      next.read(),
      logits.read(),
    ]);
    const [error, ...others] = outcomes.slice(0, 4).map((o) => (o as PromiseRejectedResult).reason as unknown);
    expect(error).toBeInstanceOf(FoveaError);
    expect(error).toMatchObject({ code: 'ERR_EXECUTION', op: 'sparseSoftmaxCrossEntropyOp', layer: 'head/loss' });
    expect((error as FoveaError).message).toContain('head/loss');
    for (const other of others) expect(other).toBe(error);
    expect(outcomes[4].status).toBe('fulfilled');
    expect(() => loss.readSync()).toThrow(error);

    label.write(Int32Array.of(1));
    loss.write(Float32Array.of(0));
    plan.runSync([label, logits, loss], 2);
    expect(loss.readSync()[0]).toBeCloseTo(Math.LN2, 6);
  });

  test('without outputsFrom mark nothing', async () => {
    const label = backend.createBuffer('int32', 1, Int32Array.of(-1));
    const [logits, loss] = [buffer(backend, [0, 0]), buffer(backend, [5])];
    await expect(lossPlan().run([label, logits, loss])).rejects.toThrow(/label -1 in row 0/);
    expect(() => lossPlan().runSync([label, logits, loss])).toThrow(/label -1/);
    expect([...(await loss.read())]).toEqual([5]);
  });

  test('keep float64 between steps: float32 is rounded when it is read', () => {
    const [x, y] = [buffer(backend, [1]), buffer(backend, [0])];
    backend.preparePlan(addingPlan(1, 2 ** -30, 2 ** 7)).runSync([x, y]);
    expect(y.readSync()[0]).toBe(1 + 2 ** -23);
  });

  test('work in the arena, in place and through reshapes', async () => {
    const plan = backend.preparePlan(
      planOf(
        [4, 4],
        [external(0), arena(0, 16), external(1)],
        [slot(0, [2, 2]), slot(1, [2, 2]), slot(1, [4]), slot(2, [4])],
        [
          step('transpose', { perm: [1, 0] }, [0], [1]),
          step('elementwise', addConstant(10), [2], [2]),
          step('copy', {}, [2], [3]),
        ],
      ),
    );
    const [x, y] = [buffer(backend, [1, 2, 3, 4]), buffer(backend, [0, 0, 0, 0])];
    await plan.run([x, y]);
    expect([...(await y.read())]).toEqual([11, 13, 12, 14]);
  });

  test('in place, each element of every input is read before any output is written', () => {
    // (a, b) becomes (b, a + b), more than one block of it, both on the memory of the inputs.
    const size = 2500;
    const swap = { compute: 'float', opcodes: ['add'], args: [0, 1, -1], params: [0, 0], results: [1, 2] };
    const plan = backend.preparePlan(
      planOf(
        [size, size],
        [external(0), external(1)],
        [slot(0, [size]), slot(1, [size]), slot(0, [50, 50]), slot(1, [50, 50])],
        [step('elementwise', swap, [0, 1], [0, 1]), step('elementwise', swap, [2, 3], [2, 3])],
      ),
    );
    const numbers = Array.from({ length: size }, (_, i) => i);
    const [a, b] = [
      buffer(backend, numbers),
      buffer(
        backend,
        numbers.map(() => 1),
      ),
    ];
    plan.runSync([a, b]);
    expect([...a.readSync()]).toEqual(numbers.map((v) => v + 1));
    expect([...b.readSync()]).toEqual(numbers.map((v) => v + 2));
  });

  test('profile gives time and bytes of each step', async () => {
    const [x, y] = [buffer(backend, [1, 2]), buffer(backend, [0, 0])];
    const profile = await backend.preparePlan(addingPlan(2, 1, 3)).profile([x, y]);
    expect(profile).toHaveLength(3);
    for (const entry of profile) {
      expect(entry).toMatchObject({ kernel: 'elementwise', op: 'elementwiseOp', layer: 'block/layer', bytes: 16 });
      expect(entry.implementation).toBe('reference');
      expect(entry.milliseconds).toBeGreaterThanOrEqual(0);
    }
    expect([...y.readSync()]).toEqual([4, 5]);
  });
});
