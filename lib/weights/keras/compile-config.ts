import { FoveaError } from '../../errors.js';
import type { Model } from '../../training/model.js';
import type { CompileModelOptions } from '../../training/trainer-types.js';
import { get as getLoss } from '../../losses/index.js';
import { get as getMetric } from '../../metrics/index.js';
import { get as getOptimizer } from '../../optimizers/index.js';
import { camelCase, type Config, type ConfigValue } from '../../util/options.js';
import { isRecord, type Json } from './json.js';
import { readValue } from './layer-config.js';

/**
 * Compiles a model as Keras says it was: optimizer, loss and metrics, when all of them are known; else a warning says
 * what is not, and the model is left uncompiled. What the optimizer has gathered is not taken over.
 *
 * @param json - `compile_config` of Keras 3 or `training_config` of `.h5` files
 */
export function restoreCompiled(file: string, model: Model, json: Json): void {
  const optimizer = json['optimizer'] ?? json['optimizer_config'];
  if (optimizer === undefined || optimizer === null) return;
  try {
    const options: Record<string, unknown> = { optimizer: getOptimizer(optimizerOf(optimizer) as Config) };
    const { loss, metrics, weighted_metrics: weighted, loss_weights: lossWeights } = json;
    options['loss'] = mapLeaves(loss ?? null, (leaf) => getLoss(named(leaf)));
    const readMetrics = (list: unknown): unknown => mapLeaves(list, (leaf) => getMetric(metricOf(leaf)));
    if (hasSome(metrics)) options['metrics'] = readMetrics(flatWhereOne(metrics, model));
    if (hasSome(weighted)) options['weightedMetrics'] = readMetrics(flatWhereOne(weighted, model));
    if (lossWeights !== null && lossWeights !== undefined) options['lossWeights'] = readValue(lossWeights);
    model.compile(options as unknown as CompileModelOptions);
  } catch (error) {
    if (!(error instanceof FoveaError)) throw error;
    process.emitWarning(
      `${file}: the model is loaded without its training configuration (call compile): ${error.message}`,
      'FoveaWarning',
    );
  }
}

/** Options of Keras's optimizers that are about how it runs, not what is computed. */
const OF_RUNNING = new Set(['loss_scale_factor', 'gradient_accumulation_steps', 'jit_compile', 'is_legacy_optimizer']);

function optimizerOf(optimizer: unknown): ConfigValue {
  if (!isRecord(optimizer) || !isRecord(optimizer['config'])) return named(optimizer);
  const config = Object.entries(optimizer['config'])
    .filter(([key, value]) => !OF_RUNNING.has(key) || !(value === null || value === 1 || typeof value === 'boolean'))
    // As Keras called it before version 2.3.
    .map(([key, value]) => [key === 'lr' ? 'learning_rate' : key, value]);
  return readValue({ ...optimizer, config: Object.fromEntries(config) as Json });
}

function named(value: unknown): string & Config {
  const read = typeof value === 'string' ? camelCase(value) : readValue(value);
  if (isRecord(read) && isRecord(read['config'])) {
    const { reduction, fn: _fn, dtype: _dtype, ...config } = read['config'] as Record<string, ConfigValue>;
    // What Keras 2 chose by itself is the mean.
    const kept = reduction === undefined ? {} : { reduction: reduction === 'auto' ? 'sumOverBatchSize' : reduction };
    return { ...read, config: { ...config, ...kept } } as unknown as string & Config;
  }
  return read as string & Config;
}

/** Metrics of Keras 2 may be wrapped, with the function's name as theirs. */
function metricOf(value: unknown): string & Config {
  if (isRecord(value) && value['class_name'] === 'MeanMetricWrapper' && isRecord(value['config'])) {
    const { fn, name } = value['config'];
    return named(typeof fn === 'string' ? fn : name);
  }
  return named(value);
}

function mapLeaves(value: unknown, read: (leaf: unknown) => unknown): unknown {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((inner) => mapLeaves(inner, read));
  if (isRecord(value) && typeof value['class_name'] !== 'string') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapLeaves(inner, read)]));
  }
  return read(value);
}

function hasSome(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.flat().length === 0);
}

/** A list for each of one output is the list itself. */
function flatWhereOne(value: unknown, model: Model): unknown {
  return Array.isArray(value) && value.length === 1 && Array.isArray(value[0]) && model.outputs.length <= 1
    ? (value[0] as unknown[])
    : value;
}
