import { afterEach, expect, it, vi } from 'vitest';
import { disablePasses, type PassName } from '../../lib/graph/passes/index.js';
import { compile, ops, optimizers, valueAndGrad, Variable, type DType, type Tensor } from '../../lib/index.js';
import type { Optimizer } from '../../lib/optimizers/index.js';
import { describeEachDevice } from '../support/each-device.js';

// The gradient of a large dense kernel is computed and applied in strips of rows: the same numbers in less memory.

vi.mock('../../lib/graph/strip-bytes.js', () => ({ STRIP_BYTES: 16 << 10 }));

afterEach(() => disablePasses());

const [ROWS, COLUMNS] = [145, 64]; // 37 KB: two strips of 64 rows and one of 17
const GRADIENT_BYTES = ROWS * COLUMNS * 4;

/** What a step assigns besides. */
type Also = (w: Variable, other: Variable, old: Tensor) => void;

interface Trained {
  /** The kernel, what else the step assigns, and the optimizer's slots. */
  readonly state: readonly ArrayLike<number>[];
  readonly arenaBytes: number;
  /** Matrix products of one step. */
  readonly products: number;
}

/** Two steps of a dense layer without bias; `also` assigns more in each of them. */
async function trained(make: () => Optimizer, also?: Also, dtype: DType = 'float32'): Promise<Trained> {
  const w = new Variable(ops.randomNormal([ROWS, COLUMNS], 1), { name: 'w' });
  const other = new Variable(ops.randomNormal([ROWS, COLUMNS], 2), { name: 'other' });
  const optimizer = make();
  const step = compile((x: Tensor, y: Tensor): Tensor => {
    const old = w.value;
    const { value, grads } = valueAndGrad(() => {
      const product = ops.matmul(ops.cast(x, dtype), ops.cast(w.value, dtype));
      return ops.mean(ops.square(ops.sub(ops.cast(product, 'float32'), y)));
    }, [w]);
    optimizer.apply(grads);
    also?.(w, other, old);
    return value;
  });
  const [x, y] = [ops.randomNormal([3, ROWS], 3), ops.randomNormal([3, COLUMNS], 4)];
  for (let i = 0; i < 2; i++) await step(x, y).data();
  const state: ArrayLike<number>[] = [];
  for (const v of [w, other, ...optimizer.variables]) state.push(await v.data());
  const { arenaBytes } = step.memory(x, y);
  const products = (await step.profile(x, y)).filter((p) => p.kernel === 'matmul').length;
  step.dispose();
  for (const v of [w, other, ...optimizer.variables]) v.dispose();
  return { state, arenaBytes, products };
}

function expectSame(a: Trained, b: Trained): void {
  a.state.forEach((list, i) => {
    const expected = b.state[i]!;
    expect(list.length).toBe(expected.length);
    for (let k = 0; k < list.length; k++) expect(list[k]).toBeCloseTo(expected[k]!, 5);
  });
}

/** With the pass off and on; `off` stays off in both. */
async function bothWays(
  how: Parameters<typeof trained>,
  ...off: PassName[]
): Promise<{ whole: Trained; strips: Trained }> {
  disablePasses('updatesInStrips', ...off);
  const whole = await trained(...how);
  disablePasses(...off);
  const strips = await trained(...how);
  expectSame(strips, whole);
  return { whole, strips };
}

describeEachDevice('updates in strips', () => {
  it.each([
    ['SGD', () => optimizers.sgd({ learningRate: 0.1 })],
    ['SGD with momentum and decay', () => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 })],
    ['Adam', () => optimizers.adam({ learningRate: 0.01 })],
  ])('%s', async (_, make) => {
    const { whole, strips } = await bothWays([make]);
    expect([whole.products, strips.products]).toEqual([2, 4]);
    expect(whole.arenaBytes).toBeGreaterThan(GRADIENT_BYTES);
    expect(strips.arenaBytes).toBeLessThan(GRADIENT_BYTES / 2);
  });

  it('a gradient that others read, by its norm, stays whole', async () => {
    const { strips } = await bothWays([() => optimizers.sgd({ learningRate: 0.1, clipnorm: 0.1 })]);
    expect(strips.products).toBe(2);
  });

  const sgd = (): Optimizer => optimizers.sgd({ learningRate: 0.1 });

  it('weights rounded to bfloat16 for the product', async () => {
    const { strips } = await bothWays([sgd, undefined, 'bfloat16']);
    expect(strips.products).toBe(4);
  });

  it('a variable whose old value others read: in strips behind them, whole where updates keep their order', async () => {
    const also: Also = (_, other, old) => other.assign(ops.add(other.value, ops.square(old)));
    expect((await bothWays([sgd, also])).strips.products).toBe(4);
    expect((await bothWays([sgd, also], 'earlyUpdates', 'groupUpdates')).strips.products).toBe(2);
  });

  it('a variable that takes the new value of the other', async () => {
    const { strips } = await bothWays([sgd, (w, other) => other.assign(w.value)]);
    expect(strips.products).toBe(4);
  });
});
