import { describe, expect, test } from 'vitest';
import { compile, devices, ops, tensor, Variable, withDevice, zeros, type Tensor } from '../../lib/index.js';

// Data that is wrong shows on a GPU only when the work is done, long after the updates behind it were launched.

const present = devices().present.some(({ name }) => name === 'cuda:0');

/** Counts calls and adds up chosen rows. */
function counter() {
  const calls = new Variable(zeros([]));
  const sum = new Variable(zeros([2]));
  const rows = tensor([
    [1, 2],
    [3, 4],
  ]);
  const step = compile((index: Tensor) => {
    const row = ops.reshape(ops.gather(rows, index), [2]);
    sum.assign(sum.value.add(row));
    calls.assign(calls.value.add(1));
    return ops.sum(row);
  });
  const state = async (): Promise<number[]> => [await calls.value.item(), ...(await sum.value.data())];
  return { step, state };
}

describe.skipIf(!present)('an index out of range', () => {
  test('leaves every variable of an update of several alone', async () => {
    await withDevice('cuda:0', async () => {
      const variables = [[2], [3, 4], [], [5]].map((shape) => new Variable(zeros(shape)));
      const table = tensor([1, 2, 4]);
      const step = compile((index: Tensor) => {
        const value = ops.reshape(ops.gather(table, index), []);
        for (const v of variables) v.assign(v.value.add(value));
        return value;
      });
      const sums = async (): Promise<number[]> =>
        Promise.all(variables.map(async (v) => Number(await ops.sum(v.value).item())));
      const index = (i: number): Tensor => tensor(Int32Array.of(i));
      const kernels = (await step.profile(index(2))).map((p) => p.kernel);
      expect(kernels.filter((k) => k.startsWith('elementwise'))).toEqual(['elementwiseGroup']);
      for (const good of [1, 2, 0]) {
        const before = await sums();
        await expect(step(index(9)).item()).rejects.toThrow(/gather.* 9/);
        expect(await sums()).toEqual(before);
        const by = await step(index(good)).item();
        expect(await sums()).toEqual(before.map((sum, i) => sum + by * variables[i]!.size));
      }
    });
  });

  test.each([0, 3])('after %i good steps names its place, and the step counts for nothing', async (good) => {
    await withDevice('cuda:0', async () => {
      const { step, state } = counter();
      const index = (i: number): Tensor => tensor(Int32Array.of(i));
      for (let i = 0; i < good; i++) await step(index(1)).item();
      const before = await state();
      expect(before).toEqual([good, 3 * good, 4 * good]);
      await expect(step(index(7)).item()).rejects.toThrow(/gather.* 7/);
      expect(await state()).toEqual(before);
      // The next step is as if nothing had been, whether it is replayed from a recording or not.
      for (let i = 1; i <= 3; i++) {
        expect(await step(index(0)).item()).toBe(3);
        expect(await state()).toEqual([good + i, before[1]! + i, before[2]! + 2 * i]);
      }
    });
  });
});
