import { describe, expect, it } from 'vitest';
import { ALIGNMENT, planArena, type ArenaLayout, type Lifetime } from '../../lib/graph/memory-planner.js';
import { forCases, type RandomValues } from '../support/random-values.js';

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** The most bytes alive at one step: no layout can take less. */
function lowerBound(lifetimes: readonly Lifetime[]): number {
  const steps = new Set(lifetimes.flatMap((l) => [l.start, l.end]));
  return Math.max(
    0,
    ...[...steps].map((t) =>
      lifetimes.reduce((sum, l) => (l.start <= t && t <= l.end ? sum + aligned(l.bytes) : sum), 0),
    ),
  );
}

function expectSound(lifetimes: readonly Lifetime[], { offsets, bytes }: ArenaLayout): void {
  expect(offsets.length).toBe(lifetimes.length);
  lifetimes.forEach((a, i) => {
    const [begin, end] = [offsets[i]!, offsets[i]! + a.bytes];
    if (!Number.isInteger(begin) || begin < 0 || begin % ALIGNMENT !== 0) expect.fail(`offset ${begin} of ${i}`);
    if (end > bytes) expect.fail(`lifetime ${i} ends at ${end} of ${bytes} bytes`);
    for (let j = 0; j < i; j++) {
      const b = lifetimes[j]!;
      const together = a.start <= b.end && b.start <= a.end;
      const overlap = begin < offsets[j]! + b.bytes && offsets[j]! < end;
      if (together && overlap) expect.fail(`${JSON.stringify([a, b])} overlap at ${offsets[i]} and ${offsets[j]}`);
    }
  });
  expect(bytes).toBeGreaterThanOrEqual(lowerBound(lifetimes));
}

function randomLifetimes(r: RandomValues): Lifetime[] {
  const steps = r.integer(1, 60);
  return Array.from({ length: r.integer(0, 80) }, () => {
    const start = r.integer(0, steps);
    const length = r.chance(0.7) ? r.integer(0, 3) : r.integer(0, steps - start);
    const bytes = r.pick([0, 4, 64, 65, r.integer(1, 5000), 2 ** r.integer(6, 20)]);
    return { bytes, start, end: start + length };
  });
}

/**
 * A training step: activations live until their own backward step, gradients until the next, kernels' gradients until
 * the update at the end; widths change as in a CNN.
 */
function randomNetwork(r: RandomValues): Lifetime[] {
  const layers = r.integer(2, 40);
  const last = 2 * layers + 1;
  let bytes = 2 ** r.integer(14, 20);
  const lifetimes: Lifetime[] = [];
  for (let i = 0; i < layers; i++) {
    if (r.chance(0.3)) bytes = Math.max(256, bytes / r.pick([2, 4]));
    if (r.chance(0.2)) bytes *= 2;
    const backward = last - i;
    lifetimes.push({ bytes, start: i, end: backward });
    if (r.chance()) lifetimes.push({ bytes, start: i, end: i + 1 }); // before the activation
    lifetimes.push({ bytes, start: backward - 1, end: backward });
    lifetimes.push({ bytes: r.integer(100, 100_000), start: backward, end: last + 1 });
    if (r.chance(0.2) && i + 3 < layers) lifetimes.push({ bytes, start: i, end: i + 3 }); // a shortcut
  }
  return lifetimes;
}

describe('planArena', () => {
  it('never lets blocks overlap that live together, and aligns them', async () => {
    await forCases('planner', 400, (r) => {
      const lifetimes = randomLifetimes(r);
      expectSound(lifetimes, planArena(lifetimes));
    });
  });

  it('takes at most 1.3 times the lower bound for networks, and 1.05 times on average', async () => {
    const ratios: number[] = [];
    await forCases('planner networks', 150, (r) => {
      const lifetimes = randomNetwork(r);
      const layout = planArena(lifetimes);
      expectSound(lifetimes, layout);
      ratios.push(layout.bytes / lowerBound(lifetimes));
      expect(ratios.at(-1)).toBeLessThanOrEqual(1.3);
    });
    expect(ratios.reduce((sum, x) => sum + x, 0) / ratios.length).toBeLessThan(1.05);
  });

  it('is exact where that is easy', () => {
    expect(planArena([])).toEqual({ offsets: [], bytes: 0 });
    expect(planArena([{ bytes: 1, start: 0, end: 0 }])).toEqual({ offsets: [0], bytes: ALIGNMENT });
    // Both ends of a lifetime are included: neighbours that share a step do not share a place.
    const chain = [0, 1, 2, 3].map((i) => ({ bytes: 100, start: i, end: i + 1 }));
    expect(planArena(chain).bytes).toBe(256);
    expect(planArena([0, 2, 4].map((i) => ({ bytes: 100, start: i, end: i + 1 }))).bytes).toBe(128);
  });

  it('gives the same layout for the same lifetimes', async () => {
    await forCases('planner repeats', 20, (r) => {
      const lifetimes = randomLifetimes(r);
      expect(planArena(lifetimes)).toEqual(planArena(structuredClone(lifetimes)));
    });
  });

  it('plans two thousand lifetimes in well under a second', () => {
    const lifetimes = Array.from({ length: 2000 }, (_, i) => ({ bytes: 64 * (1 + (i % 37)), start: i, end: i + 5 }));
    const start = performance.now();
    expectSound(lifetimes.slice(0, 300), planArena(lifetimes.slice(0, 300)));
    planArena(lifetimes);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
