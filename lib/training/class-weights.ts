import { formatShape, hostTensor, isHostTensor, type HostTensor } from '../data/host-tensor.js';
import { FoveaError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { readHost } from './data-host.js';

/**
 * One weight a sample from weights of classes, times the sample weights that were given. Targets are class numbers, `[n]`
 * or `[n,1]`, or one-hot rows, `[n,classes]`. Classes that are not listed weigh 1.
 */
export async function classWeights(
  op: string,
  y: unknown,
  sampleWeight: unknown,
  weights: Readonly<Record<number, number>>,
): Promise<HostTensor> {
  const targets = await hostOf(op, 'y', y);
  const given = sampleWeight === undefined ? undefined : await hostOf(op, 'sampleWeight', sampleWeight);
  const [count = 0, ...rest] = targets.shape;
  const width = rest.reduce((product, d) => product * d, 1);
  if (rest.length > 1) {
    throw new FoveaError(
      `${op}: expected targets of rank 1 or 2 for classWeight, received shape ${formatShape(targets.shape)}`,
      {
        code: 'ERR_SHAPE',
        op,
      },
    );
  }
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const label = width === 1 ? targets.data[i]! : argMax(targets.data.subarray(i * width, (i + 1) * width));
    out[i] = (weights[label] ?? 1) * (given?.data[i] ?? 1);
  }
  return hostTensor(out);
}

async function hostOf(op: string, name: string, value: unknown): Promise<HostTensor> {
  if (isHostTensor(value)) return value;
  if (value instanceof Tensor) return readHost(value);
  throw new FoveaError(`${op}: expected one tensor as ${name} when classWeight is given, received several`, { op });
}

function argMax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
