import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { setRandomSeed } from '../../lib/index.js';
import { scores, sgd, smallCnn, spots } from './support.js';

test('a profile of predictions says where the time goes, and changes nothing', async () => {
  setRandomSeed(3);
  const model = smallCnn();
  const { x } = spots(8);
  const before = await model.getWeights();
  const lines: string[] = [];
  const steps = await model.profile(x, { runs: 2, printFn: (line) => lines.push(line) });
  expect(await model.getWeights()).toEqual(before);

  const conv = steps.find((step) => step.kernel === 'conv2d')!;
  expect(conv.layer).toBe('conv');
  expect(conv.flops).toBeGreaterThan(0);
  expect(conv.bytes).toBeGreaterThan(0);
  expect(steps.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  expect(steps.some((step) => step.kernel.includes('Backward'))).toBe(false);
  expect(lines[0]!.split(/ {2,}/)).toEqual(['layer', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s']);
  expect(lines.some((line) => line.includes(conv.layer))).toBe(true);
  expect(lines.at(-1)).toMatch(new RegExp(`^total .* ms in ${steps.length} steps$`));
});

test('with targets it is one of training steps, and a trace can be written', async () => {
  setRandomSeed(3);
  const model = smallCnn();
  const { x, y } = spots(8);
  await expect(model.profile(x, { y })).rejects.toThrow(/compile/);
  model.compile({ optimizer: sgd(), loss: scores() });
  const folder = await mkdtemp(path.join(tmpdir(), 'fovea-profile-'));
  try {
    const trace = path.join(folder, 'trace.json');
    const steps = await model.profile(x, { y, runs: 1, trace, printFn: () => undefined });
    expect(steps.some((step) => step.kernel === 'conv2dBackwardKernel')).toBe(true);
    const { traceEvents } = JSON.parse(await readFile(trace, 'utf8')) as {
      traceEvents: { ph: string; name: string }[];
    };
    expect(traceEvents.filter(({ ph }) => ph === 'X').map(({ name }) => name)).toEqual(steps.map((s) => s.kernel));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await expect(model.profile(x, { runs: 0 })).rejects.toThrow(/profile.*runs.*0/s);
});
