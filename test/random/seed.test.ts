import { describe, expect, it } from 'vitest';
import { compile } from '../../lib/graph/compile.js';
import * as ops from '../../lib/ops/index.js';
import { SeedGenerator, setRandomSeed } from '../../lib/random/seed.js';
import { ones } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { describeEachDevice } from '../support/each-device.js';

describeEachDevice('SeedGenerator', () => {
  it('gives another seed each time, in and outside of traces', async () => {
    const eager = new SeedGenerator({ seed: 2 ** 40 + 3 });
    const traced = new SeedGenerator({ seed: 2 ** 40 + 3 });
    const run = compile((x: Tensor) => [ops.dropout(x, 0.5, traced.next()), ops.dropout(x, 0.5, traced.next())]);
    const x = ones([64]);
    const seen: string[] = [];
    for (let i = 0; i < 3; i++) {
      for (const mask of run(x)) {
        const data = await mask.data();
        expect(data).toEqual(await ops.dropout(x, 0.5, eager.next()).data());
        seen.push(data.join());
      }
    }
    expect(new Set(seen).size).toBe(6);
    expect([...(await traced.read())]).toEqual([3, 256, 6, 0]);
    expect(run.statistics.traces).toBe(1);
  });

  it('goes on where it was restored', async () => {
    const seeds = new SeedGenerator({ seed: -5 });
    seeds.next();
    const words = await seeds.read();
    const expected = await ops.randomUniform([4], seeds.next()).data();
    seeds.next();
    const again = new SeedGenerator();
    again.restore(words);
    expect(await ops.randomUniform([4], again.next()).data()).toEqual(expected);
    expect(() => again.restore([1, 2, 3])).toThrow(/four int32 words/);
    expect(() => again.restore([1, 2, 3, 2 ** 31])).toThrow(/four int32 words/);
  });

  it('takes a whole number as the op does', async () => {
    const drawn = await ops.randomUniform([4], new SeedGenerator({ seed: 77 }).next()).data();
    expect(drawn).toEqual(await ops.randomUniform([4], 77).data());
  });
});

describe('SeedGenerator without a seed', () => {
  it('takes one of the global seeds', async () => {
    setRandomSeed(9);
    const first = await new SeedGenerator().read();
    const second = await new SeedGenerator().read();
    setRandomSeed(9);
    expect(await new SeedGenerator().read()).toEqual(first);
    expect(second).not.toEqual(first);
    expect(() => new SeedGenerator({ seed: NaN })).toThrow(
      'SeedGenerator: expected seed to be a safe integer, received NaN',
    );
  });
});
