import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import type { DeviceBuffer, PlanDescription, StepDescription } from '../../lib/backends/backend.js';
import type { NativeBackend } from '../../lib/backends/native/index.js';
import { openNative } from '../../lib/backends/native/index.js';
import { loadAddon } from '../../lib/backends/native/load.js';
import { FoveaError } from '../../lib/errors.js';
import { addonFile, externalsPlan, longPlan, unaryStep } from '../support/addon.js';

const cpu = openNative().present.find((backend) => backend.device.name === 'cpu') as NativeBackend;

/** The FoveaError that `call` throws or rejects with. */
async function errorOf(call: () => unknown): Promise<FoveaError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(FoveaError);
    return error as FoveaError;
  }
  throw new Error('expected an error');
}

/** conv2d of an external into the arena, relu in place there, and a copy out: good in every respect. */
function goodPlan(): PlanDescription {
  return {
    externals: [
      { dtype: 'float32', size: 2 * 8 * 8 * 3 },
      { dtype: 'float32', size: 3 * 3 * 3 * 4 },
      { dtype: 'float32', size: 2 * 8 * 8 * 4 },
    ],
    storages: [
      { kind: 'external', index: 0 },
      { kind: 'external', index: 1 },
      { kind: 'external', index: 2 },
      { kind: 'arena', offset: 64, bytes: 2048 },
    ],
    slots: [
      { storage: 0, dtype: 'float32', shape: [2, 8, 8, 3] },
      { storage: 1, dtype: 'float32', shape: [3, 3, 3, 4] },
      { storage: 2, dtype: 'float32', shape: [2, 8, 8, 4] },
      { storage: 3, dtype: 'float32', shape: [2, 8, 8, 4] },
    ],
    arenaBytes: 2112,
    steps: [
      {
        kernel: 'conv2d',
        attributes: { strides: [1, 1], dilations: [1, 1], padding: [1, 1, 1, 1], groups: 1, activation: 'linear' },
        inputs: [0, 1],
        outputs: [3],
        op: 'conv2d',
        layer: 'block1/conv',
      },
      unaryStep('relu', 3, 3),
      { kernel: 'copy', attributes: {}, inputs: [3], outputs: [2], op: 'copy', layer: '' },
    ],
  };
}

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };
type Bad = [what: string, break_: (plan: Mutable<PlanDescription>) => unknown, message: RegExp, code?: string];

const conv = (plan: Mutable<PlanDescription>) => plan.steps[0]!.attributes as Record<string, unknown>;
const elementwise = (plan: Mutable<PlanDescription>) => plan.steps[1]!.attributes as Record<string, unknown>;
const set = (object: unknown, values: object) => Object.assign(object as object, values);

