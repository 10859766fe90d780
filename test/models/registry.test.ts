import { describe, expect, test } from 'vitest';
import { FoveaError } from '../../lib/index.js';
import { countFlops } from '../../lib/training/flops.js';
import { createModel, listModels, modelInfo } from '../../models/index.js';
import { readGolden } from '../support/golden.js';

const MODELS = listModels();

describe('listModels', () => {
  test('names every network once, oldest first', () => {
    const names = MODELS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names[0]).toBe('lenet5');
    expect(MODELS.map(({ year }) => year)).toEqual(MODELS.map(({ year }) => year).sort());
    expect(names.indexOf('resnet18')).toBeLessThan(names.indexOf('resnet101'));
  });

  test('papers have what it takes to find them', () => {
    for (const { name, paper, year } of MODELS) {
      expect(paper.title, name).toMatch(/\w{4}/);
      expect(paper.authors, name).toMatch(/\w/);
      expect(paper.url, name).toMatch(/^https:\/\/(arxiv\.org\/abs|doi\.org|github\.com)\//);
      expect(paper.year, name).toBe(year);
    }
  });

  test('weights are those of the fixtures of facts, with their accuracies', () => {
    interface TorchFacts {
      readonly torchvision: readonly {
        model: string;
        weights: string;
        params: number;
        metrics: Record<string, { 'acc@1': number | null; 'acc@5': number | null }>;
      }[];
      readonly timm: readonly { model: string; tag: string; mean: readonly number[] }[];
    }
    const torch = readGolden<TorchFacts>('pretrained-facts-torch.json');
    const keras = readGolden<{ models: readonly { model: string; params: number; preprocess: string }[] }>(
      'pretrained-facts-keras.json',
    );
    const plain = (name: string): string => name.toLowerCase().replace(/_(torchvision|keras)$|_/g, '');
    for (const { name, weights, parameters, statistics, preprocessing } of MODELS) {
      for (const { source, name: weightsName, top1, top5 } of weights) {
        if (source === 'torchvision') {
          const fact = torch.torchvision.find((f) => plain(f.model) === plain(name) && f.weights === weightsName)!;
          expect(fact.metrics['ImageNet-1K'], name).toEqual({ 'acc@1': top1, 'acc@5': top5 });
          expect(parameters, name).toBe(fact.params);
        } else if (source === 'timm') {
          const fact = torch.timm.find(({ tag }) => tag === weightsName);
          expect(fact?.mean[0], name).toBe(preprocessing === 'tf' ? 0.5 : 0.485);
        } else {
          const fact = keras.models.find(({ model }) => plain(model) === plain(name))!;
          expect(parameters + statistics, name).toBe(fact.params);
          expect(fact.preprocess.split(' ')[0], name).toBe(preprocessing);
        }
        expect(top1, name).toBeGreaterThan(50);
        expect(top5, name).toBeGreaterThan(top1);
      }
    }
  });
});

describe('createModel', () => {
  test.each(MODELS.map((info) => [info.name, info] as const))('%s is what the list says', (name, info) => {
    const model = createModel(name);
    const count = (weights: readonly { size: number }[]): number => weights.reduce((sum, { size }) => sum + size, 0);
    expect(count(model.trainableWeights)).toBe(info.parameters);
    expect(count(model.nonTrainableWeights)).toBe(info.statistics);
    expect(model.inputShape).toEqual([null, ...info.inputShape]);
    expect(model.outputShape).toEqual([null, info.classes]);
    expect(countFlops(model).multiplyAdds).toBe(info.multiplyAdds);
    for (const weight of model.weights) weight.dispose();
  });

  test.each(MODELS.map(({ name }) => name))('%s without its top gives feature maps', (name) => {
    const size = 96;
    const maps = createModel(name, { includeTop: false, inputShape: [size, size, 3] });
    expect(maps.outputShape).toHaveLength(4);
    const mean = createModel(name, { includeTop: false, pooling: 'avg', inputShape: [size, size, 3] });
    expect(mean.outputShape).toEqual([null, (maps.outputShape as number[]).at(-1)]);
  });

  test('takes options', () => {
    const model = createModel('resnet18', { inputShape: [64, 48, 1], classes: 3, name: 'mine' });
    expect(model.name).toBe('mine');
    expect(model.inputShape).toEqual([null, 64, 48, 1]);
    expect(model.outputShape).toEqual([null, 3]);
  });

  test('an image of open size', () => {
    const model = createModel('resnet18', { inputShape: [null, null, 3], classes: 3 });
    expect(model.outputShape).toEqual([null, 3]);
    expect(countFlops(model, { inputShape: [32, 64, 3] }).multiplyAdds).toBeGreaterThan(0);
  });

  test('refuses what it does not know', () => {
    expect(() => createModel('resnet51')).toThrow(FoveaError);
    expect(() => createModel('resnet51')).toThrow(
      `createModel: expected the name of a model, received 'resnet51'; listModels() names them`,
    );
    expect(() => createModel('ResNet-50')).toThrow(/did you mean resnet50/);
    expect(() => modelInfo('')).toThrow(/^modelInfo: expected the name of a model/);
    expect(() => createModel('resnet50', { classes: 0 })).toThrow(/resnet50: expected classes to be/);
  });
});
