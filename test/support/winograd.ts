import { expect } from 'vitest';
import { compile, devices, grad, ops, withDevice, type Tensor } from '../../lib/index.js';

export interface WinogradCase {
  readonly size: number;
  readonly strides: number;
  readonly image: readonly number[];
  readonly filters: number;
  /** Of the gradient by the kernel, or of the two other directions. */
  readonly byKernel: boolean;
}

const vectors = devices().present.find(({ name }) => name === 'cpu')?.capabilities ?? [];

/** Convolutions on the CPU are as the reference's, within 2e-5 of the largest value, and by the implementation `own`. */
export async function expectWinograd(options: WinogradCase, own: string): Promise<void> {
  const { size, strides, image, filters } = options;
  const run = (device: string): Promise<{ values: number[][]; implementations: string[] }> =>
    withDevice(device, async () => {
      const x = ops.randomNormal([...image], 1);
      const kernel = ops.mul(ops.randomNormal([size, size, image[3]!, filters], 2), 0.1);
      const bias = ops.randomNormal([filters], 3);
      const dy = ops.randomNormal([image[0]!, image[1]! / strides, image[2]! / strides, filters], 4);
      const conv = { strides, padding: 'same' } as const;
      const forward = compile((a: Tensor, k: Tensor, b: Tensor) => ops.relu(ops.conv2d(a, k, { ...conv, bias: b })));
      const byInput = compile((_: Tensor, k: Tensor, __: Tensor, d: Tensor) => ops.conv2dTranspose(d, k, conv));
      const byKernel = compile((a: Tensor, k: Tensor, _: Tensor, d: Tensor) =>
        grad((w: Tensor) => ops.sum(ops.mul(ops.conv2d(a, w, conv), d)))(k),
      );
      const values: number[][] = [];
      const implementations: string[] = [];
      for (const f of options.byKernel ? [byKernel] : [forward, byInput]) {
        values.push(Array.from(await f(x, kernel, bias, dy).data(), Number));
        const steps = await f.profile(x, kernel, bias, dy);
        implementations.push(...steps.filter((s) => s.kernel.startsWith('conv2d')).map((s) => s.implementation));
      }
      for (const f of [forward, byInput, byKernel]) f.dispose();
      return { values, implementations };
    });
  const [mine, exact] = [await run('cpu'), await run('reference')];
  // Processors without AVX2 compute otherwise, and as rightly.
  if (vectors.some((name) => name.startsWith('avx'))) {
    const names = mine.implementations.map((name) => name.replace(' in shares', ''));
    expect(names).toEqual(options.byKernel ? [own] : [own, own]);
  }
  mine.values.forEach((values, i) => {
    const largest = exact.values[i]!.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const off = values.reduce((m, v, j) => Math.max(m, Math.abs(v - exact.values[i]![j]!)), 0);
    expect(off / largest).toBeLessThan(2e-5);
  });
}