const BAD_PLANS: Bad[] = [
  ['no storages', (p) => set(p, { storages: undefined }), /plan\.storages: expected an array, received undefined/],
  ['an unknown kind of storage', (p) => set(p.storages[3], { kind: 'disk' }), /storages\[3\]\.kind: .*'disk'/],
  [
    'an external that is not there',
    (p) => set(p.storages[2], { index: 3 }),
    /storages\[2\]\.index: .*below 3, received 3/,
  ],
  ['a negative external', (p) => set(p.storages[2], { index: -1 }), /storages\[2\]\.index: .*received -1/],
  ['a fraction of an index', (p) => set(p.storages[2], { index: 0.5 }), /storages\[2\]\.index: .*whole.*0\.5/],
  ['a part past its external', (p) => set(p.storages[1], { first: 96, size: 13 }), /storages\[1\]: .*108 elements/],
  ['a part before it', (p) => set(p.storages[1], { first: -16, size: 4 }), /storages\[1\]: .*first -16/],
  ['a part of no size', (p) => set(p.storages[1], { size: -1 }), /storages\[1\]\.size: .*0 or more.*-1/],
  ['a part that overflows', (p) => set(p.storages[1], { first: 2 ** 52, size: 2 ** 52 }), /storages\[1\]: .*108/],
  ['a part off the lines', (p) => set(p.storages[1], { first: 8, size: 4 }), /storages\[1\]\.first: .*64 bytes.*8/],
  ['a slot unlike its part', (p) => set(p.storages[1], { first: 16, size: 92 }), /slots\[1\]: .*92 elements/],
  [
    'an offset that is not aligned',
    (p) => set(p.storages[3], { offset: 32 }),
    /storages\[3\]\.offset: .*64, received 32/,
  ],
  ['a range past the arena', (p) => set(p, { arenaBytes: 2048 }), /storages\[3\]: .*within arenaBytes 2048/],
  ['an offset that overflows', (p) => set(p.storages[3], { offset: 2 ** 52 }), /storages\[3\]: .*within arenaBytes/],
  ['negative bytes', (p) => set(p.storages[3], { bytes: -64 }), /storages\[3\]: .*bytes -64/],
  ['a slot on no storage', (p) => set(p.slots[3], { storage: 9 }), /slots\[3\]\.storage: .*received 9/],
  ['a slot of float64', (p) => set(p.slots[3], { dtype: 'float64' }), /slots\[3\]\.dtype: .*'float64'/, 'ERR_DTYPE'],
  ['a negative dimension', (p) => set(p.slots[3], { shape: [2, -8, 8, 4] }), /slots\[3\]\.shape/],
  ['a shape that overflows', (p) => set(p.slots[3], { shape: [2 ** 40, 2 ** 40] }), /slots\[3\]\.shape: .*2\^47/],
  ['a slot larger than its storage', (p) => set(p.slots[3], { shape: [2, 8, 8, 5] }), /slots\[3\]: .*2048 bytes/],
  ['a slot unlike its external', (p) => set(p.slots[0], { shape: [2, 8, 8, 4] }), /slots\[0\]: .*384 elements/],
  ['another dtype than the external', (p) => set(p.slots[0], { dtype: 'int32' }), /slots\[0\]: .*float32/],
  ['an unknown kernel', (p) => set(p.steps[2], { kernel: 'move' }), /copy: .*'move'/, 'ERR_UNSUPPORTED'],
  ['a step with no op', (p) => set(p.steps[0], { op: undefined }), /steps\[0\]\.op: expected a string/],
  ['an input that is no slot', (p) => set(p.steps[0], { inputs: [0, 4] }), /inputs\[1\]: .*below 4, received 4/],
  ['an output that is no slot', (p) => set(p.steps[0], { outputs: [-1] }), /outputs\[0\]: .*received -1/],
  ['too few inputs', (p) => set(p.steps[0], { inputs: [0] }), /expected 2 to 4 inputs, received 1/],
  ['too many outputs', (p) => set(p.steps[2], { outputs: [2, 0] }), /expected 1 outputs, received 2/],
  ['a missing attribute', (p) => delete conv(p)['groups'], /'groups': expected a whole number.*received nothing/],
  ['a residual that is not there', (p) => set(conv(p), { residual: true }), /3 to 4 inputs.*received 2/],
  ['an unknown attribute', (p) => set(conv(p), { bias: true }), /no attribute 'bias', received true/],
  [
    'an attribute of another type',
    (p) => set(conv(p), { strides: 'big' }),
    /'strides': .*list of numbers, received 'big'/,
  ],
  ['a pair of three', (p) => set(conv(p), { strides: [1, 1, 1] }), /'strides': expected 2 .*received \[1,1,1\]/],
  ['a stride of zero', (p) => set(conv(p), { strides: [0, 1] }), /'strides': .*1 or more/],
  ['a padding of NaN', (p) => set(conv(p), { padding: [NaN, 0, 0, 0] }), /'padding'/],
  ['an unknown word', (p) => set(conv(p), { activation: 'swish' }), /'activation': .*'linear' or 'relu'.*'swish'/],
  ['an attribute that is an object', (p) => set(conv(p), { groups: {} }), /attributes\.groups: .*an object/],
  ['a mixed list', (p) => set(conv(p), { strides: [1, '1'] }), /strides\[1\]: .*'1'/],
  ['an unknown opcode', (p) => set(elementwise(p), { opcodes: ['frob'] }), /relu "test": .*frob/],
  ['a register of the future', (p) => set(elementwise(p), { args: [1, -1, -1] }), /'args': .*earlier/],
  ['args of another length', (p) => set(elementwise(p), { args: [0] }), /'args': expected 3/],
  ['a result that is no register', (p) => set(elementwise(p), { results: [2] }), /'results': .*below 2/],
  ['shapes that do not fit', (p) => set(p.slots[1], { shape: [3, 3, 4, 3] }), /conv2d "block1\/conv": /],
  ['padding that does not fit', (p) => set(conv(p), { padding: [0, 0, 0, 0] }), /conv2d "block1\/conv": /],
  ['an output on its input', (p) => set(p.steps[2], { outputs: [3] }), /copy: output 0 overlaps input 0/],
  [
    'two outputs on one storage',
    (p) => {
      set(p.steps[1], { inputs: [2], outputs: [3, 3] });
      set(elementwise(p), { results: [0, 1] });
    },
    /outputs 0 and 1 overlap/,
  ],
  ['a read of what nobody wrote', (p) => p.steps.shift(), /relu "test": input 0 \(slot 3\) reads .* no value/],
  [
    'a read of what was overwritten',
    (p) => {
      p.storages.push({ kind: 'arena', offset: 0, bytes: 128 });
      p.slots.push({ storage: 4, dtype: 'float32', shape: [1] });
      p.steps.splice(1, 1, { ...unaryStep('const', 0, 4), inputs: [] } as unknown as Mutable<StepDescription>);
      set(elementwise(p), { args: [-1, -1, -1], results: [0] });
    },
    /copy: input 0 \(slot 3\) reads/,
  ],
];

