/** Buckets of TensorBoard's histograms unless told. */
export const BUCKETS = 30;

/**
 * Buckets as `tf.summary.histogram` makes them: `[left, right, count]` each, of one width from the least to the greatest
 * value. Values that are all the same are in the last bucket, and all have no width; of no values all are zero. Values that
 * are not finite, which have no place, are left out.
 *
 * Source: tensorboard/plugins/histogram/summary_v2.py.
 */
export function histogramBuckets(data: ArrayLike<number>, count = BUCKETS): number[][] {
  let [least, most, finite] = [Infinity, -Infinity, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (!Number.isFinite(value)) continue;
    finite++;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (finite === 0) return Array.from({ length: count }, () => [0, 0, 0]);
  const range = most - least;
  if (range === 0) return Array.from({ length: count }, (_, i) => [least, most, i === count - 1 ? finite : 0]);
  const width = range / count;
  const counts = new Array<number>(count).fill(0);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isFinite(value)) counts[Math.min(count - 1, Math.floor((value - least) / width))]!++;
  }
  const edge = (i: number): number => (i === count ? most : least + i * width);
  return counts.map((n, i) => [edge(i), edge(i + 1), n]);
}
