import { describe, expect, test } from 'vitest';
import type { PlanDescription } from '../../../lib/backends/backend.js';
import { createReferenceBackend } from '../../../lib/backends/reference/index.js';
import type { DType } from '../../../lib/tensor/dtype.js';
import { addConstant, arena, external, planOf, slot, step } from './plans.js';

const backend = createReferenceBackend();

function expectRefused(plan: PlanDescription, message: RegExp, details: object = {}): void {
  expect(() => backend.preparePlan(plan)).toThrow(
    expect.objectContaining({
      name: 'FoveaError',
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(message) as string,
      ...details,
    }),
  );
}

/** Externals a and b of 4, arena storages of 128 bytes at 0 and 128, and one at 64 that overlaps both. */
const STORAGES = [external(0), external(1), arena(0, 128), arena(128, 128), arena(64, 128)];
const SLOTS = [0, 1, 2, 3, 4].map((storage) => slot(storage, [4]));

const part = (index: number, first: number, size: number): PlanDescription['storages'][number] => ({
  kind: 'external',
  index,
  first,
  size,
});

function plan(...steps: ReturnType<typeof step>[]): PlanDescription {
  return planOf([4, 4], STORAGES, SLOTS, steps, 256);
}

const copy = (from: number, to: number): ReturnType<typeof step> => step('copy', {}, [from], [to]);

describe('storages and slots', () => {
  test.each<[string, Partial<PlanDescription>, RegExp]>([
    ['an external that is not there', { storages: [external(2)] }, /storage 0 on one of 2 externals/],
    ['an external of no number', { storages: [external(-1)] }, /storage 0/],
    ['a part past its external', { storages: [part(0, 0, 5)] }, /storage 0 within an external of 4 elements/],
    ['a part before it', { storages: [part(0, -16, 4)] }, /storage 0 within an external/],
    ['a part of no number', { storages: [part(0, 0, NaN)] }, /storage 0 within an external/],
    ['a part off the lines', { storages: [part(0, 1, 2)] }, /storage 0 from an element at a multiple of 64 bytes/],
    ['a slot unlike its part', { storages: [part(0, 0, 3), ...STORAGES.slice(1)] }, /slot 0 of 3 elements/],
    ['a storage that leaves the arena', { storages: [arena(192, 65)] }, /storage 0 within an arena of 256 bytes/],
    ['a negative offset', { storages: [arena(-64, 8)] }, /storage 0 within/],
    ['an offset that is not aligned', { storages: [arena(8, 8)] }, /storage 0 at a multiple of 64/],
    ['a size of no number', { storages: [arena(0, NaN)] }, /storage 0/],
    ['an arena of no size', { arenaBytes: -1 }, /arenaBytes/],
    ['a slot without storage', { slots: [slot(9, [4])] }, /slot 0 on one of 5 storages/],
    ['a slot of an unknown dtype', { slots: [slot(0, [4], 'float8' as DType)] }, /slot 0 of a known dtype/],
    ['a slot with a negative dimension', { slots: [slot(2, [-4])] }, /slot 0 with a shape/],
    ['a slot larger than its arena storage', { slots: [slot(2, [33])] }, /slot 0 of at most 128 bytes/],
    ['a slot of wider elements than fit', { slots: [slot(2, [17], 'float64')] }, /slot 0 of at most 128 bytes/],
    ['a slot of another size than its external', { slots: [slot(0, [3])] }, /slot 0 of 4 elements of float32/],
    ['a slot of another dtype than its external', { slots: [slot(0, [4], 'int32')] }, /slot 0 of 4 elements/],
    ['an external of no size', { externals: [{ dtype: 'float32', size: 1.5 }] }, /external 0/],
    ['an external of an unknown dtype', { externals: [{ dtype: 'f32' as DType, size: 4 }] }, /external 0/],
  ])('%s', (_, change, message) => {
    expectRefused({ ...plan(), ...change }, message, { op: 'plan' });
  });

  test('what is sound is taken', () => {
    expect(() => backend.preparePlan(plan())).not.toThrow();
    expect(() => backend.preparePlan({ ...plan(), slots: [slot(0, [2, 2]), slot(2, [2], 'float64')] })).not.toThrow();
  });
});

