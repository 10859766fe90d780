import { describe, expect, it } from 'vitest';
import { matchWeights } from '../../lib/weights/match.js';
import { messageOf } from '../support/message-of.js';

const targets = new Map([
  ['a/kernel', { shape: [2, 3] }],
  ['a/bias', { shape: [3] }],
  ['b/kernel', { shape: [3, 4] }],
]);
const tensors = (shapes: Record<string, number[]>): Map<string, { shape: number[]; dtype: string }> =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: 'float32' }]));

describe('matchWeights', () => {
  it('by name, whatever the order', () => {
    const { pairs, report } = matchWeights(targets, tensors({ 'b/kernel': [3, 4], 'a/bias': [3], 'a/kernel': [2, 3] }));
    expect(pairs.map(({ name, source }) => [name, source])).toEqual([...targets.keys()].map((n) => [n, n]));
    expect(report).toEqual({ matched: [...targets.keys()], missing: [], unexpected: [], mismatched: [] });
  });

  it('by order, whatever the names', () => {
    const { pairs } = matchWeights(targets, tensors({ x: [2, 3], y: [3], z: [3, 4] }), { by: 'order' });
    expect(pairs.map(({ name, source }) => [name, source])).toEqual([
      ['a/kernel', 'x'],
      ['a/bias', 'y'],
      ['b/kernel', 'z'],
    ]);
  });

  it('renames what the file has', () => {
    const found = tensors({ 'net.a.kernel': [2, 3], 'net.a.bias': [3], 'net.b.kernel': [3, 4] });
    const rename = (name: string): string => name.replace('net.', '').replace('.', '/');
    expect(matchWeights(targets, found, { rename }).pairs.map((p) => p.source)).toEqual([...found.keys()]);
    expect(messageOf(() => matchWeights(targets, found, { rename: () => 'one' }))).toContain(
      'received "one" for "net.a.kernel" and "net.a.bias"',
    );
  });

  it('refuses with everything that has no partner', () => {
    const found = tensors({ 'a/kernel': [2, 4], 'a/bias': [3], extra: [1] });
    const message = messageOf(() => matchWeights(targets, found, { file: 'w.h5', model: 'net' }));
    expect(message).toBe(
      [
        'w.h5 does not fit model "net":',
        'b/kernel [3,4]: not in the file',
        'a/kernel: expected [2,3], received [2,4]',
        'extra [1]: not in the model',
      ].join('\n  '),
    );
  });

  it('lists twenty at most, and counts the rest', () => {
    const found = tensors(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`t${i}`, [1]])));
    const message = messageOf(() => matchWeights(targets, found));
    expect(message).toContain('3 weights in the model, 30 tensors in the file');
    expect(message.split('\n').length).toBe(22);
    expect(message).toContain('and 13 more');
  });

  it('reports instead when not strict, and skips other shapes when told to', () => {
    const found = tensors({ 'a/kernel': [2, 4], 'a/bias': [3], extra: [1] });
    const { pairs, report } = matchWeights(targets, found, { strict: false });
    expect(pairs.map((p) => p.name)).toEqual(['a/bias']);
    expect(report).toEqual({
      matched: ['a/bias'],
      missing: ['b/kernel'],
      unexpected: ['extra'],
      mismatched: [{ name: 'a/kernel', expected: [2, 3], received: [2, 4] }],
    });
    expect(messageOf(() => matchWeights(targets, found, { skipMismatch: true }))).not.toContain('a/kernel');
    const whole = tensors({ 'a/kernel': [2, 4], 'a/bias': [3], 'b/kernel': [3, 4] });
    expect(matchWeights(targets, whole, { skipMismatch: true }).report.mismatched.length).toBe(1);
  });

  it('a model without weights is told to be built first', () => {
    expect(messageOf(() => matchWeights(new Map(), tensors({ a: [1] })))).toContain('before it is built');
  });
});
