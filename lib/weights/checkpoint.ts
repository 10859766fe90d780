import { FoveaError } from '../errors.js';
import { randomSeedState, restoreRandomSeed } from '../random/seed.js';
import type { HostRandomState } from '../random/philox.js';
import { serialize, type OptimizerState } from '../optimizers/index.js';
import type { TypedArray } from '../tensor/dtype.js';
import type { CallbackState } from '../training/callbacks/callback.js';
import { compiledOf, stateOf, type TrainingPosition } from '../training/trainer-state.js';
import type { TrainableModel } from '../training/trainer-types.js';
import { assignFrom, namedWeights, readVariables } from './model-weights.js';
import { SafetensorsFile, writeSafetensors, type NamedArray } from './safetensors.js';

const FORMAT = 'fovea-checkpoint-1';

/** What a checkpoint holds besides tensors: JSON in the file's metadata, under `training`. */
interface TrainingState {
  readonly model: string;
  readonly position: TrainingPosition;
  readonly passes: number;
  readonly optimizer: {
    readonly className: string;
    /** With the schedule, if it has one. */
    readonly config: unknown;
    readonly iterations: number;
    readonly learningRate: number | null;
  };
  readonly random: HostRandomState;
  /** Of the callbacks: their arrays are tensors. */
  readonly callbacks?: Readonly<Record<string, CallbackState['values']>>;
}

/**
 * Writes everything a training needs to go on bit for bit: weights, optimizer (configuration, slots, iterations, learning
 * rate or schedule), epoch and step, random state (global seeds, seed generators), loss and metrics of the running epoch,
 * and what the callbacks remember. One safetensors file, replaced atomically: killed at any moment, it holds this state or the one before.
 *
 * Inside `fit`, call it between batches (from a callback) or use `BackupAndRestore`.
 */
export async function saveCheckpoint(model: TrainableModel, file: string): Promise<void> {
  const compiled = compiledOf(model, 'saveCheckpoint');
  const state = stateOf(model);
  const { optimizer } = compiled;
  const position = state.position ?? {
    epoch: 0,
    step: 0,
    data: { pass: state.passes, offset: 0 },
    shuffleSeed: undefined,
  };
  // Everything is asked for at once, before any batch can come between.
  const random = randomSeedState();
  const callbacks = state.callbacks?.saveStates() ?? new Map<string, CallbackState>();
  const [weights, slots, metrics, seeds] = await Promise.all([
    readVariables(namedWeights(model)),
    optimizer.state(),
    position.step > 0 ? compiled.metricState() : Promise.resolve<Record<string, TypedArray>>({}),
    Promise.all(model.seedGenerators.map((generator) => generator.read())),
  ]);
  const tensors = new Map<string, NamedArray>();
  for (const [name, value] of weights) tensors.set(`weights/${name}`, value);
  for (const [name, value] of Object.entries(slots.slots)) tensors.set(`optimizer/${name}`, value);
  for (const [name, data] of Object.entries(metrics))
    tensors.set(`metrics/${name}`, { dtype: 'float32', shape: [data.length], data });
  seeds.forEach((data, i) => tensors.set(`seeds/${i}`, { dtype: 'int32', shape: [4], data }));
  for (const [key, { arrays = {} }] of callbacks) {
    for (const [name, value] of Object.entries(arrays)) tensors.set(`callbacks/${key}/${name}`, value);
  }
  const { className, config } = serialize(optimizer);
  const training: TrainingState = {
    model: model.name,
    position,
    passes: state.passes,
    optimizer: { className, config, iterations: slots.iterations, learningRate: slots.learningRate },
    random,
    callbacks: Object.fromEntries([...callbacks].map(([key, { values }]) => [key, values])),
  };
  await writeSafetensors(file, tensors, { format: FORMAT, training: stringify(training) });
}

/**
 * Puts a model where {@link saveCheckpoint} was called. The model must be built and compiled as it was then; the next
 * `fit` goes on at the epoch and step of the checkpoint.
 *
 * @returns epoch and step
 * @throws FoveaError ERR_SHAPE that lists every weight that does not fit, ERR_DATA for another optimizer; then the model
 *   is as it was
 */
