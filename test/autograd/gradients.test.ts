import { describe, expect, it } from 'vitest';
import {
  compile,
  customGradient,
  grad,
  gradsOf,
  ops,
  scalar,
  tensor,
  valueAndGrad,
  Variable,
  vjp,
  withDevice,
  type Tensor,
} from '../../lib/index.js';

const here = (name: string, fn: () => Promise<void> | void): void => {
  it(name, () => withDevice('reference', fn));
};
const list = (t: Tensor): number[] => Array.from(t.dataSync());

describe('grad', () => {
  here('of a sum of squares', () => {
    expect(list(grad((x) => ops.sum(ops.square(x)))(tensor([1, 2, 3])))).toEqual([2, 4, 6]);
  });

  here('by several arguments, with the value', () => {
    const { value, grads } = gradsOf((a, b) => ops.sum(ops.mul(a, b)), [0, 1])(tensor([1, 2]), tensor([3, 4]));
    expect(value.itemSync()).toBe(11);
    expect(grads.map(list)).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  here('a sub-expression used twice gets both gradients, once each', () => {
    const dx = grad((x) => {
      const s = ops.square(x);
      return ops.sum(ops.add(ops.mul(s, s), ops.mul(s, 3)));
    })(tensor([1, 2]));
    expect(list(dx)).toEqual([4 + 6, 32 + 12]);
  });

  here('a diamond of reshapes and slices', () => {
    const dx = grad((x) => {
      const [a, b] = ops.split(x, 2);
      return ops.sum(ops.mul(a!, ops.reshape(b!, [2])));
    })(tensor([1, 2, 3, 4]));
    expect(list(dx)).toEqual([3, 4, 1, 2]);
  });

  here('is summed over what broadcasting repeated', () => {
    const [da, db, dc] = grad((a, b, c) => ops.sum(ops.mul(ops.add(a, b), c)), [0, 1, 2])(
      tensor([1, 2, 3], [1, 3]),
      tensor([10, 20], [2, 1]),
      tensor(2),
    );
    expect([da!.shape, db!.shape, dc!.shape]).toEqual([[1, 3], [2, 1], []]);
    expect(list(da!)).toEqual([4, 4, 4]);
    expect(list(db!)).toEqual([6, 6]);
    expect(list(dc!)).toEqual([11 + 12 + 13 + 21 + 22 + 23]);
  });

  here('is zeros by an argument that does not count', () => {
    const [, db] = grad((a) => ops.sum(a), [0, 1])(tensor([1, 2]), tensor([[1, 2, 3]]));
    expect(db!.shape).toEqual([1, 3]);
    expect(list(db!)).toEqual([0, 0, 0]);
  });

  here('passes an op with several outputs of which some are not used', () => {
    const gamma = tensor([1, 1]);
    const beta = tensor([0, 0]);
    const fn = (x: Tensor): Tensor =>
      ops.sum(
        ops.mul(
          ops.batchNorm(x, gamma, beta).y,
          tensor([
            [1, 2],
            [3, 4],
            [7, 5],
          ]),
        ),
      );
    const dx = grad(fn)(
      tensor([
        [1, 2],
        [3, 5],
        [4, 9],
      ]),
    );
    expect(list(ops.sum(dx, { axes: 0 })).every((v) => Math.abs(v) < 1e-6)).toBe(true);
    expect(() =>
      grad((x) => ops.sum(ops.batchNorm(x, gamma, beta).mean))(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toThrow('batchNorm: expected gradients at y only, received one at mean or variance');
  });

  here('goes through whole numbers nowhere', () => {
    const dx = grad((x) => ops.sum(ops.mul(ops.cast(ops.cast(x, 'int32'), 'float32'), x)))(tensor([1.5, 2.5]));
    expect(list(dx)).toEqual([1, 2]);
    expect(list(grad((x) => ops.sum(ops.mul(ops.greater(x, 2).cast('float32'), x)))(tensor([1, 3])))).toEqual([0, 1]);
  });

  here('of max shares ties, of maximum gives them to the first operand', () => {
    expect(list(grad((x) => ops.max(x))(tensor([1, 3, 3])))).toEqual([0, 0.5, 0.5]);
    const both = grad((a, b) => ops.sum(ops.maximum(a, b)), [0, 1])(tensor([1, 2]), tensor([1, 3]));
    expect(both.map(list)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  here('of a gradient', () => {
    const third = grad((x) => ops.sum(grad((y) => ops.sum(grad((z) => ops.sum(ops.pow(z, 4)))(y)))(x)));
    expect(list(third(tensor([1, 2])))).toEqual([24, 48]);
  });

  here('refuses what is no scalar loss, with the reason', () => {
    const x = tensor([1, 2]);
    expect(() => grad((t) => t)(x)).toThrow('grad: expected a scalar loss, received [2]');
    expect(() => grad((t) => ops.sum(t.cast('int32')))(x)).toThrow(
      'grad: expected a loss of dtype float32, received int32',
    );
    expect(() => grad((t) => ops.sum(t))(tensor([1, 2]).cast('int32'))).toThrow(
      'grad: expected argument 0 of dtype float32, received int32',
    );
    expect(() => grad((t) => ops.sum(t), [1])(x)).toThrow('grad: expected an argument number 1, received 1 arguments');
    expect(() => grad(() => 3 as unknown as Tensor)(x)).toThrow('to return a scalar tensor, received number');
  });

  here('of second order where none is defined says which op', () => {
    const twice = grad((x) => ops.sum(ops.square(grad((y) => ops.sum(ops.square(ops.maxPool2d(y))))(x))));
    expect(() => twice(tensor(new Float32Array(16), [1, 4, 4, 1]))).toThrow(
      'maxPool2dBackward: has no gradient; derivatives of this order are not supported',
    );
  });

  here('of a chain of 5,000 ops needs no deep stack', () => {
    const dx = grad((x) => {
      let y = x;
      for (let i = 0; i < 5000; i++) y = ops.mul(y, i % 2 === 0 ? 2 : 0.5);
      return ops.sum(y);
    })(tensor([1, 2]));
    expect(list(dx)).toEqual([1, 1]);
  });
});

describe('vjp', () => {
  here('pulls a gradient back', () => {
    const { value, pullback } = vjp((x) => ops.square(x), tensor([1, 2]));
    expect(list(value)).toEqual([1, 4]);
    expect(list(pullback(tensor([10, 100]))[0]!)).toEqual([20, 400]);
  });

  here('may be pulled back after the value was read, and again with another gradient', () => {
    const { value, pullback } = vjp((x) => ops.tanh(ops.square(x)), tensor([0.5, 1]));
    const [a, b] = list(value) as [number, number];
    const expected = [1 - a * a, 2 * (1 - b * b)];
    list(pullback(tensor([1, 1]))[0]!).forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 6));
    list(pullback(tensor([2, 3]))[0]!).forEach((v, i) => expect(v).toBeCloseTo(expected[i]! * (i + 2), 6));
  });
});

describe('customGradient', () => {
  const doubled = customGradient((x) => ({ value: ops.square(x), gradient: (dy) => ops.mul(dy, 100) }));

  here('is what was written by hand', () => {
    expect(list(doubled(tensor([3])))).toEqual([9]);
    expect(list(grad((x) => ops.sum(doubled(ops.mul(x, 2))))(tensor([1, 2])))).toEqual([200, 200]);
  });

  here('of several arguments, which may be the value itself', () => {
    const fn = customGradient((a, b) => ({ value: a, gradient: (dy) => [ops.mul(dy, 2), ops.mul(ops.sum(dy), b)] }));
    const [da, db] = grad((a, b) => ops.sum(fn(a, b)), [0, 1])(tensor([1, 2]), tensor([5]));
    expect([list(da!), list(db!)]).toEqual([[2, 2], [10]]);
  });

  here('is asked anew for every gradient that arrives', () => {
    const { pullback } = vjp((x) => doubled(x), tensor([1]));
    expect(list(pullback(tensor([1]))[0]!)).toEqual([100]);
    expect(list(pullback(tensor([2]))[0]!)).toEqual([200]);
  });

  here('has a gradient of its gradient', () => {
    const cube = customGradient((x) => ({
      value: ops.pow(x, 3),
      gradient: (dy) => ops.mul(dy, ops.mul(ops.square(x), 3)),
    }));
    const second = grad((x) => ops.sum(grad((y) => ops.sum(cube(y)))(x)));
    expect(list(second(tensor([2, 3])))).toEqual([12, 18]);
  });

  here('checks what it is given', () => {
    const wrong = customGradient((x) => ({ value: x, gradient: () => tensor([1, 2, 3]) }));
    expect(() => grad((x) => ops.sum(wrong(x)))(tensor([1]))).toThrow(
      'customGradient: expected gradient 0 of shape [1], received [3]',
    );
    const few = customGradient((a) => ({ value: a, gradient: (dy) => [dy] }));
    expect(() => grad((x) => ops.sum(few(x, x)))(tensor([1]))).toThrow(
      'customGradient: expected 2 gradients, received 1',
    );
  });
});

describe('stopGradient', () => {
  here('keeps the value and ends the gradient', () => {
    const fn = (x: Tensor): Tensor => ops.sum(ops.mul(x, ops.stopGradient(ops.square(x))));
    expect(fn(tensor([2, 3])).itemSync()).toBe(35);
    expect(list(grad(fn)(tensor([2, 3])))).toEqual([4, 9]);
    expect(list(grad((x) => ops.sum(ops.stopGradient(x)))(tensor([2])))).toEqual([0]);
  });
});

describe('valueAndGrad', () => {
  const model = (): { w: Variable; b: Variable; frozen: Variable; count: Variable } => ({
    w: new Variable(tensor([1, 2]), { name: 'w' }),
    b: new Variable(scalar(3), { name: 'b' }),
    frozen: new Variable(tensor([5, 5]), { name: 'frozen', trainable: false }),
    count: new Variable(tensor([1], undefined, { dtype: 'int32' }), { name: 'count' }),
  });

  here('differentiates by the trainable float variables that were read, in that order', () => {
    const { w, b, frozen, count } = model();
    const unread = new Variable(tensor([1]));
    const { value, grads } = valueAndGrad(() => {
      const y = ops.add(ops.mul(w.value, frozen.value), b.value);
      return ops.sum(ops.mul(y, ops.cast(count.value, 'float32')));
    });
    expect(value.itemSync()).toBe(5 + 10 + 6);
    expect([...grads.keys()]).toEqual([w, b]);
    expect(grads.has(unread)).toBe(false);
    expect([...grads.values()].map(list)).toEqual([[5, 5], [2]]);
  });

  here('differentiates by the variables named, and hands other results through', () => {
    const { w, frozen, b } = model();
    const { value, grads } = valueAndGrad(
      () => ({ loss: ops.sum(ops.mul(w.value, frozen.value)), logits: w.value, tag: 'x' }),
      [frozen, b],
    );
    expect(value.tag).toBe('x');
    expect(list(value.logits)).toEqual([1, 2]);
    expect([list(grads.get(frozen)!), list(grads.get(b)!)]).toEqual([[1, 2], [0]]);
  });

  here('a variable read twice gets one gradient', () => {
    const { w } = model();
    const { grads } = valueAndGrad(() => ops.sum(ops.mul(w.value, w.value)));
    expect(list(grads.get(w)!)).toEqual([2, 4]);
  });

  here('after an assignment outside', () => {
    const { w } = model();
    w.assign(tensor([10, 20]));
    expect(list(valueAndGrad(() => ops.sum(ops.square(w.value))).grads.get(w)!)).toEqual([20, 40]);
  });

  here('gives the same in a compiled function', () => {
    const { w, b } = model();
    const loss = (x: Tensor): Tensor => ops.mean(ops.square(ops.add(ops.mul(w.value, x), b.value)));
    const plain = valueAndGrad(() => loss(tensor([3, 4])));
    const step = compile((x: Tensor) => {
      const { value, grads } = valueAndGrad(() => loss(x));
      return { value, w: grads.get(w)!, b: grads.get(b)! };
    });
    const traced = step(tensor([3, 4]));
    expect(list(traced.value)).toEqual(list(plain.value));
    expect(list(traced.w)).toEqual(list(plain.grads.get(w)!));
    expect(list(traced.b)).toEqual(list(plain.grads.get(b)!));
  });
});