describe.skipIf(cpu === undefined)('plans on the native CPU device', () => {
  const floats = (...values: number[]) => cpu.createBuffer('float32', values.length, Float32Array.from(values));

  it('prepares and runs a good plan', async () => {
    const plan = cpu.preparePlan(goodPlan());
    const x = cpu.createBuffer('float32', 384, new Float32Array(384).fill(1));
    const kernel = cpu.createBuffer('float32', 108, new Float32Array(108).fill(0.5));
    const y = cpu.createBuffer('float32', 512);
    await plan.run([x, kernel, y], 2);
    const result = await y.read();
    expect([result[0], result[4], result[9 * 4]]).toEqual([6, 9, 13.5]);
    plan.runSync([x, kernel, y]);
    expect(y.readSync()).toEqual(result);
  });

  it.each(BAD_PLANS)('refuses %s', async (_, break_, message, code = 'ERR_ARGUMENT') => {
    const description = structuredClone(goodPlan()) as Mutable<PlanDescription>;
    break_(description);
    const error = await errorOf(() => cpu.preparePlan(description));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it.each([undefined, null, 1, 'plan', [], () => 0])('refuses %s as a plan', async (description) => {
    const error = await errorOf(() => cpu.preparePlan(description as unknown as PlanDescription));
    expect(error.message).toMatch(/createPlan: plan: expected an object/);
  });

  it('names op and layer of the step at fault', async () => {
    const description = goodPlan();
    const error = await errorOf(() => cpu.preparePlan({ ...description, slots: [...description.slots.slice(0, 3)] }));
    expect([error.op, error.layer]).toEqual(['conv2d', 'block1/conv']);
  });

  describe('buffers', () => {
    it.each([
      ['float32', new Float32Array([1.5, -2, NaN])],
      ['int32', new Int32Array([1, -2, 2 ** 31 - 1])],
      ['uint8', new Uint8Array([0, 1, 255])],
      ['bool', new Uint8Array([0, 1, 1])],
    ] as const)('keep %s', async (dtype, data) => {
      const buffer = cpu.createBuffer(dtype, 3, data);
      expect(await buffer.read()).toEqual(data);
      expect(buffer.readSync()).toEqual(data);
      const zeros = cpu.createBuffer(dtype, 3);
      expect(zeros.readSync()).toEqual(data.slice().fill(0));
      zeros.write(data);
      expect(zeros.readSync()).toEqual(data);
    });

    it('may be empty', async () => {
      const buffer = cpu.createBuffer('float32', 0, new Float32Array(0));
      expect(await buffer.read()).toEqual(new Float32Array(0));
    });

    it('copy their data at the call', () => {
      const data = new Float32Array([1, 2]);
      const buffer = cpu.createBuffer('float32', 2, data);
      data[0] = 9;
      expect(buffer.readSync()).toEqual(new Float32Array([1, 2]));
    });

    it.each([
      [() => cpu.createBuffer('float64', 1), 'ERR_DTYPE', /dtype: .*'float64'/],
      [() => cpu.createBuffer('float32', -1), 'ERR_ARGUMENT', /size: .*-1/],
      [() => cpu.createBuffer('float32', 1.5), 'ERR_ARGUMENT', /size: .*1\.5/],
      [() => cpu.createBuffer('float32', NaN), 'ERR_ARGUMENT', /size: .*NaN/],
      [
        () => cpu.createBuffer('float32', 2, new Float32Array(3)),
        'ERR_ARGUMENT',
        /Float32Array of 2, .*Float32Array\(3\)/,
      ],
      [() => cpu.createBuffer('float32', 2, new Int32Array(2)), 'ERR_DTYPE', /Float32Array of 2, .*Int32Array\(2\)/],
      [() => cpu.createBuffer('float32', 2 ** 50), 'ERR_OUT_OF_MEMORY', /no memory holds/],
      [() => cpu.createBuffer('float32', 2 ** 44), 'ERR_OUT_OF_MEMORY', /out of memory: .*largest holders/],
      [
        () => cpu.createBuffer('uint8', cpu.device.memoryBytes! - 2 ** 20),
        'ERR_OUT_OF_MEMORY',
        /the system has .* left.*largest holders/,
      ],
    ])('refuse %s', async (create, code, message) => {
      const error = await errorOf(create);
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
    });

    describe('read from a file', () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'fovea-buffer-'));
      const name = path.join(folder, 'elements');
      const data = Float32Array.from({ length: 40_000 }, (_, i) => i);
      writeFileSync(name, Buffer.concat([Buffer.from('head'), Buffer.from(data.buffer)]));
      const file = openSync(name, 'r');
      const directory = openSync(folder, 'r');
      afterAll(() => {
        closeSync(file);
        closeSync(directory);
        rmSync(folder, { recursive: true });
      });

      it('have its elements, and may come at once, while others are used, and from a file that is closed', async () => {
        const before = cpu.memory().buffers;
        const own = openSync(name, 'r');
        const all = Array.from({ length: 20 }, (_, i) => cpu.loadBuffer('float32', 1000 * i, own, 4 + 4 * i));
        closeSync(own);
        for (const [i, loading] of all.entries()) {
          const buffer = await loading;
          expect([buffer.dtype, buffer.size]).toEqual(['float32', 1000 * i]);
          expect(await buffer.read()).toEqual(data.slice(i, 1001 * i));
          buffer.dispose();
        }
        expect(cpu.memory().buffers).toBeLessThanOrEqual(before);
      });

      it.each([
        [() => cpu.loadBuffer('float64', 1, file, 0), 'ERR_DTYPE', /dtype: .*'float64'/],
        [() => cpu.loadBuffer('float32', -1, file, 0), 'ERR_ARGUMENT', /size: .*-1/],
        [() => cpu.loadBuffer('float32', 2 ** 44, file, 0), 'ERR_OUT_OF_MEMORY', /out of memory: .*largest holders/],
        [() => cpu.loadBuffer('float32', 1, -1, 0), 'ERR_ARGUMENT', /file: .*descriptor.*-1/],
        [() => cpu.loadBuffer('float32', 1, 2 ** 40, 0), 'ERR_ARGUMENT', /file: .*descriptor/],
        [() => cpu.loadBuffer('float32', 1, 987_654, 0), 'ERR_ARGUMENT', /file: .*descriptor.*987654/],
        [() => cpu.loadBuffer('float32', 1, file, -4), 'ERR_ARGUMENT', /position: .*-4/],
        [() => cpu.loadBuffer('float32', 1, directory, 0), 'ERR_FILE', /directory/],
        [() => cpu.loadBuffer('float32', 40_000, file, 5), 'ERR_FILE', /160000 bytes at 5, received 159999/],
        [() => cpu.loadBuffer('float32', 2, file, 2 ** 45), 'ERR_FILE', /8 bytes at \d+, received 0/],
      ])('refuse %s', async (load, code, message) => {
        const before = cpu.memory().bytes;
        const error = await errorOf(load);
        expect(error.code).toBe(code);
        expect(error.message).toMatch(message);
        expect(cpu.memory().bytes).toBe(before);
      });

      it('are dropped with the Worker that asked for them', async () => {
        const before = cpu.memory().buffers;
        const script = `
          const { workerData: [addon, file] } = require('node:worker_threads');
          const { loadBuffer } = require(addon);
          for (let i = 0; i < 200; i++) loadBuffer('cpu', 'float32', 40000, file, 4).catch(() => undefined);
          process.exit();`;
        const worker = new Worker(script, { eval: true, workerData: [addonFile(), file] });
        await new Promise((resolve) => worker.on('exit', resolve));
        while (cpu.memory().buffers > before) await sleep(1);
      });
    });

    it('say so when they were disposed', async () => {
      const buffer = floats(1);
      buffer.dispose();
      buffer.dispose();
      for (const use of [() => buffer.read(), () => buffer.readSync(), () => buffer.write(new Float32Array(1))]) {
        expect((await errorOf(use)).code).toBe('ERR_DISPOSED');
      }
    });

    it('count in memory(), and no longer once disposed', () => {
      const before = cpu.memory();
      const buffer = cpu.createBuffer('float32', 1 << 20);
      const during = cpu.memory();
      expect(during.bytes - before.bytes).toBe(4 << 20);
      expect(during.buffers - before.buffers).toBe(1);
      expect(during.peakBytes).toBeGreaterThanOrEqual(during.bytes);
      buffer.dispose();
      expect(cpu.memory()).toMatchObject({ bytes: before.bytes, buffers: before.buffers });
    });

    it('refuse a foreign this, and construction by hand', () => {
      const result = loadAddon();
      if (!('addon' in result)) throw new Error(result.reason);
      const buffer = result.addon.createBuffer('cpu', 'float32', 1);
      const plan = result.addon.createPlan('cpu', externalsPlan(0, 0, []));
      const read = Reflect.get(Object.getPrototypeOf(buffer) as object, 'readSync') as (this: unknown) => unknown;
      for (const foreign of [undefined, {}, plan, Object.create(buffer) as unknown, new Proxy(buffer, {})]) {
        expect(() => read.call(foreign)).toThrow(/expected a Buffer as this|Illegal invocation/);
      }
      const Class = buffer.constructor as new () => unknown;
      expect(() => new Class()).toThrow(/cannot be constructed/);
    });
  });

  describe('runs', () => {
    const square = externalsPlan(2, 3, [unaryStep('square', 0, 1)]);

    it('check their buffers before anything is queued', async () => {
      const plan = cpu.preparePlan(square);
      const x = floats(1, 2, 3);
      const gone = floats(1, 2, 3);
      gone.dispose();
      const bad: [DeviceBuffer[], string, RegExp][] = [
        [[x], 'ERR_ARGUMENT', /expected 2 buffers, received an array of 1/],
        [[x, floats(1, 2)], 'ERR_ARGUMENT', /buffers\[1\]: expected float32 \[3\] on cpu, received float32 \[2\]/],
        [[x, cpu.createBuffer('int32', 3)], 'ERR_ARGUMENT', /received int32 \[3\]/],
        [[x, {} as DeviceBuffer], 'ERR_ARGUMENT', /buffers\[1\]: expected a buffer, received undefined/],
        [[x, x], 'ERR_ARGUMENT', /buffers\[1\]: .*the same as buffers\[0\]/],
        [[gone, x], 'ERR_DISPOSED', /buffers\[0\]/],
      ];
      for (const [buffers, code, message] of bad) {
        for (const call of [() => plan.run(buffers), () => plan.runSync(buffers), () => plan.profile(buffers)]) {
          const error = await errorOf(call);
          expect(error.code).toBe(code);
          expect(error.message).toMatch(message);
        }
      }
      plan.dispose();
      expect((await errorOf(() => plan.run([x, floats(1, 2, 3)]))).code).toBe('ERR_DISPOSED');
    });

    it('happen in the order asked, with writes and reads between them', async () => {
      const add = cpu.preparePlan(
        externalsPlan(1, 1, [
          {
            ...unaryStep('square', 0, 0),
            attributes: {
              compute: 'float',
              opcodes: ['const', 'add'],
              args: [-1, -1, -1, 0, 1, -1],
              params: [1, 0, 0, 0],
              results: [2],
            },
          },
        ]),
      );
      const x = floats(0);
      const seen: Promise<unknown>[] = [];
      for (let i = 1; i <= 200; i++) {
        if (i % 50 === 0) x.write(new Float32Array([1000 * i]));
        seen.push(add.run([x]));
        seen.push(x.read().then((value) => value[0]));
      }
      const values = (await Promise.all(seen)).filter((value) => value !== undefined);
      const expected = Array.from({ length: 200 }, (_, k) => {
        const i = k + 1;
        return i < 50 ? i : 1000 * (i - (i % 50)) + (i % 50) + 1;
      });
      expect(values).toEqual(expected);
    });

    it('keep buffers that are disposed while they are queued', async () => {
      const before = cpu.memory().buffers;
      const plan = cpu.preparePlan(
        externalsPlan(
          1,
          1 << 18,
          Array.from({ length: 20 }, () => unaryStep('tanh', 0, 0)),
        ),
      );
      const buffers = [cpu.createBuffer('float32', 1 << 18)];
      const runs = Array.from({ length: 10 }, () => plan.run(buffers));
      buffers[0]!.dispose();
      plan.dispose();
      await Promise.all(runs);
      // The run's job lets go of its buffers before it reports, so nothing is left now.
      expect(cpu.memory().buffers).toBeLessThanOrEqual(before);
    });

    it('mark their outputs when they fail, and later runs with those fail alike', async () => {
      const loss = cpu.preparePlan({
        externals: [
          { dtype: 'float32', size: 4 },
          { dtype: 'int32', size: 2 },
          { dtype: 'float32', size: 2 },
        ],
        storages: [0, 1, 2].map((index) => ({ kind: 'external', index })),
        slots: [
          { storage: 0, dtype: 'float32', shape: [2, 2] },
          { storage: 1, dtype: 'int32', shape: [2] },
          { storage: 2, dtype: 'float32', shape: [2] },
        ],
        arenaBytes: 0,
        steps: [
          {
            kernel: 'sparseSoftmaxCrossEntropy',
            attributes: {},
            inputs: [0, 1],
            outputs: [2],
            op: 'sparseCategoricalCrossentropy',
            layer: 'loss',
          },
        ],
      });
      const squared = cpu.preparePlan(externalsPlan(2, 2, [unaryStep('square', 0, 1)]));
      const logits = floats(0, 0, 0, 0);
      const labels = cpu.createBuffer('int32', 2, new Int32Array([0, 7]));
      const [y, z] = [floats(0, 0), floats(0, 0)];
      const first = loss.run([logits, labels, y], 2);
      const second = squared.run([y, z], 1);
      const errors = await Promise.all([first, second, y.read(), z.read()].map((promise) => errorOf(() => promise)));
      expect(new Set(errors.map((error) => error.message)).size).toBe(1);
      expect(errors[0]).toMatchObject({ code: 'ERR_EXECUTION', op: 'sparseCategoricalCrossentropy', layer: 'loss' });
      expect(errors[0]!.message).toMatch(/sparseCategoricalCrossentropy "loss": .*7/);
      expect((await errorOf(() => y.readSync())).message).toBe(errors[0]!.message);

      // Everything stays usable, and a good run heals the mark.
      labels.write(new Int32Array([0, 1]));
      await loss.run([logits, labels, y], 2);
      expect((await y.read())[1]).toBeCloseTo(Math.log(2), 6);
      z.write(new Float32Array([5, 5]));
      expect(z.readSync()[0]).toBe(5);
    });

    it('do not keep a plan from being prepared', async () => {
      const long = cpu.preparePlan(longPlan(1 << 20, 600));
      const running = long.run([cpu.createBuffer('float32', 1 << 20)]);
      let done = false;
      void running.then(() => (done = true));
      await sleep(10);
      const start = performance.now();
      const plan = cpu.preparePlan({ ...goodPlan(), arenaBytes: 1 << 20 });
      const blocked = performance.now() - start;
      expect(done).toBe(false);
      await plan.run(goodPlan().externals.map(({ dtype, size }) => cpu.createBuffer(dtype, size)));
      expect(performance.now() - start).toBeGreaterThan(blocked);
      expect(done).toBe(true);
      await running;
    });

    it('profile every step', async () => {
      const plan = cpu.preparePlan(goodPlan());
      const buffers = goodPlan().externals.map(({ dtype, size }) => cpu.createBuffer(dtype, size));
      const profile = await plan.profile(buffers);
      expect(profile.map((step) => [step.kernel, step.op, step.layer])).toEqual([
        ['conv2d', 'conv2d', 'block1/conv'],
        ['elementwise', 'relu', 'test'],
        ['copy', 'copy', ''],
      ]);
      for (const step of profile) {
        expect(step.milliseconds).toBeGreaterThanOrEqual(0);
        expect(step.implementation).not.toBe('');
      }
      expect(profile[2]!.bytes).toBe(4096);
    });

    it('leave the event loop free', async () => {
      const plan = cpu.preparePlan(longPlan(1 << 20, 300));
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      await plan.run([cpu.createBuffer('float32', 1 << 20)]);
      clearInterval(timer);
      expect(ticks).toBeGreaterThan(2);
    });
  });

  describe('memory limit', () => {
    it('makes buffers and arenas that exceed it an error which says what is held', async () => {
      const held = cpu.createBuffer('float32', 1 << 20);
      const { bytes } = cpu.memory();
      try {
        cpu.setMemoryLimit(bytes + (1 << 20));
        const error = await errorOf(() => cpu.createBuffer('float32', 1 << 20));
        expect(error.code).toBe('ERR_OUT_OF_MEMORY');
        expect(error.message).toMatch(/buffer float32 \[1048576\] needs 4\.0 MiB.*limit of.*only 1\.0 MiB are free/);
        expect(error.message).toMatch(/largest holders: .*buffer float32 \[1048576\]/);
        cpu.createBuffer('float32', 1 << 18).dispose();

        const plan = { ...goodPlan(), arenaBytes: 1 << 30 };
        const arena = await errorOf(() => cpu.preparePlan(plan));
        expect(arena.code).toBe('ERR_OUT_OF_MEMORY');
        expect(arena.message).toMatch(/arena needs 1024\.0 MiB/);
      } finally {
        cpu.setMemoryLimit(0);
        held.dispose();
      }
      cpu.preparePlan({ ...goodPlan(), arenaBytes: 1 << 26 }).dispose();
    });
  });

  describe('other threads and the end of the process', () => {
    const file = addonFile()!;
    /** Loads the addon in a Worker or child and starts the long plan there; `...rest` says what happens then. */
    const script = (rest: string) => `
      const addon = require(${JSON.stringify(file)});
      const description = ${JSON.stringify(longPlan(1 << 20, 1))};
      description.steps = Array(4000).fill(description.steps[0]);
      const start = () => {
        const plan = addon.createPlan('cpu', description);
        return plan.run([addon.createBuffer('cpu', 'float32', 1 << 20)]);
      };
      ${rest}`;

    it('a Worker computes at the same time as the main thread', async () => {
      const small = JSON.stringify(externalsPlan(2, 3, [unaryStep('square', 0, 1)]));
      const code = `
        const { parentPort } = require('node:worker_threads');
        const addon = require(${JSON.stringify(file)});
        (async () => {
          const plan = addon.createPlan('cpu', ${small});
          const x = addon.createBuffer('cpu', 'float32', 3, new Float32Array([1, 2, 3]));
          const y = addon.createBuffer('cpu', 'float32', 3);
          for (let i = 0; i < 500; i++) await plan.run([x, y]);
          parentPort.postMessage(await y.read());
        })();`;
      const workers = [0, 1].map(() => new Worker(code, { eval: true }));
      const answers = workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)));
      const exits = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
      const plan = cpu.preparePlan(externalsPlan(2, 3, [unaryStep('exp', 0, 1)]));
      const [x, y] = [floats(0, 1, 2), floats(0, 0, 0)];
      for (let i = 0; i < 500; i++) await plan.run([x, y]);
      expect((await y.read())[0]).toBe(1);
      expect(await Promise.all(answers)).toEqual([0, 1].map(() => new Float32Array([1, 4, 9])));
      expect(await Promise.all(exits)).toEqual([0, 0]);
    });

    it('a Worker that is terminated takes its queued runs along, and nobody else', async () => {
      const before = cpu.memory().buffers;
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(
          script(`void start(); void start(); require('node:worker_threads').parentPort.postMessage('running');`),
          { eval: true },
        );
        await new Promise((resolve) => worker.once('message', resolve));
        await sleep(20);
        await worker.terminate();
      }
      const start = performance.now();
      const plan = cpu.preparePlan(externalsPlan(1, 3, [unaryStep('square', 0, 0)]));
      const x = floats(1, 2, 3);
      await plan.run([x]);
      expect(await x.read()).toEqual(new Float32Array([1, 4, 9]));
      expect(performance.now() - start).toBeLessThan(1500);
      expect(cpu.memory().buffers).toBeLessThanOrEqual(before + 1);
    });

    const runChild = (rest: string) =>
      spawnSync(process.execPath, ['-e', script(rest)], { encoding: 'utf8', timeout: 30_000 });

    it.each([
      ['process.exit while a run is under way', 'void start(); setTimeout(() => process.exit(0), 50);', 0],
      ['process.exit at once', 'void start(); process.exit(0);', 0],
      [
        'process.exit in an exit handler',
        `void start(); process.on('exit', () => process.exit(3)); process.exit(0);`,
        3,
      ],
      [
        'an exit handler that computes',
        `start(); process.on('exit', () => { addon.createBuffer('cpu', 'int32', 9).readSync(); start(); }); setTimeout(() => process.exit(0), 50);`,
        0,
      ],
      ['an uncaught exception', `void start(); setTimeout(() => { throw new Error('boom'); }, 50);`, 1],
      [
        'process.exit while a Worker computes',
        `const worker = require('node:worker_threads');
         if (worker.isMainThread) {
           const { Worker } = worker;
           new Worker(process._eval, { eval: true }).once('message', () => setTimeout(() => process.exit(0), 30));
         } else {
           void start();
           worker.parentPort.postMessage('running');
         }`,
        0,
      ],
      ['nothing left to do', 'addon.createPlan("cpu", description); addon.createBuffer("cpu", "bool", 3);', 0],
    ])('%s ends the process cleanly and soon', (_, rest, status) => {
      const start = performance.now();
      const child = runChild(rest);
      expect({ signal: child.signal, status: child.status }).toEqual({ signal: null, status });
      expect(performance.now() - start).toBeLessThan(3000);
    });

    it('a pending run keeps the process alive until it is done', () => {
      const child = runChild(
        'description.steps = description.steps.slice(0, 20); start().then(() => console.log("done"));',
      );
      expect(child.stdout).toBe('done\n');
      expect(child.status).toBe(0);
    });
  });
});
