import { describe, expect, test } from 'vitest';
import { expectTensorClose, opTolerance, readGolden } from '../../support/golden.js';
import type { OpCases } from '../../support/golden.js';
import { GoldenCall } from './golden-call.js';
import { RUNNERS } from './golden-runners.js';

/** Losses that lib/losses composes of several ops have no kernel of their own. */
const COMPOSED = ['binary_crossentropy', 'mse', 'dropout'];

/** Cases whose gradients are programs of several kernels, written in lib/ops: only values are compared here. */
const FORWARD_ONLY =
  /^(relu|relu6|leaky_relu|elu|selu|gelu|sigmoid|tanh|softplus|silu|hard_sigmoid|clip|add|sub|mul|div|maximum|reduce_\w+|batch_norm\/infer.*)(\/|$)/;

describe('golden ops as kernel calls', () => {
  const { cases } = readGolden<OpCases>('ops.json.gz');

  test('every op is either run here or known to be composed', () => {
    const unknown = cases.map((c) => c.op).filter((op) => !(op in RUNNERS) && !COMPOSED.includes(op));
    expect(unknown).toEqual([]);
  });

  test.each(cases.filter((c) => c.op in RUNNERS).map((c) => [c.id, c] as const))('%s', (id, c) => {
    const results = RUNNERS[c.op]!(new GoldenCall(c));
    // float64 cases agree far more closely than the README asks of float32 programs.
    const tolerance = c.precision === 'float64' ? { relative: 1e-7, absolute: 1e-8 } : opTolerance(id);
    for (const [name, expected] of Object.entries(c.expected)) {
      if (name !== 'y' && FORWARD_ONLY.test(id)) continue;
      const result = results[name];
      if (result === undefined) expect.fail(`${id}: no result for ${name}`);
      expectTensorClose(result.data, result.shape, expected, { ...tolerance, label: `${id} ${name}` });
    }
  });
});
