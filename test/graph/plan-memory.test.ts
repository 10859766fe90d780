import { describe, expect, test } from 'vitest';
import type { PlanDescription } from '../../lib/backends/backend.js';
import { largestPair } from '../../lib/graph/plan-memory.js';

type Storages = PlanDescription['storages'];

/** A plan of copies between storages; slot i shows storage `places[i]` and has `sizes[i]` elements. */
function plan(
  storages: Storages,
  places: readonly number[],
  sizes: readonly number[],
  steps: readonly (readonly [layer: string, inputs: number[], outputs: number[]])[],
): PlanDescription {
  return {
    storages,
    slots: places.map((storage, i) => ({ storage, dtype: 'float32', shape: [sizes[i]!] })),
    steps: steps.map(([layer, inputs, outputs]) => ({
      kernel: 'copy',
      attributes: {},
      inputs,
      outputs,
      op: 'copy',
      layer,
    })),
    arenaBytes: 1024,
    externals: [],
  };
}

const arena = { kind: 'arena', offset: 0, bytes: 0 } as const;

describe('largestPair', () => {
  test('an operand and the result of its step, whoever made the operand', () => {
    const chain = plan(
      [{ kind: 'external', index: 0 }, arena, arena, { kind: 'external', index: 1 }],
      [0, 1, 2, 3],
      [10, 40, 30, 50],
      [
        ['a', [0], [1]],
        ['b', [1], [2]],
        ['c', [2], [3]],
      ],
    );
    expect(largestPair(chain, () => true)).toEqual([
      { layer: 'b', shape: [30], dtype: 'float32', bytes: 120 },
      { layer: 'c', shape: [50], dtype: 'float32', bytes: 200 },
    ]);
    expect(largestPair(chain, (index) => index === 0)).toMatchObject([{ layer: 'a' }, { layer: 'b' }]);
  });

  test('weights are no activations, and a result written over its operand is no second one', () => {
    const weights = { kind: 'external', index: 1 } as const;
    const places = plan(
      [{ kind: 'external', index: 0 }, weights, arena],
      [0, 1, 2, 2],
      [10, 900, 40, 40],
      [
        ['conv', [0, 1], [2]],
        ['relu', [2], [3]],
      ],
    );
    expect(largestPair(places, (index) => index === 0)).toMatchObject([
      { layer: '', bytes: 40 },
      { layer: 'conv', bytes: 160 },
    ]);
    expect(largestPair(plan([], [], [], []), () => true)).toBeUndefined();
  });
});
