import { mismatch } from '../errors.js';
import { randomNormal } from '../ops/random.js';
import { tensor } from '../tensor/create.js';
import { formatShape, sizeOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { initializerRegistry, RandomInitializer, type SeedOptions } from './initializer.js';

export interface OrthogonalOptions extends SeedOptions {
  gain?: number;
}

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`; kernels count as
 * [everything else, out] (Saxe, McClelland, Ganguli 2013, "Exact solutions to the nonlinear dynamics of learning").
 */
export class Orthogonal extends RandomInitializer<OrthogonalOptions> {
  readonly className = 'Orthogonal';
  readonly #gain: number;

  constructor(options: OrthogonalOptions = {}) {
    super('orthogonal', options);
    this.#gain = this.args.number('gain', 1);
    this.args.done();
  }

  protected draw(shape: Shape, seed: number): Tensor {
    if (shape.length < 2) {
      throw mismatch('ERR_SHAPE', { op: this.args.owner }, 'a shape of at least two dimensions', formatShape(shape));
    }
    const columns = shape.at(-1)!;
    const rows = sizeOf(shape.slice(0, -1));
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
    using normal = randomNormal([short, long], seed);
    const vectors = orthonormalize(Float64Array.from(normal.dataSync()), short, long);
    const values = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        values[i * columns + j] = this.#gain * (rows >= columns ? vectors[j * long + i]! : vectors[i * long + j]!);
      }
    }
    return tensor(values, shape, { dtype: 'float32' });
  }
}

/**
 * Makes `count` rows of `length` orthonormal by the modified Gram-Schmidt process, done twice, which is as exact as
 * Householder's (Giraud, Langou, Rozloznik 2005). Of random rows that gives evenly distributed rotations: it is the QR
 * decomposition with a positive diagonal.
 */
function orthonormalize(rows: Float64Array, count: number, length: number): Float64Array {
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * length, (i + 1) * length);
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        const other = rows.subarray(k * length, (k + 1) * length);
        const along = dot(row, other);
        for (let j = 0; j < length; j++) row[j]! -= along * other[j]!;
      }
    }
    const norm = Math.sqrt(dot(row, row));
    for (let j = 0; j < length; j++) row[j]! /= norm;
  }
  return rows;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

initializerRegistry.register('Orthogonal', (config) => new Orthogonal(config), 'OrthogonalInitializer');
