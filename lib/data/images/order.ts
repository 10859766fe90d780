import { HostRandom } from '../../random/philox.js';

/** How a list of examples is put in order before it is split. */
export interface OrderOptions {
  /** Fixes the order. */
  readonly seed: number;
  /** Whether examples are shuffled at all; else they stay in the order of their names. */
  readonly shuffle: boolean;
  /** Whether every part of the list has the classes in the same proportions. */
  readonly stratified: boolean;
}

/** Fisher and Yates' shuffle, in place. */
function shuffleInPlace(items: number[], random: HostRandom): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    const item = items[i] as number;
    items[i] = items[j] as number;
    items[j] = item;
  }
}

/**
 * The order in which examples come, the same for the same list and seed.
 *
 * Stratified means: example k of a class with n examples stands at place (k + 1/2) / n, so any slice of the list, however
 * it is cut, has its share of each class to within one example.
 *
 * @param labels - the class of each example
 * @returns indices of examples
 */
export function orderOf(labels: readonly number[], { seed, shuffle, stratified }: OrderOptions): number[] {
  const order = Array.from(labels.keys());
  if (shuffle) shuffleInPlace(order, new HostRandom(seed));
  if (!stratified) return order;
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const seen = new Map<number, number>();
  const placed = order.map((index) => {
    const label = labels[index] as number;
    const k = seen.get(label) ?? 0;
    seen.set(label, k + 1);
    return { index, at: (k + 0.5) / (counts.get(label) as number) };
  });
  // Sorting is stable: examples of the same place stay in shuffled order.
  return placed.sort((a, b) => a.at - b.at).map(({ index }) => index);
}
