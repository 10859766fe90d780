import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../lib/index.js';
import { fashionCnn } from '../../models/fashion-cnn.js';
import { fillSpec, type GeneratedSpec } from '../support/fill.js';
import { expectTensorClose, readGolden, type FullTensor } from '../support/golden.js';

interface SeedModel {
  readonly model: string;
  readonly params: { readonly total: number };
  readonly weights: readonly GeneratedSpec[];
  readonly input: GeneratedSpec;
  readonly logits: FullTensor;
  readonly probabilities: FullTensor;
}

describe('fashionCnn', () => {
  const { models } = readGolden<{ models: SeedModel[] }>('models-seed.json');
  const golden = models.find(({ model }) => model === 'fashion_cnn')!;

  it('is the book model: parameters and outputs as in Keras', async () => {
    for (const activation of ['linear', 'softmax'] as const) {
      const model = fashionCnn({ classifierActivation: activation });
      expect(model.countParams()).toBe(golden.params.total);
      model.setWeights(golden.weights.map((spec) => fillSpec(spec)));
      const { input, logits, probabilities } = golden;
      const out = (await model.predict(tensor(fillSpec(input), input.shape))) as Tensor;
      const expected = activation === 'linear' ? logits : probabilities;
      expectTensorClose(await out.data(), out.shape, expected, { relative: 0, absolute: 1e-4, label: activation });
    }
  });

  it('takes other images, classes and widths', () => {
    const model = fashionCnn({ inputShape: [32, 32, 3], classes: 100, width: 8, dropout: 0, name: 'small' });
    expect(model.name).toBe('small');
    expect(model.outputShape).toEqual([null, 100]);
    expect(model.layers.length).toBe(14);
  });
});
