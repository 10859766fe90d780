import { describe, expect, test } from 'vitest';
import { augment, centreCrop, colourComponents } from '../../examples/recipes/augment.js';
import { random, type Example } from '../../examples/recipes/support.js';
import { data } from '../../lib/index.js';

/** An image whose red says the row, green the column, blue is 0. */
function places(height: number, width: number): Example {
  const pixels = new Float32Array(height * width * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set([y, x, 0], 3 * (y * width + x));
  return [data.hostTensor(pixels, [height, width, 3]), data.hostTensor(Int32Array.of(3), [])];
}

const still = { variances: [0, 0, 0], directions: [] as number[][] };

describe("AlexNet's augmentation", () => {
  test('windows are whole, lie everywhere, and half of them are mirrored', () => {
    const cut = augment(4, { ...still, directions: [0, 1, 2].map(() => [1, 0, 0]) }, random(1));
    const corners = new Map<string, number>();
    let mirrored = 0;
    for (let i = 0; i < 600; i++) {
      const [image, label] = cut(places(6, 7));
      expect(image.shape).toEqual([4, 4, 3]);
      expect(label.data[0]).toBe(3);
      const at = (y: number, x: number): number[] => [...image.data.slice(3 * (4 * y + x), 3 * (4 * y + x) + 3)];
      const [top, left] = at(0, 0) as [number, number];
      const step = at(0, 1)[1]! - left;
      expect(Math.abs(step)).toBe(1);
      expect(at(3, 3)).toEqual([top + 3, left + 3 * step, 0]);
      if (step < 0) mirrored++;
      const corner = `${top},${Math.min(left, left + 3 * step)}`;
      corners.set(corner, (corners.get(corner) ?? 0) + 1);
    }
    expect(corners.size).toBe(3 * 4);
    expect(Math.min(...corners.values())).toBeGreaterThan(25);
    expect(mirrored).toBeGreaterThan(250);
    expect(mirrored).toBeLessThan(350);
  });

  test('the crop for testing is the one in the middle', () => {
    const [image] = centreCrop(2)(places(6, 8));
    expect([...image.data]).toEqual([2, 3, 0, 2, 4, 0, 3, 3, 0, 3, 4, 0]);
  });

  test('colours: components of the pixels, and shifts of their size, one for a whole image', async () => {
    // Along (2, 1, 2) / 3 with deviation 3, along (1, -2, 0) / sqrt 5 with deviation 1.
    const next = random(5);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    const pixels = new Float32Array(20 * 30 * 30 * 3);
    for (let at = 0; at < pixels.length; at += 3) {
      const [a, b] = [3 * normal(), normal() / Math.sqrt(5)];
      pixels.set([1 + (2 * a) / 3 + b, a / 3 - 2 * b, (2 * a) / 3], at);
    }
    const images = data.fromArrays({ data: pixels, shape: [20, 30, 30, 3] }, { data: new Int32Array(20), shape: [20] });
    const found = await colourComponents(images);
    const order = [0, 1, 2].sort((i, j) => found.variances[j]! - found.variances[i]!);
    const [first, second, third] = order.map((i) => ({ variance: found.variances[i]!, along: found.directions[i]! }));
    expect(first!.variance).toBeCloseTo(9, 0);
    expect(second!.variance).toBeCloseTo(1, 1);
    expect(third!.variance).toBeLessThan(1e-3);
    const close = (along: readonly number[], to: readonly number[]): void => {
      expect(Math.abs(along.reduce((sum, value, i) => sum + value * to[i]!, 0))).toBeCloseTo(1, 3);
    };
    close(first!.along, [2 / 3, 1 / 3, 2 / 3]);
    close(second!.along, [1 / Math.sqrt(5), -2 / Math.sqrt(5), 0]);

    const shifted = augment(2, found, random(9));
    const black: Example = [data.hostTensor(new Float32Array(12), [2, 2, 3]), data.hostTensor(Int32Array.of(0), [])];
    let squares = 0;
    for (let i = 0; i < 2000; i++) {
      const [image] = shifted(black);
      const colour = [...image.data.slice(0, 3)];
      expect([...image.data]).toEqual([...colour, ...colour, ...colour, ...colour]);
      squares += colour.reduce((sum, value, c) => sum + value * first!.along[c]!, 0) ** 2;
    }
    expect(Math.sqrt(squares / 2000)).toBeGreaterThan(0.28);
    expect(Math.sqrt(squares / 2000)).toBeLessThan(0.32);
  });
});
