import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { SafetensorsSource } from './safetensors-shards.js';
import type { NamedArray } from './safetensors.js';
import { namedWeights, type MatchChoice, type Weighted, type WeightFile, type WeightPlan } from './weight-file.js';

/** The tensors of a safetensors file, or of several, as weights. */
export class SafetensorsWeights implements WeightFile {
  constructor(
    private readonly file: SafetensorsSource,
    /** Of the names in the file; tensors without it are something else. */
    private readonly prefix = '',
  ) {}

  get path(): string {
    return this.file.path;
  }

  plan(model: Weighted, { by = 'name', rename }: MatchChoice): WeightPlan {
    const { prefix } = this;
    const all = [...this.file.entries].filter(([name]) => name.startsWith(prefix));
    const tensors = new Map(all.map(([name, entry]) => [name.slice(prefix.length), entry]));
    const targets = namedWeights(model);
    if (by === 'name') return { targets, tensors, by, rename };
    // In the file's bytes wider types come first; the order of the model is what its list tells.
    const order = this.#order() ?? [...tensors.keys()];
    const known = order.filter((name) => tensors.has(name));
    return { targets, tensors: new Map(known.map((name) => [name, tensors.get(name)!])), by };
  }

  read(name: string): Promise<NamedArray> {
    return this.file.read(this.prefix + name);
  }

  load(name: string, { dtype, device }: Variable): Promise<Tensor> | undefined {
    return this.file.load(this.prefix + name, dtype, device);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
  }

  #order(): string[] | undefined {
    const { order } = this.file.metadata;
    if (order === undefined) return undefined;
    try {
      const list: unknown = JSON.parse(order);
      return Array.isArray(list) && list.every((name) => typeof name === 'string') ? list : undefined;
    } catch {
      return undefined;
    }
  }
}
