import { access } from 'node:fs/promises';
import { onInterrupt, setDevice, vision, type data, type Model, type Tensor } from '../../index.js';
import { EXIT, UsageError } from '../errors.js';
import { table, type Output } from '../output.js';
import { findPredictor, type PredictorOptions } from '../predictor.js';

export interface PredictOptions extends PredictorOptions {
  readonly model: string;
  readonly top: number;
  readonly batchSize: number;
  readonly device?: string;
}

interface FileResult {
  readonly file: string;
  readonly predictions?: vision.Prediction[];
  /** Why there are none. */
  readonly error?: string;
}

/** `fovea predict` */
export async function run(files: readonly string[], options: PredictOptions, out: Output): Promise<void> {
  using interrupt = onInterrupt();
  if (options.device !== undefined) setDevice(options.device);
  // Weights are not fetched for images that are not there.
  const found = await Promise.allSettled(files.map((file) => access(file)));
  if (found.every(({ status }) => status === 'rejected')) {
    throw new UsageError(`predict: cannot read ${files.join(', ')}`);
  }
  const predictor = await findPredictor(options.model, options, interrupt.signal);
  for (const remark of predictor.remarks) out.log(remark);
  const results: FileResult[] = [];
  for (let at = 0; at < files.length; at += options.batchSize) {
    interrupt.signal.throwIfAborted();
    const part = files.slice(at, at + options.batchSize);
    // One that cannot be read is told, and the others are looked at all the same.
    const images = await Promise.all(
      part.map((file) => predictor.load(file).catch((error: unknown) => (error as Error).message)),
    );
    const good = images.filter((image): image is data.HostTensor => typeof image !== 'string');
    const predictions = good.length === 0 ? [] : await likeliest(predictor.model, good, options.top, predictor.classes);
    part.forEach((file, i) => {
      const image = images[i]!;
      if (typeof image === 'string') results.push({ file, error: image });
      else results.push({ file, predictions: predictions.shift()! });
    });
  }
  for (const { error } of results) if (error !== undefined) out.log(`fovea: ${error}`);
  out.result(results, () => describe(results));
  if (results.some(({ error }) => error !== undefined)) process.exitCode = EXIT.failure;
}

async function likeliest(
  model: Model,
  images: readonly data.HostTensor[],
  top: number,
  classes: readonly string[] | undefined,
): Promise<vision.Prediction[][]> {
  const outputs = (await model.predict(vision.stackImages(images), { batchSize: images.length })) as Tensor;
  if (outputs.shape?.length !== 2)
    throw new UsageError('predict: expected a classifier, which has one output of classes');
  using scores = outputs;
  const count = scores.shape[1]!;
  const names = classes ?? (count === 1000 ? undefined : Array.from({ length: count }, (_, i) => `class ${i}`));
  if (names && names.length !== count) {
    throw new UsageError(`predict: expected names of ${count} classes, received ${names.length}`);
  }
  return vision.decodePredictions(scores, { top: Math.min(top, count), ...(names ? { classes: names } : {}) });
}

function describe(results: readonly FileResult[]): string {
  const rows = results.flatMap(({ file, predictions = [] }) =>
    predictions.map(({ name, probability }, i) => [i === 0 ? file : '', `${(100 * probability).toFixed(2)}%`, name]),
  );
  return table(['file', 'probability', 'class'], rows);
}
