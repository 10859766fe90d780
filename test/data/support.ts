import { Dataset } from '../../lib/data/dataset.js';
import type { HostTensor } from '../../lib/data/host-tensor.js';

/** The int32 scalars 0 .. n-1. */
export function range(n: number): Dataset<HostTensor> {
  return Dataset.fromArrays(Int32Array.from({ length: n }, (_, i) => i));
}

/** The numbers of a dataset of scalars. */
export async function numbers(data: AsyncIterable<HostTensor>): Promise<number[]> {
  const all: number[] = [];
  for await (const item of data) all.push(item.data[0] as number);
  return all;
}
