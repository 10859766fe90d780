import { compile, tensor } from '../../lib/index.js';
import type { Model, Tensor } from '../../lib/index.js';
import { fillSpec } from './fill.js';
import { expectTensorClose } from './golden.js';
import type { ModelFixture } from './zoo.js';

/** Expects a model that has the fixture's weights to make the fixture's logits or features of its input. */
export async function expectOutputs(model: Model, fixture: ModelFixture): Promise<void> {
  const run = compile((x: Tensor) => model.apply<Tensor>(x));
  const y = run(tensor(fillSpec(fixture.input), fixture.input.shape));
  expectFixture(await y.data(), y.shape, fixture);
  run.dispose();
}

/** Expects numbers to be a fixture's logits or features. */
export function expectFixture(
  values: ArrayLike<number>,
  shape: readonly number[],
  { logits, features }: ModelFixture,
): void {
  const close = logits ? { relative: 0, absolute: 1e-4 } : { relative: 1e-5, absolute: 0 };
  expectTensorClose(values, shape, logits ?? features!, { ...close, label: logits ? 'logits' : 'features' });
}
