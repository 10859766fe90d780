import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { devices } from '../../lib/index.js';
import { backendOf } from '../../lib/backends/registry.js';
import { REFERENCE_KERNELS } from '../../lib/backends/reference/kernels/index.js';
import { FLOAT_OPERATIONS, INT32_OPERATIONS } from '../../lib/backends/reference/kernels/opcodes.js';
import { opTable, type OpDefinition } from '../../lib/ops/index.js';
import { opFamilies } from '../support/ops-cases.js';

/** Walks the steps of "Adding an op" in CONTRIBUTING.md for every op in the table. */
const read = (file: string): string => fs.readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const contract = read('docs/kernels.md');
const kernelTable = read('native/plan/kernel_table.cc');
const nativeOpcodes = read('native/core/elementwise_program.h');
const covered = new Set(opFamilies().flatMap((family) => family.covers));

/** What is missing of an op, one line a step. */
function missing(op: OpDefinition): string[] {
  const gaps: string[] = [];
  const { lowering } = op;
  if (lowering.kind === 'kernel') {
    if (!contract.includes(`\`${lowering.kernel}\``)) gaps.push('step 1: no row in docs/kernels.md');
    if (!REFERENCE_KERNELS.has(lowering.kernel)) gaps.push('step 2: no reference kernel');
    if (!kernelTable.includes(`"${lowering.kernel}"`)) gaps.push('step 3: no line in native/plan/kernel_table.cc');
  }
  if (lowering.kind === 'elementwise') {
    if (!contract.includes(`\`${lowering.opcode}\``)) gaps.push('step 1: opcode not in docs/kernels.md');
    if (!(lowering.opcode in FLOAT_OPERATIONS) && !(lowering.opcode in INT32_OPERATIONS)) {
      gaps.push('step 2: opcode not in the reference');
    }
    if (!nativeOpcodes.includes(`{"${lowering.opcode}"`)) gaps.push('step 3: opcode not in native/core');
  }
  if (!op.gradient && op.differentiable !== false && !op.name.endsWith('Backward')) {
    gaps.push('step 4: no gradient, and not marked as without one');
  }
  if (!covered.has(op.name)) gaps.push('step 5: no case in test/support/ops-cases');
  return gaps;
}

describe('adding an op', () => {
  test.each([...opTable.values()].map((op) => [op.name, op] as const))('%s has all that the steps ask for', (_, op) => {
    expect(missing(op)).toEqual([]);
  });

  test('a step left out is seen', () => {
    const stranger: OpDefinition = {
      name: 'stranger',
      lowering: { kind: 'kernel', kernel: 'stranger' },
      infer: () => [],
    };
    expect(missing(stranger).map((gap) => gap.slice(0, 6))).toEqual(['step 1', 'step 2', 'step 3', 'step 4', 'step 5']);
    const opcode: OpDefinition = { ...stranger, lowering: { kind: 'elementwise', opcode: 'stranger' } };
    expect(missing(opcode)).toHaveLength(5);
  });

  test('every file that the steps name is there', () => {
    const steps = read('CONTRIBUTING.md').split('## Adding an op')[1]!.split('## Rules')[0]!;
    const paths = [...steps.matchAll(/`((?:lib|native|docs|test)\/[\w./-]+)`/g)].map((m) => m[1]!);
    expect(paths.length).toBeGreaterThan(6);
    for (const path of paths) expect(fs.existsSync(new URL(`../../${path}`, import.meta.url)), path).toBe(true);
  });

  test('every device has the same kernels', () => {
    const reference = [...REFERENCE_KERNELS.keys()].sort();
    for (const { name } of devices().present) expect([...backendOf(name).kernels].sort(), name).toEqual(reference);
  });
});
