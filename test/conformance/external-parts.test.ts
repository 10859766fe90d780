import { expect, it } from 'vitest';
import type { DeviceBuffer, PlanDescription, StepDescription } from '../../lib/backends/backend.js';
import { backendOf } from '../../lib/backends/registry.js';
import { describeEachDevice } from '../support/each-device.js';

// Storages that are a part of a buffer, as updates in strips use them.

const SIZE = 40;

/** Slots 0 to 3: elements 0 to 15, 16 to 31, 16 to 39 and 0 to 23 of the only buffer; slot 4: all of it. */
function plan(step: Pick<StepDescription, 'kernel' | 'attributes' | 'inputs' | 'outputs'>): PlanDescription {
  const parts = [
    { first: 0, size: 16 },
    { first: 16, size: 16 },
    { first: 16, size: 24 },
    { first: 0, size: 24 },
  ];
  return {
    externals: [{ dtype: 'float32', size: SIZE }],
    storages: [
      ...parts.map((part) => ({ kind: 'external', index: 0, ...part }) as const),
      { kind: 'external', index: 0 },
    ],
    slots: [...parts.map(({ size }) => size), SIZE].map((size, storage) => ({
      storage,
      dtype: 'float32',
      shape: [size],
    })),
    steps: [{ ...step, op: step.kernel, layer: '' }],
    arenaBytes: 0,
  };
}

const double = {
  kernel: 'elementwise',
  attributes: { compute: 'float', opcodes: ['add'], args: [0, 0, -1], params: [0, 0], results: [1] },
};

describeEachDevice('parts of a buffer', (device) => {
  const numbers = Float32Array.from({ length: SIZE }, (_, i) => i + 1);

  async function ran(description: PlanDescription): Promise<number[]> {
    const backend = backendOf(device);
    const buffer: DeviceBuffer = backend.createBuffer('float32', SIZE, numbers);
    const prepared = backend.preparePlan(description);
    try {
      await prepared.run([buffer]);
      return [...((await buffer.read()) as Float32Array)];
    } finally {
      prepared.dispose();
      buffer.dispose();
    }
  }

  it('one is copied to another', async () => {
    const result = await ran(plan({ kernel: 'copy', attributes: {}, inputs: [0], outputs: [1] }));
    expect(result).toEqual([...numbers.slice(0, 16), ...numbers.slice(0, 16), ...numbers.slice(32)]);
  });

  it('one is written in place, and the rest stays', async () => {
    const result = await ran(plan({ ...double, inputs: [2], outputs: [2] }));
    expect(result).toEqual([...numbers].map((v, i) => (i < 16 ? v : 2 * v)));
  });

  it('refuses to write over half of what is read, in place or not', () => {
    const prepare = (description: PlanDescription) => () => backendOf(device).preparePlan(description);
    expect(prepare(plan({ ...double, inputs: [2], outputs: [3] }))).toThrow(/in place/);
    const slice = { kernel: 'slice', attributes: { begin: [8] } };
    expect(prepare(plan({ ...slice, inputs: [4], outputs: [1] }))).toThrow(/apart from the inputs|not run in place/);
  });
});
