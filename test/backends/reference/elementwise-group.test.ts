import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../../lib/backends/backend.js';
import { createReferenceBackend } from '../../../lib/backends/reference/index.js';
import { external, planOf, slot, step } from './plans.js';
import { f64, i32, runKernel } from './run-kernel.js';

/** y = rate * x + z and x - z; `rate` is shared. */
const attributes: Attributes = {
  compute: 'float',
  opcodes: ['mul', 'add', 'sub'],
  args: [0, 1, -1, 3, 2, -1, 1, 2, -1],
  params: [0, 0, 0, 0, 0, 0],
  results: [4, 5],
  shared: 1,
};
const out = (...shape: number[]) => ({ dtype: 'float64' as const, shape });
const rate = f64([], [10]);

describe('elementwiseGroup', () => {
  it('does for each group what elementwise does', () => {
    const x = f64([2, 3], [1, 2, 3, 4, 5, 6]);
    const row = f64([3], [1, 2, 3]);
    const results = runKernel(
      'elementwiseGroup',
      attributes,
      [rate, x, row, f64([1], [7]), f64([], [2]), f64([0], []), f64([0], [])],
      [out(2, 3), out(2, 3), out(1), out(1), out(0), out(0)],
    );
    expect(results.map((y) => [...y])).toEqual([[11, 22, 33, 41, 52, 63], [0, 0, 0, 3, 3, 3], [72], [5], [], []]);
  });

  it('takes one group, and operands that are all shared', () => {
    const one = runKernel('elementwiseGroup', attributes, [rate, f64([1], [1]), f64([1], [2])], [out(1), out(1)]);
    expect(one.map((y) => [...y])).toEqual([[12], [-1]]);
    const all = { ...attributes, shared: 3 };
    const [a, , b] = runKernel(
      'elementwiseGroup',
      all,
      [rate, f64([], [1]), f64([], [2])],
      [out(1), out(1), out(2), out(2)],
    );
    expect([...a!, ...b!]).toEqual([12, 12, 12]);
  });

  const refused: [string, Attributes, ReturnType<typeof f64>[], { dtype: 'float64'; shape: number[] }[], RegExp][] = [
    ['no shared', { ...attributes, shared: -1 }, [rate, rate, rate], [out(1), out(1)], /attribute shared/],
    [
      'more shared than there are',
      { ...attributes, shared: 4 },
      [rate, rate, rate],
      [out(1), out(1)],
      /attribute shared/,
    ],
    ['outputs that are no groups', attributes, [rate, rate, rate], [out(1), out(1), out(1)], /as many outputs/],
    ['results of nothing', { ...attributes, results: [] }, [rate, rate, rate], [out(1), out(1)], /as many outputs/],
    [
      'inputs that are no groups',
      attributes,
      [rate, rate, rate, rate],
      [out(1), out(1), out(2), out(2)],
      /as many inputs/,
    ],
    ['a shape that does not fit', attributes, [rate, f64([2], [1, 2]), rate], [out(3), out(3)], /broadcast to \[3\]/],
    [
      'types that differ between groups',
      attributes,
      [rate, rate, rate, i32([], [1]), rate],
      [out(1), out(1), out(1), out(1)],
      /float64 of the first group/,
    ],
  ];
  it.each(refused)('refuses %s', (_, given, inputs, outputs, message) => {
    expect(() => runKernel('elementwiseGroup', given, inputs, outputs)).toThrow(message);
  });

  it('runs in place within a group only', () => {
    const backend = createReferenceBackend();
    const prepare = (...outputs: number[]) => {
      const externals = [1, 4, 4, 4, 4, 4, 4];
      const slots = externals.map((size, i) => slot(i, i === 0 ? [] : [size]));
      const group = step('elementwiseGroup', { ...attributes, results: [4] }, [0, 1, 2, 3, 4], outputs);
      backend
        .preparePlan(
          planOf(
            externals,
            externals.map((_, i) => external(i)),
            slots,
            [group],
          ),
        )
        .dispose();
    };
    for (const good of [
      [1, 3],
      [2, 4],
      [5, 4],
      [5, 6],
    ])
      expect(() => prepare(...good), good.join()).not.toThrow();
    // The other group's, and what both read.
    for (const bad of [
      [3, 5],
      [4, 3],
      [5, 1],
      [1, 2],
    ])
      expect(() => prepare(...bad), bad.join()).toThrow(/in place/);
    expect(() => prepare(1, 1)).toThrow(/share no memory/);
  });
});