export async function loadCheckpoint(model: TrainableModel, file: string): Promise<{ epoch: number; step: number }> {
  const compiled = compiledOf(model, 'loadCheckpoint');
  await using opened = await SafetensorsFile.open(file);
  const training = readTraining(opened, file);
  const { optimizer } = compiled;
  if (training.optimizer.className !== optimizer.className) {
    throw new FoveaError(
      `${file}: expected a checkpoint of optimizer ${optimizer.className}, received ${training.optimizer.className}`,
      {
        code: 'ERR_DATA',
        op: 'loadCheckpoint',
      },
    );
  }
  const slots = Object.fromEntries(await readGroup(opened, 'optimizer/'));
  const metrics = await readGroup(opened, 'metrics/');
  const callbacks = callbackStates(training, await readGroup(opened, 'callbacks/'));
  const seeds = await readGroup(opened, 'seeds/');
  const generators = model.seedGenerators;
  if (seeds.length !== generators.length) {
    throw new FoveaError(`${file}: expected ${generators.length} random generators, received ${seeds.length}`, {
      code: 'ERR_DATA',
      op: 'loadCheckpoint',
    });
  }
  // All that can be refused comes before the first change, but for slots: `restore` checks those itself, first.
  await assignFrom(opened, model, 'weights/');
  const { iterations, learningRate } = training.optimizer;
  optimizer.restore({ iterations, learningRate, slots } satisfies OptimizerState);
  for (const [name, { data }] of seeds) generators[Number(name)]!.restore(data);
  restoreRandomSeed(training.random);
  const { position } = training;
  const state = stateOf(model);
  state.passes = training.passes;
  state.resume = position;
  state.resumeCallbacks = callbacks;
  compiled.restoreMetrics(Object.fromEntries(metrics.map(([name, { data }]) => [name, data])));
  return { epoch: position.epoch, step: position.step };
}

function readTraining(opened: SafetensorsFile, file: string): TrainingState {
  const { format, training } = opened.metadata;
  if (format !== FORMAT || training === undefined) {
    throw new FoveaError(
      `${file}: expected a training checkpoint (${FORMAT}), received ${format ?? 'another safetensors file'}`,
      {
        code: 'ERR_FILE',
        op: 'loadCheckpoint',
      },
    );
  }
  try {
    const state = parse(training) as TrainingState;
    const { epoch, step, data } = state.position;
    if ([epoch, step, data.pass, data.offset, state.passes].every((n) => Number.isSafeInteger(n) && n >= 0))
      return state;
  } catch {
    // Told below.
  }
  throw new FoveaError(`${file}: its training state cannot be read`, { code: 'ERR_FILE', op: 'loadCheckpoint' });
}

function callbackStates(
  training: TrainingState,
  arrays: [name: string, value: NamedArray][],
): Map<string, CallbackState> {
  return new Map(
    Object.entries(training.callbacks ?? {}).map(([key, values]) => {
      const own = arrays.filter(([name]) => name.startsWith(`${key}/`));
      const named = own.map(([name, value]) => [name.slice(key.length + 1), value] as const);
      return [key, { values, ...(own.length > 0 ? { arrays: Object.fromEntries(named) } : {}) }];
    }),
  );
}

/** JSON in which numbers that are not finite come back as they were: a loss may be NaN. */
function stringify(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'number' && !Number.isFinite(item) ? { $number: String(item) } : item,
  );
}

function parse(text: string): unknown {
  return JSON.parse(text, (_, item: unknown) => {
    const special = (item as { $number?: unknown } | null)?.$number;
    return typeof special === 'string' ? Number(special) : item;
  });
}

async function readGroup(opened: SafetensorsFile, prefix: string): Promise<[name: string, value: NamedArray][]> {
  const out: [string, NamedArray][] = [];
  for (const name of opened.entries.keys()) {
    if (name.startsWith(prefix)) out.push([name.slice(prefix.length), await opened.read(name)]);
  }
  return out;
}
