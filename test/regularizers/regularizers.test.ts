import { describe, expect, it } from 'vitest';
import { valueAndGrad } from '../../lib/autograd/grad.js';
import * as regularizers from '../../lib/regularizers/index.js';
import { tensor } from '../../lib/tensor/create.js';
import { Variable } from '../../lib/tensor/variable.js';
import { describeEachDevice } from '../support/each-device.js';

describeEachDevice('regularizers', () => {
  it.each<[string, regularizers.Regularizer, number, number[]]>([
    ['l1', regularizers.l1(0.5), 0.5 * 6, [0.5, -0.5, 0.5]],
    ['l2', regularizers.l2(0.5), 0.5 * 14, [1, -2, 3]],
    ['l1l2', regularizers.l1l2({ l1: 1, l2: 0.5 }), 6 + 7, [2, -3, 4]],
    ['nothing', regularizers.l1l2(), 0, [0, 0, 0]],
    ['the default l2', regularizers.get('l2'), 0.14, [0.02, -0.04, 0.06]],
    ['the default l1', regularizers.get('L1'), 0.06, [0.01, -0.01, 0.01]],
  ])('%s is its formula', (_, regularizer, expected, slope) => {
    const w = new Variable(tensor([1, -2, 3]));
    const { value, grads } = valueAndGrad(() => regularizer.call(w.value));
    expect(value.shape).toEqual([]);
    expect(value.itemSync()).toBeCloseTo(expected, 5);
    slope.forEach((g, i) => expect(grads.get(w)!.dataSync()[i]).toBeCloseTo(g, 6));
  });
});

describe('regularizer configurations', () => {
  it('survive a round trip', () => {
    for (const made of [regularizers.l1(0.25), regularizers.l2(0.5), regularizers.l1l2({ l1: 1, l2: 2 })]) {
      const again = regularizers.get(JSON.parse(JSON.stringify(regularizers.serialize(made))) as never);
      expect(again.className).toBe(made.className);
      expect(again.getConfig()).toEqual(made.getConfig());
    }
    expect(regularizers.l2(0.5).getConfig()).toEqual({ l2: 0.5 });
    expect(regularizers.get({ class_name: 'L1L2', config: { l1: 0.5, l2: 0.25 } }).getConfig()).toEqual({
      l1: 0.5,
      l2: 0.25,
    });
    expect(regularizers.get(null)).toBeNull();
  });

  it('refuse nonsense', () => {
    expect(() => regularizers.l2(NaN)).toThrow('l2: expected l2 to be a finite number of at least 0, received NaN');
    expect(() => regularizers.get({ className: 'L2', config: { l1: 1 } })).toThrow(
      'l2: unknown option l1; expected l2',
    );
    expect(() => regularizers.get('l3')).toThrow('regularizer: unknown name l3; there are: L1, L2, L1L2');
  });
});
