import {
  currentDevice,
  losses,
  onInterrupt,
  optimizers,
  setDevice,
  setPolicy,
  tensor,
  type Model,
} from '../../index.js';
import { isPolicy, POLICY_NAMES } from '../../layers/policy.js';
import { UsageError } from '../errors.js';
import { findModel } from '../model-source.js';
import { table, type Output } from '../output.js';

export interface BenchOptions {
  readonly batchSize: number;
  readonly mode: string;
  readonly steps: number;
  readonly precision: string;
  readonly device?: string;
  readonly inputShape?: (number | null)[];
}

interface Row {
  readonly work: 'train' | 'predict';
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly imagesPerSecond: number;
  readonly steps: number;
}

/** Steps before those that count: they trace, prepare and time kernels. */
const WARMUP = 3;
const NOTE =
  'A time says something only beside another one taken on the same machine at the same time: compare ratios.';

/** `fovea bench` */
export async function run(name: string, options: BenchOptions, out: Output): Promise<void> {
  const { mode, precision, batchSize, steps, inputShape } = options;
  if (!['train', 'predict', 'both'].includes(mode)) {
    throw new UsageError(`bench: expected --mode to be train, predict or both, received ${mode}`);
  }
  if (!isPolicy(precision)) {
    throw new UsageError(`bench: expected --precision to be one of ${POLICY_NAMES.join(', ')}, received ${precision}`);
  }
  using interrupt = onInterrupt();
  if (options.device !== undefined) setDevice(options.device);
  setPolicy(precision);
  const { model } = await findModel(name, inputShape ? { inputShape } : {});
  const sizes = (model.inputs[0]?.shape ?? []).slice(1);
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || sizes.includes(null)) {
    throw new UsageError(
      `bench: expected a model of one input of known size and one output; --input-shape names the size`,
    );
  }
  const shape = [batchSize, ...(sizes as number[])];
  const rows: Row[] = [];
  for (const work of ['train', 'predict'] as const) {
    if (mode !== 'both' && mode !== work) continue;
    out.log(`${work}: ${WARMUP} steps to warm up, ${steps} timed`);
    rows.push(await time(work, model, shape, steps, interrupt.signal));
  }
  const value = {
    model: model.name,
    device: currentDevice(),
    precision,
    batchSize,
    inputShape: sizes,
    rows,
    note: NOTE,
  };
  out.result(value, () => {
    const cells = rows.map(({ work, medianMs, p90Ms, imagesPerSecond }) => [
      ...[work, medianMs.toFixed(2), p90Ms.toFixed(2), imagesPerSecond.toFixed(1)],
    ]);
    const title = `${model.name} ${sizes.join('x')}, batch ${batchSize}, ${precision}, on ${currentDevice()}`;
    return [title, '', table(['work', 'median ms', 'p90 ms', 'images/s'], cells), '', NOTE].join('\n');
  });
}

async function time(
  work: Row['work'],
  model: Model,
  shape: readonly number[],
  steps: number,
  signal: AbortSignal,
): Promise<Row> {
  const batchSize = shape[0]!;
  const size = shape.reduce((product, d) => product * d, 1);
  using x = tensor(
    Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 255) / 255),
    shape,
  );
  const step = work === 'train' ? trainStep(model, x, batchSize) : predictStep(model, x);
  const times: number[] = [];
  for (let i = 0; i < WARMUP + steps; i++) {
    signal.throwIfAborted();
    const begin = performance.now();
    await step();
    if (i >= WARMUP) times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
  return { work, medianMs: at(0.5), p90Ms: at(0.9), imagesPerSecond: (1000 * batchSize) / at(0.5), steps };
}

function trainStep(model: Model, x: ReturnType<typeof tensor>, batchSize: number): () => Promise<unknown> {
  const outputs = model.outputs[0]!.shape;
  const classes = outputs.at(-1);
  const classifier = outputs.length === 2 && typeof classes === 'number';
  if (!classifier)
    throw new UsageError(
      `bench: expected a classifier to train, received outputs of rank ${outputs.length}; --mode predict`,
    );
  model.compile({
    optimizer: optimizers.sgd({ learningRate: 1e-4, momentum: 0.9 }),
    loss: losses.sparseCategoricalCrossentropy(),
  });
  const y = Int32Array.from({ length: batchSize }, (_, i) => i % classes);
  return () => model.trainOnBatch(x, y);
}

function predictStep(model: Model, x: ReturnType<typeof tensor>): () => Promise<unknown> {
  return async () => {
    const y = (await model.predictOnBatch(x)) as ReturnType<typeof tensor>;
    // The result is there when it can be read.
    await y.data();
    y.dispose();
  };
}