describe('steps', () => {
  test('an unknown kernel', () => {
    expect(() => backend.preparePlan(plan(step('fft', {}, [0], [1])))).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED', op: 'fftOp', layer: 'block/layer' }),
    );
    expect(() => backend.preparePlan(plan(step('constructor', {}, [0], [1])))).toThrow(/constructor/);
  });

  test('a slot that is not there', () => {
    expectRefused(plan(copy(9, 1)), /slot 9/, { op: 'copyOp' });
    expectRefused(plan(copy(0, -1)), /slot -1/, { op: 'copyOp' });
  });

  test('operands and attributes that break the contract name op and layer, before anything runs', () => {
    const details = { op: 'reduceOp', layer: 'block/layer' };
    expectRefused(
      plan(copy(0, 1), step('reduce', { mode: 'median', axes: [0] }, [0], [1])),
      /mode.*'sum'.*median/,
      details,
    );
    expectRefused(plan(step('reduce', { axes: [0] }, [0], [1])), /mode.*none/, details);
    expectRefused(plan(step('reduce', { mode: 'sum', axes: [0] }, [0, 0], [1])), /1 inputs, received 2/, details);
    expectRefused(plan(step('reduce', { mode: 'sum', axes: [0] }, [0], [])), /1 outputs, received 0/, details);
    expectRefused(plan(step('reduce', { mode: 'sum', axes: 'all' }, [0], [1])), /axes.*list of numbers/, details);
  });
});

describe('sharing memory', () => {
  const add = (from: number, to: number): ReturnType<typeof step> => step('elementwise', addConstant(1), [from], [to]);

  test('in place where the kernel allows it', () => {
    expect(() => backend.preparePlan(plan(copy(0, 2), add(2, 2), add(1, 1)))).not.toThrow();
  });

  test('not where it does not', () => {
    expectRefused(plan(copy(0, 0)), /apart from the inputs/, { op: 'copyOp' });
    expectRefused(plan(copy(0, 2), step('softmax', {}, [2], [2])), /apart from the inputs/);
  });

  test('not in another size or dtype', () => {
    const slots = [...SLOTS, slot(2, [1, 4]), slot(2, [4], 'int32')];
    expect(() =>
      backend.preparePlan({ ...plan(copy(0, 2), step('elementwise', addConstant(1), [2], [5])), slots }),
    ).not.toThrow();
    expectRefused({ ...plan(copy(0, 2), step('elementwise', addConstant(1), [2], [6])), slots }, /size and dtype/);
  });

  test('any output', () => {
    const two = { ...addConstant(1), results: [2, 2] };
    expect(() => backend.preparePlan(plan(copy(0, 2), step('elementwise', two, [2], [3, 2])))).not.toThrow();
    expect(() => backend.preparePlan(plan(copy(0, 2), step('elementwise', two, [2], [2, 3])))).not.toThrow();
  });

  test('not half over an input, not two outputs on one another', () => {
    expectRefused(plan(copy(0, 2), add(2, 4)), /size and dtype/);
    const two = { ...addConstant(1), results: [2, 2] };
    expectRefused(plan(step('elementwise', two, [0], [2, 4])), /share no memory/);
    expectRefused(plan(step('elementwise', two, [0], [1, 1])), /share no memory/);
  });

  test('two storages on one external are the same', () => {
    const twice = planOf([4], [external(0), external(0)], [slot(0, [4]), slot(1, [4])], [step('copy', {}, [0], [1])]);
    expectRefused(twice, /apart from the inputs/);
  });
});

describe('the arena', () => {
  test('a value is written before it is read', () => {
    expectRefused(plan(copy(2, 0)), /arena storage 2.*none/, { op: 'copyOp' });
  });

  test('a value that another storage overwrote is gone', () => {
    expectRefused(plan(copy(0, 2), copy(1, 4), copy(2, 1)), /arena storage 2.*overwrote/);
    expect(() => backend.preparePlan(plan(copy(0, 2), copy(2, 1), copy(1, 4), copy(4, 0)))).not.toThrow();
    expect(() => backend.preparePlan(plan(copy(0, 2), copy(1, 3), copy(2, 1), copy(3, 0)))).not.toThrow();
  });

  test('a value is read in the dtype and size it was written in', () => {
    const slots = [...SLOTS, slot(2, [4], 'int32'), slot(2, [2]), slot(2, [2, 2]), slot(1, [2, 2])];
    expectRefused({ ...plan(copy(0, 2), step('oneHot', {}, [5], [1])), slots }, /oneHotOp/);
    const cast = { ...addConstant(0), results: [0] };
    expectRefused({ ...plan(copy(0, 2), step('elementwise', cast, [5], [1])), slots }, /view of float32 \[4\]/);
    expectRefused({ ...plan(copy(0, 2), step('reduce', { mode: 'sum', axes: [] }, [6], [3])), slots }, /\[2\]/);
    expect(() => backend.preparePlan({ ...plan(copy(0, 2), copy(7, 8)), slots })).not.toThrow();
  });
});
