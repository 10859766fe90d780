import { describe, expect, it } from 'vitest';
import { Layer, layers, Model, ops, zeros, type Tensor, type Variable } from '../../../lib/index.js';
import { savedVariables } from '../../../lib/weights/keras/saving-paths.js';

const dense = (): Layer => layers.dense({ units: 3 });

/** Layers in fields, lists, lists in lists and records; one of them in two fields. */
class Block extends Layer {
  readonly convOne = dense();
  readonly stack = [dense(), [dense(), dense()], dense()] as const;
  readonly named = { b: dense(), a: dense() };
  readonly _private = dense();
  readonly again = this.convOne;
  w!: Variable;

  override build(): void {
    this.addWeight({ name: 'f', shape: [2], trainable: false });
    this.w = this.addWeight({ name: 'w', shape: [3] });
  }

  call(x: Tensor): Tensor {
    const [first, [second, third], fourth] = this.stack;
    const all = [this.convOne, first, second, third, fourth, this.named.b, this.named.a, this._private];
    return ops.mul(
      all.reduce((y, layer) => layer.apply(y), x),
      this.w.value,
    );
  }
}

class Net extends Model {
  readonly stem = dense();
  readonly body = new Block();
  readonly head = layers.dense({ units: 2 });

  override call(x: Tensor): Tensor {
    return this.head.apply(this.body.apply(this.stem.apply(x)));
  }
}

describe('savedVariables', () => {
  it('has the paths that Keras 3.15.1 wrote for the same classes in Python', () => {
    const net = new Net();
    net.apply(zeros([1, 3]));
    const paths = Object.fromEntries([...savedVariables(net)].map(([path, { shape }]) => [path, shape]));
    // The fields of a subclassed model are visited by name, its list of layers among them: `stem` comes behind `layers`.
    expect(paths).toEqual({
      ...{ 'body/vars/0': [3], 'body/vars/1': [2] },
      ...{ 'body/again/vars/0': [3, 3], 'body/again/vars/1': [3] },
      ...{ 'body/named/dense/vars/0': [3, 3], 'body/named/dense/vars/1': [3] },
      ...{ 'body/named/dense_1/vars/0': [3, 3], 'body/named/dense_1/vars/1': [3] },
      ...{ 'body/stack/container/dense/vars/0': [3, 3], 'body/stack/container/dense/vars/1': [3] },
      ...{ 'body/stack/container/dense_1/vars/0': [3, 3], 'body/stack/container/dense_1/vars/1': [3] },
      ...{ 'body/stack/dense/vars/0': [3, 3], 'body/stack/dense/vars/1': [3] },
      ...{ 'body/stack/dense_1/vars/0': [3, 3], 'body/stack/dense_1/vars/1': [3] },
      ...{ 'body/_private/vars/0': [3, 3], 'body/_private/vars/1': [3] },
      ...{ 'head/vars/0': [3, 2], 'head/vars/1': [2] },
      ...{ 'layers/dense/vars/0': [3, 3], 'layers/dense/vars/1': [3] },
    });
    const order = [...savedVariables(net).values()];
    expect(order.indexOf(net.body.w)).toBeGreaterThanOrEqual(0);
    // The record's first is `b`.
    expect(savedVariables(net).get('body/named/dense/vars/0')).toBe(net.body.named.b.weights[0]);
  });
});
