import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { published, type WeightsFile } from '../../../lib/weights/hub/facts.js';
import { findWeights, publishedFor } from '../../../lib/weights/hub/index.js';
import { listModels } from '../../../models/index.js';

// The table against the facts that were read from the packages of keras, torchvision and timm.

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../golden', name), 'utf8')) as T;

interface KerasFile {
  readonly url: string;
  readonly hash: string | null;
}
const keras = read<{ models: readonly { model: string; withTop: KerasFile; withoutTop: KerasFile; params: number }[] }>(
  'pretrained-facts-keras.json',
);
interface TorchWeights {
  readonly url: string;
  readonly sha256Prefix: string;
  readonly default: boolean;
  readonly fileSizeMB: number;
  readonly params: number;
  readonly resize: readonly number[];
  readonly crop: readonly number[];
  readonly interpolation: string;
}
interface TimmWeights {
  readonly tag: string;
  readonly url: string | null;
  readonly hfHubId: string | null;
  readonly input_size: readonly number[];
  readonly crop_pct: number;
  readonly interpolation: string;
}
const torch = read<{ torchvision: readonly TorchWeights[]; timm: readonly TimmWeights[] }>(
  'pretrained-facts-torch.json',
);

const same = (file: WeightsFile, { url, hash }: KerasFile): void => {
  expect(file).toMatchObject({ url, md5: hash ?? undefined });
};

describe('published weights', () => {
  it.each(published().map((entry) => [`${entry.model} ${entry.name}`, entry] as const))('%s', (_, entry) => {
    const [file] = entry.withTop;
    if (entry.source === 'keras') {
      const facts = keras.models.find(({ withTop }) => withTop.url === file!.url)!;
      same(file!, facts.withTop);
      same(entry.withoutTop[0]!, facts.withoutTop);
      const info = listModels().find(({ name }) => name === entry.model)!;
      // Keras counts statistics too: the network is the one that the file belongs to.
      expect(info.parameters + info.statistics).toBe(facts.params);
    } else if (entry.source === 'torchvision') {
      const facts = torch.torchvision.find(({ url }) => url === file!.url)!;
      expect(file!.sha256Prefix).toBe(facts.sha256Prefix);
      expect(file!.megabytes).toBe(facts.fileSizeMB);
      expect(entry.preferred).toBe(facts.default);
      expect(entry.evaluation).toEqual([facts.resize[0], facts.crop[0], facts.interpolation]);
      expect(listModels().find(({ name }) => name === entry.model)!.parameters).toBe(facts.params);
    } else {
      const facts = torch.timm.find(({ tag }) => tag === entry.name)!;
      const hub = `https://huggingface.co/${facts.hfHubId}/resolve/main/model.safetensors`;
      expect(file!.url).toBe(facts.url ?? hub);
      const size = facts.input_size[1]!;
      expect(entry.evaluation).toEqual([Math.floor(size / facts.crop_pct), size, facts.interpolation]);
    }
  });

  it('has everything the catalogue speaks of, and nothing else', () => {
    const spoken = listModels().flatMap(({ name, weights }) => weights.map((w) => `${name} ${w.source} ${w.name}`));
    expect(
      published()
        .map((entry) => `${entry.model} ${entry.source} ${entry.name}`)
        .sort(),
    ).toEqual(spoken.sort());
  });

  it('prefers one of those of a network, and gives no two files one place', () => {
    for (const model of new Set(published().map((entry) => entry.model))) {
      expect(publishedFor(model).filter(({ preferred }) => preferred)).toHaveLength(1);
    }
    const places = published().flatMap(({ withTop, withoutTop }) => [...new Set([...withTop, ...withoutTop])]);
    expect(new Set(places.map((file) => file.path)).size).toBe(places.length);
  });

  it('finds weights by name, and says what there is', () => {
    expect(findWeights('resnet50').name).toBe('IMAGENET1K_V2');
    expect(findWeights('resnet50', 'imagenet1k_v1').withTop[0]!.url).toMatch(/resnet50-0676ba61\.pth$/);
    expect(() => findWeights('resnet50', 'V3')).toThrow(/there are imagenet, IMAGENET1K_V1, IMAGENET1K_V2/);
    expect(() => findWeights('lenet5')).toThrow(/weights of lenet5: .*weights are published for vgg16, vgg19/);
  });
});
