import { describe, expect, it } from 'vitest';
import { compile } from '../../lib/graph/compile.js';
import * as optimizers from '../../lib/optimizers/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { Variable } from '../../lib/tensor/variable.js';
import { camelCase, type Config } from '../../lib/util/options.js';
import { describeEachDevice } from '../support/each-device.js';
import { fillSpec, type FillSpec } from '../support/fill.js';
import { readGolden } from '../support/golden.js';

interface Case {
  readonly id: string;
  readonly optimizer: string;
  readonly arguments: Config;
  readonly config: Config;
  readonly variable: FillSpec;
  readonly gradients: FillSpec;
  readonly expected: { readonly rows: readonly (readonly number[])[]; readonly emaFinal?: readonly number[] };
}

const { cases } = readGolden<{ cases: readonly Case[] }>('optimizers.json');

function expectRow(actual: ArrayLike<number>, expected: readonly number[], label: string): void {
  expected.forEach((value, i) => {
    const allowed = Math.max(5e-6, 1e-6 * Math.abs(value));
    const difference = Math.abs(actual[i]! - value);
    if (!(difference <= allowed)) expect.fail(`${label}[${i}]: expected ${value}, received ${actual[i]}`);
  });
}

function setUp({ optimizer: className, arguments: config, variable: spec, gradients }: Case) {
  const optimizer = optimizers.get({ className, config });
  const variable = new Variable(tensor(fillSpec(spec), spec.shape), { name: 'w' });
  const size = variable.size;
  const all = fillSpec(gradients);
  const rows = Array.from({ length: gradients.shape[0]! }, (_, t) => tensor(all.slice(t * size, (t + 1) * size)));
  return { optimizer, variable, rows };
}

function checkAverage({ optimizer, variable }: ReturnType<typeof setUp>, { expected, id }: Case): void {
  if (!expected.emaFinal) return;
  expectRow(optimizer.slot(variable, 'average')!.dataSync(), expected.emaFinal, `${id} average`);
  optimizer.finalizeVariables([variable]);
  expectRow(variable.dataSync(), expected.emaFinal, `${id} finalized`);
}

describeEachDevice('optimizers against Keras', () => {
  for (const golden of cases) {
    it(`${golden.id} ${JSON.stringify(golden.arguments)}, eagerly`, () => {
      const made = setUp(golden);
      const { optimizer, variable, rows } = made;
      rows.forEach((g, t) => {
        optimizer.apply([[variable, g]]);
        expectRow(variable.dataSync(), golden.expected.rows[t]!, `${golden.id} step ${t}`);
      });
      expect(optimizer.iterations).toBe(rows.length);
      checkAverage(made, golden);
    });

    it(`${golden.id}, compiled`, () => {
      const made = setUp(golden);
      const { optimizer, variable, rows } = made;
      const step = compile((g: Tensor) => {
        optimizer.apply([[variable, g]]);
        return variable.value;
      });
      rows.forEach((g, t) => expectRow(step(g).dataSync(), golden.expected.rows[t]!, `${golden.id} step ${t}`));
      expect(step.statistics.traces).toBe(1);
      expect(optimizer.iterations).toBe(rows.length);
      checkAverage(made, golden);
    });
  }
});

describe('optimizer defaults', () => {
  it.each(cases)("$id has all of Keras's defaults", ({ optimizer, arguments: config, config: expected }) => {
    const actual = optimizers.get({ className: optimizer, config }).getConfig();
    for (const [name, value] of Object.entries(expected)) expect(actual[camelCase(name)], name).toBe(value);
  });
});
