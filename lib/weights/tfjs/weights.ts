import type { Variable } from '../../tensor/variable.js';
import type { NamedArray } from '../safetensors.js';
import { namedWeights, type MatchChoice, type Weighted, type WeightFile, type WeightPlan } from '../weight-file.js';
import type { TfjsEntry, TfjsGroup } from './manifest.js';
import { TfjsShards } from './shards.js';

/** The weights of a tfjs layers-model. */
export class TfjsWeights implements WeightFile {
  private constructor(
    readonly path: string,
    private readonly entries: ReadonlyMap<string, { readonly entry: TfjsEntry; readonly shards: TfjsShards }>,
  ) {}

  /** @param path - the `model.json` */
  static async open(path: string, groups: readonly TfjsGroup[]): Promise<TfjsWeights> {
    const entries = new Map<string, { entry: TfjsEntry; shards: TfjsShards }>();
    for (const group of groups) {
      const shards = await TfjsShards.open(path, group);
      for (const entry of group.entries) entries.set(entry.name, { entry, shards });
    }
    return new TfjsWeights(path, entries);
  }

  plan(model: Weighted, { by = 'name', rename }: MatchChoice): WeightPlan {
    const tensors = new Map([...this.entries].map(([name, { entry }]) => [name, entry]));
    const targets = namedWeights(model);
    return { targets, tensors, by, rename: rename ?? ((name) => modelName(targets, name)) };
  }

  read(name: string): Promise<NamedArray> {
    const { entry, shards } = this.entries.get(name)!;
    return shards.read(entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Files are opened for each reading only.
  }
}

/**
 * The model's name for a weight: Keras 2 had `:0` behind names, called the kernels of depthwise convolutions otherwise,
 * and may have had the name of an inner model in front.
 */
function modelName(targets: ReadonlyMap<string, Variable>, name: string): string {
  const plain = name.replace(/:\d+$/, '');
  for (const candidate of [plain, plain.replace(/depthwise_kernel$/, 'kernel')]) {
    if (targets.has(candidate)) return candidate;
    const ends = [...targets.keys()].filter((t) => t.endsWith(`/${candidate}`) || candidate.endsWith(`/${t}`));
    if (ends.length === 1) return ends[0]!;
  }
  return plain;
}
