import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlanDescription, StepDescription } from '../../lib/backends/backend.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Where the addon is that `loadAddon` would load, for Workers and child processes; undefined when there is none. */
export function addonFile(): string | undefined {
  if (process.env['FOVEA_ADDON']) return path.resolve(process.env['FOVEA_ADDON']);
  try {
    const bindings = createRequire(import.meta.url)('bindings') as (options: object) => string;
    return bindings({ bindings: 'fovea', module_root: root, path: true });
  } catch {
    return undefined;
  }
}

/** A step of an elementwise program with one opcode: inputs → one output. */
export function unaryStep(opcode: string, input: number, output: number): StepDescription {
  return {
    kernel: 'elementwise',
    attributes: { compute: 'float', opcodes: [opcode], args: [0, -1, -1], params: [0, 0], results: [1] },
    inputs: [input],
    outputs: [output],
    op: opcode,
    layer: 'test',
  };
}

/** A plan over float32 externals of `size` elements each, one slot per external. */
export function externalsPlan(count: number, size: number, steps: readonly StepDescription[]): PlanDescription {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return {
    externals: numbers.map(() => ({ dtype: 'float32', size })),
    storages: numbers.map((index) => ({ kind: 'external', index })),
    slots: numbers.map((storage) => ({ storage, dtype: 'float32', shape: [size] })),
    arenaBytes: 0,
    steps,
  };
}

/** A plan that takes some seconds: many steps that change one external in place. */
export function longPlan(size = 1 << 20, steps = 4000): PlanDescription {
  return externalsPlan(
    1,
    size,
    Array.from({ length: steps }, () => unaryStep('tanh', 0, 0)),
  );
}
