import { describe, expect, it } from 'vitest';
import { opTable } from '../../lib/ops/index.js';
import { gradcheck } from '../support/gradcheck.js';
import { describeCall, opFamilies, type OpFamily } from '../support/ops-cases.js';
import { forCases } from '../support/random-values.js';

/** Ops with no rule of their own, and why none is needed. */
const WITHOUT_RULE: Readonly<Record<string, string>> = {
  maxPool2dBackward: 'a linear map chosen by x; nothing of the chapter differentiates twice through a maximum',
  batchNormBackward: 'second order through batch statistics is refused with ERR_UNSUPPORTED',
  lrnBackward: 'second order is refused with ERR_UNSUPPORTED',
  sparseSoftmaxCrossEntropyBackward: 'second order is refused; write the loss with logSoftmax for it',
  softmaxCrossEntropyBackward: 'second order is refused; write the loss with logSoftmax for it',
};

/** Ops whose rule gives nothing to compare with differences. */
const NOTHING_FLOWS: Readonly<Record<string, string>> = {
  castBfloat16: 'rounding is a step, its rule the straight line; see test/ops/narrow-floats.test.ts',
  castFloat16: 'as castBfloat16',
  stopGradient: 'its rule is that nothing flows; see gradients.test.ts',
};

/** Families whose gradients can be differentiated again. */
const TWICE = new Set([
  ...['conv2d', 'depthwiseConv2d', 'conv2dTranspose', 'matmul', 'avgPool2d', 'resize', 'softmax', 'logSoftmax'],
  ...['add', 'sub', 'mul', 'div', 'pow', 'select', 'maximum', 'minimum', 'reduce', 'transpose', 'broadcastTo'],
  ...['concat', 'slice', 'pad', 'gather', 'reshape', 'dropout', 'relu', 'relu6', 'exp', 'expm1', 'log', 'log1p'],
  ...['sqrt', 'rsqrt', 'square', 'reciprocal', 'sin', 'cos', 'erf', 'tanh', 'sigmoid', 'softplus', 'silu', 'selu'],
  ...['leakyRelu', 'elu', 'gelu', 'geluTanh', 'hardSigmoid', 'clip', 'abs', 'neg', 'reluGrad', 'mod', 'castFloat'],
  'batchNormInference',
]);

const families = opFamilies().filter((f) => !isStep(f));

/** Whether all results of a family are whole numbers or truths: nothing to differentiate. */
function isStep(family: OpFamily): boolean {
  return family.covers.length > 0
    ? family.covers.every((name) => opTable.get(name)!.differentiable === false)
    : family.name.includes('int32');
}

const asked = new Set<string>();

async function check(family: OpFamily, count: number, second: boolean): Promise<void> {
  await forCases(`gradcheck ${family.name} ${second ? 'twice' : ''}`, count, (r) => {
    const call = family.draw(r, true);
    if (call.noGradient) return;
    try {
      for (const name of gradcheck(call, r, { second })) asked.add(name);
    } catch (error) {
      throw new Error(`${describeCall(call)}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  });
}

describe('gradients agree with differences', () => {
  it.each(families.map((f) => [f.name, f] as const))('%s', (_name, family) =>
    check(family, 6 + 2 * family.weight, false),
  );
});

describe('gradients of gradients agree with differences', () => {
  it('every family named exists', () => {
    const names = new Set(families.map((f) => f.name));
    expect([...TWICE].filter((name) => !names.has(name))).toEqual([]);
  });
  it.each(families.filter((f) => TWICE.has(f.name)).map((f) => [f.name, f] as const))('%s', (_name, family) =>
    check(family, 3 + family.weight, true),
  );
});

it('every op of the table is checked, not differentiable, or excused with a reason', (context) => {
  // With a filter the checks above may not have run.
  if (asked.size === 0) context.skip();
  const differentiable = [...opTable.values()].filter((op) => op.differentiable !== false);
  const unchecked = differentiable.filter((op) => op.gradient && !asked.has(op.name) && !(op.name in NOTHING_FLOWS));
  const unexplained = differentiable.filter((op) => !op.gradient && !(op.name in WITHOUT_RULE));
  const outdated = Object.keys(WITHOUT_RULE).filter((name) => opTable.get(name)?.gradient !== undefined);
  expect({ unchecked: unchecked.map((o) => o.name), unexplained: unexplained.map((o) => o.name), outdated }).toEqual({
    unchecked: [],
    unexplained: [],
    outdated: [],
  });
});
