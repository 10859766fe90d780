import { describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/backends/registry.js';
import { compile, devices, FoveaError, vjp, withDevice, type Tensor } from '../../lib/index.js';
import { opFamilies, placeInputs, type OpCall } from '../support/ops-cases.js';
import { RandomValues } from '../support/random-values.js';

// The table of kernels against what a device runs. On the emulator or a card, and on the cpu.

/** Calls drawn for a family: enough for each of its forms. */
const SEEDS = 12;
const present = devices().present.map(({ name }) => name);

/** Kernels that one call and its gradients launch, as a plan. */
async function kernelsOf(call: OpCall, device: string): Promise<string[]> {
  const inputs = withDevice(device, () => placeInputs(call, device, 'float32'));
  const wanted = call.noGradient ? [] : inputs.filter((_, i) => call.inputs[i]!.dtype === 'float');
  const whole = compile((...given: Tensor[]) => {
    let outputs: Tensor[] = [];
    const sources = given.filter((_, i) => wanted.includes(inputs[i]!));
    const apply = (...moved: Tensor[]): Tensor => {
      outputs = call.apply(given.map((t) => moved[sources.indexOf(t)] ?? t));
      return outputs[0]!;
    };
    const { value, pullback } = vjp(apply, ...sources);
    if (sources.length === 0) return outputs;
    return [...outputs, ...pullback(value)]; // A constant instead of the value would be worked out beforehand.
  });
  const steps = await withDevice(device, () => whole.profile(...inputs));
  whole.dispose();
  return steps.map(({ kernel }) => kernel);
}

describe.each(['cpu', 'cuda:0'])('the kernels of %s', (device) => {
  test.skipIf(!present.includes(device))(
    'are those of the table, and calls of all ops and their gradients launch each of them',
    async () => {
      const table = backendOf(device).kernels;
      const launched = new Set<string>();
      for (const family of opFamilies()) {
        for (let seed = 1; seed <= SEEDS; seed++) {
          const call = family.draw(new RandomValues(seed), false);
          try {
            for (const kernel of await kernelsOf(call, device)) launched.add(kernel);
          } catch (error) {
            throw error instanceof FoveaError ? new Error(`${family.name}: ${error.message}`, { cause: error }) : error;
          }
        }
      }
      expect([...launched].filter((kernel) => !table.has(kernel))).toEqual([]);
      // Made by the pass groupUpdates, of updates of variables: test/conformance/elementwise-group.test.ts.
      const ofPasses = ['elementwiseGroup'];
      expect([...table].filter((kernel) => !launched.has(kernel) && !ofPasses.includes(kernel))).toEqual([]);
      expect(table.size).toBeGreaterThanOrEqual(35);
    },
  );
});
