import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, Model, Sequential } from '../../../lib/index.js';
import { fixtures, goldenFile, outputError, registerResidualUnit, ResidualUnit, wrongWeights } from './support.js';

describe('layers that are not known', () => {
  it.each(['keras', 'legacyModel'] as const)('are listed: %s', async (kind) => {
    const { files } = fixtures.find(({ model }) => model === 'small_functional')!;
    await expect(loadModel(goldenFile(files[kind]))).rejects.toThrow(/ResidualUnit.*"residual".*registerLayer/);
    const model = await loadModel<Model>(goldenFile(files[kind]), { ResidualUnit });
    expect(model.getLayer('residual')).toBeInstanceOf(ResidualUnit);
  });
});

describe.each(fixtures.map((fixture) => [fixture.model, fixture] as const))('%s', (_, fixture) => {
  beforeAll(registerResidualUnit);

  it.each(['keras', 'legacyModel'] as const)('whole model, %s: weights exact, the same outputs', async (kind) => {
    const model = await loadModel<Model>(goldenFile(fixture.files[kind]));
    expect(model).toBeInstanceOf(fixture.model === 'small_sequential' ? Sequential : Model);
    expect(model.name).toBe(fixture.model);
    expect(model.countParams()).toBe(fixture.params.total);
    expect(model.trainableWeights.reduce((n, w) => n + w.size, 0)).toBe(fixture.params.trainable);
    expect(await wrongWeights(model, fixture)).toEqual([]);
    expect(await outputError(model, fixture)).toBeLessThan(1e-6);
    expect(model.optimizer?.className).toBe('Adam');
    expect(model.optimizer?.learningRate).toBe(0.009999999776482582);
  });

  it.each(['weights', 'legacyWeights', 'keras2StyleWeights', 'keras', 'legacyModel'] as const)(
    'weights only, %s, into the model',
    async (kind) => {
      const model = await loadModel<Model>(goldenFile(fixture.files.keras));
      model.setWeights((await model.getWeights()).map((values) => values.map((v) => v + 1)));
      expect((await wrongWeights(model, fixture)).length).toBe(fixture.weights.length);
      const report = await model.loadWeights(goldenFile(fixture.files[kind]));
      expect(report).toEqual({ matched: report.matched, missing: [], unexpected: [], mismatched: [] });
      expect(report.matched.length).toBe(fixture.weights.length);
      expect(await wrongWeights(model, fixture)).toEqual([]);
    },
  );
});
