import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tensor, vjp, withDevice, type Tensor } from '../../lib/index.js';
import { disablePasses, PASS_NAMES } from '../../lib/graph/passes/index.js';
import { fillSpec } from '../support/fill.js';
import { expectTensorClose, opTolerance, readGolden, type OpCase, type OpCases } from '../support/golden.js';
import { goldenTensors, runMapping } from './golden-mapping.js';
import { testDevices } from '../support/devices.js';

const { cases } = readGolden<OpCases>('ops.json.gz');

it('there are the 135 cases that the fixtures hold', () => {
  expect(cases.length).toBe(135);
  expect(new Set(cases.map((c) => c.id)).size).toBe(135);
});

describe.each(testDevices())('golden ops on %s', (device) => {
  describe.each([
    { passes: 'on', off: [] },
    { passes: 'off', off: PASS_NAMES },
  ])('passes $passes', ({ off }) => {
    beforeEach(() => disablePasses(...off));
    afterEach(() => disablePasses());
    it.each(cases.map((c) => [c.id, c] as const))('%s', async (_id, c) => check(c, device));
  });
});

/** Values and gradients of one case: float64 on the reference, float32 on the others. */
async function check(c: OpCase, device: string): Promise<void> {
  const results = withDevice(device, () => compute(c, device === 'reference' ? 'float64' : 'float32'));
  const missing = Object.keys(c.expected).filter((name) => !(name in results));
  expect(missing, 'expected tensors that were not computed').toEqual([]);
  for (const [name, expected] of Object.entries(c.expected)) {
    const { shape } = results[name]!;
    const data = await results[name]!.data();
    expectTensorClose(data, shape, expected, { ...opTolerance(c.id), label: `${c.id} ${name}` });
  }
}

function compute(c: OpCase, dtype: 'float32' | 'float64'): Record<string, Tensor> {
  const inputs = goldenTensors(c, dtype);
  const names = Object.keys(inputs).filter((name) => `d_${name}` in c.expected);
  let extra: Readonly<Record<string, Tensor>> | undefined;
  const { value, pullback } = vjp(
    (...args) => {
      const made = runMapping(c, { ...inputs, ...Object.fromEntries(args.map((a, i) => [names[i]!, a])) });
      extra = made.extra;
      return made.y;
    },
    ...names.map((name) => inputs[name]!),
  );
  const dy = tensor([...fillSpec(c.upstream)], c.upstream.shape, { dtype });
  const gradients = pullback(dy);
  return { y: value, ...extra, ...Object.fromEntries(names.map((name, i) => [`d_${name}`, gradients[i]!])) };
}
