import { countFlops, writePlot, type Layer } from '../../index.js';
import { findModel } from '../model-source.js';
import { grouped, type Output } from '../output.js';

export interface SummaryCommandOptions {
  readonly inputShape?: (number | null)[];
  readonly classes?: number;
  readonly top: boolean;
  readonly width?: number;
  readonly expand?: boolean;
  readonly plot?: string;
}

const sizeOf = (layer: Pick<Layer, 'weights'>): number =>
  layer.weights.reduce((sum, { shape }) => sum + shape.reduce((product, d) => product * d, 1), 0);

/** `fovea summary` */
export async function run(name: string, options: SummaryCommandOptions, out: Output): Promise<void> {
  const { inputShape, classes, top, width, expand, plot } = options;
  const { model } = await findModel(name, {
    ...(inputShape ? { inputShape } : {}),
    ...(classes === undefined ? {} : { classes }),
    ...(top ? {} : { includeTop: false }),
  });
  if (plot !== undefined) {
    await writePlot(model, plot);
    out.log(`wrote ${plot}`);
  }
  const multiplyAdds = model.inputs.some(({ shape }) => shape.slice(1).includes(null))
    ? undefined
    : countFlops(model).multiplyAdds;
  const trainable = model.trainableWeights.reduce((sum, { shape }) => sum + shape.reduce((p, d) => p * d, 1), 0);
  const value = {
    ...{ name: model.name, inputShape: model.inputShape, outputShape: model.outputShape },
    ...{ parameters: sizeOf(model), trainable, multiplyAdds: multiplyAdds ?? null },
    layers: model.layers.map((layer) => ({
      name: layer.name,
      type: (layer.constructor as unknown as { className: string }).className,
      parameters: sizeOf(layer),
      weights: layer.weights.map(({ name: weight, shape }) => ({ name: weight, shape })),
    })),
  };
  out.result(value, () => {
    const lines: string[] = [];
    const columns = width ?? Math.min(120, process.stdout.columns ?? 76);
    model.summary({ printFn: (line) => void lines.push(line), width: columns, expandNested: expand ?? false });
    if (multiplyAdds !== undefined) lines.push(`Multiply-adds of one inference: ${grouped(multiplyAdds)}`);
    return lines.join('\n');
  });
}
