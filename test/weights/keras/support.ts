import { fileURLToPath } from 'node:url';
import {
  Layer,
  layers,
  ops,
  registerLayer,
  tensor,
  type LayerConfig,
  type Model,
  type Tensor,
} from '../../../lib/index.js';
import { fillSpec, type FillSpec } from '../../support/fill.js';
import { readGolden, type FullTensor } from '../../support/golden.js';

/** A model of models.json: the same in five files. */
export interface KerasFixture {
  readonly model: string;
  readonly files: Readonly<
    Record<'keras' | 'weights' | 'legacyModel' | 'legacyWeights' | 'keras2StyleWeights', string>
  >;
  readonly params: { readonly total: number; readonly trainable: number; readonly nonTrainable: number };
  readonly weights: readonly {
    readonly path: string;
    readonly shape: readonly number[];
    readonly values: readonly number[];
  }[];
  readonly x: FillSpec;
  readonly probabilities: FullTensor;
}

export const { models: fixtures } = readGolden<{ models: readonly KerasFixture[] }>('files/models.json');

export const goldenFile = (name: string): string =>
  fileURLToPath(new URL(`../../golden/files/${name}`, import.meta.url));

/** The layer of small_functional that its user wrote. */
export class ResidualUnit extends Layer {
  static readonly className: string = 'ResidualUnit';
  readonly filters: number;
  readonly strides: number;
  readonly momentum: number;
  readonly main: Layer[];
  readonly skip: Layer[] = [];

  constructor(options: LayerConfig) {
    super(options);
    const { filters, strides, momentum } = options as { filters: number; strides: number; momentum: number };
    [this.filters, this.strides, this.momentum] = [filters, strides, momentum];
    const conv = (name: string, kernelSize: number, step: number): Layer =>
      layers.conv2d({ name, filters, kernelSize, strides: step, padding: 'same', useBias: false });
    const bn = (name: string): Layer => layers.batchNormalization({ name, momentum });
    this.main = [conv('conv1', 3, strides), bn('bn1'), layers.relu({ name: 'relu' }), conv('conv2', 3, 1), bn('bn2')];
    if (strides > 1) this.skip = [conv('skip_conv', 1, strides), bn('skip_bn')];
  }

  call(x: Tensor): Tensor {
    const run = (list: readonly Layer[]): Tensor => list.reduce((y, layer) => layer.apply(y), x);
    return ops.relu(ops.add(run(this.main), run(this.skip)));
  }

  override getConfig(): LayerConfig {
    const { filters, strides, momentum } = this;
    return { ...super.getConfig(), filters, strides, momentum };
  }
}

export const registerResidualUnit = (): void => void registerLayer(ResidualUnit, 'seed');

/** How far the outputs are from those of Keras. */
export async function outputError(model: Model, { x, probabilities }: KerasFixture): Promise<number> {
  const input = tensor(fillSpec(x), x.shape, { dtype: 'float32' });
  const y = await ((await model.predict(input)) as Tensor).data();
  return probabilities.values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - y[i]!)), 0);
}

/** The weights whose values are not those of the fixture: nine digits settle a float32. */
export async function wrongWeights(model: Layer, { weights }: KerasFixture): Promise<string[]> {
  const values = await model.getWeights();
  return weights.flatMap(({ path, values: expected }, i) => {
    const received = values[i];
    const same = received?.length === expected.length && received.every((v, k) => v === Math.fround(expected[k]!));
    return same ? [] : [path];
  });
}
