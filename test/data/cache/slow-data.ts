import { Dataset } from '../../../lib/data/dataset.js';
import { hostTensor, type HostTensor } from '../../../lib/data/host-tensor.js';

/** 200 tensors of 1,000 numbers, cached in a folder; `made` is called for each that is made anew. */
export function recorded(folder: string, made: () => unknown): Dataset<HostTensor> {
  const calls = { made };
  return Dataset.fromArrays(Int32Array.from({ length: 200 }, (_, i) => i))
    .map(async ({ data: [value] }) => {
      await calls.made();
      return hostTensor(new Float32Array(1000).fill(value! / 7));
    })
    .cache(folder);
}
