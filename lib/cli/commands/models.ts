import { listModels, type ModelInfo } from '../../../models/index.js';
import { UsageError } from '../errors.js';
import { grouped, table, type Output } from '../output.js';

export interface ModelsOptions {
  readonly sort: string;
}

const top1 = ({ weights }: ModelInfo): number => Math.max(0, ...weights.map((w) => w.top1));

const ORDERS: Readonly<Record<string, (a: ModelInfo, b: ModelInfo) => number>> = {
  year: () => 0,
  name: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
  parameters: (a, b) => a.parameters - b.parameters,
  flops: (a, b) => a.multiplyAdds - b.multiplyAdds,
  top1: (a, b) => top1(b) - top1(a),
};

/** `fovea models` */
export function run(pattern: string | undefined, options: ModelsOptions, out: Output): void {
  const order = ORDERS[options.sort];
  if (!order) {
    throw new UsageError(
      `models: expected --sort to be one of ${Object.keys(ORDERS).join(', ')}, received ${options.sort}`,
    );
  }
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const models = listModels()
    .filter(({ name }) => plain(name).includes(plain(pattern ?? '')))
    .sort(order);
  if (models.length === 0) throw new UsageError(`models: no name contains '${pattern}'; \`fovea models\` lists all`);
  out.result(models, () => {
    const rows = models.map((model) => [
      model.name,
      model.year,
      model.inputShape.join('x'),
      grouped(model.parameters + model.statistics),
      `${(model.multiplyAdds / 1e9).toFixed(2)} G`,
      top1(model) === 0 ? '' : top1(model).toFixed(1),
      [...new Set(model.weights.map(({ source }) => source))].join(', '),
    ]);
    return table(['model', 'year', 'input', 'parameters', 'multiply-adds', 'top-1 %', 'weights'], rows);
  });
}
