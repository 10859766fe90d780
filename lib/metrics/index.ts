import { lossRegistry, type LossOptions } from '../losses/index.js';
import type { Config } from '../util/options.js';
import * as accuracies from './accuracy.js';
import { Precision, Recall, type ThresholdOptions } from './counts.js';
import { CustomMetric, type MetricFunction } from './custom.js';
import { LossMetric, Mean, RootMeanSquaredError, Sum } from './mean.js';
import { Aggregate, Metric, metricRegistry, type MetricOptions } from './metric.js';

export { serialize } from '../util/options.js';
export * from './accuracy.js';
export { confusionMatrix, Precision, Recall, type ConfusionMatrixOptions, type ThresholdOptions } from './counts.js';
export { Aggregate, CustomMetric, LossMetric, Mean, Metric, metricRegistry, RootMeanSquaredError, Sum };
export type { MetricFunction, MetricOptions };

/** The metric that is the mean of a loss. */
function ofLoss(className: string, options: Config | MetricOptions = {}): LossMetric {
  const { name, ...config } = options as Config & LossOptions;
  return new LossMetric(lossRegistry.make({ className, config }), name === undefined ? {} : { name });
}

/** The mean of all values it is given. */
export const mean = (options?: MetricOptions): Mean => new Mean(options);
/** The sum of all values it is given. */
export const sum = (options?: MetricOptions): Sum => new Sum(options);
/** How often predictions are right; what that means is told by the shapes of the first batch. */
export const accuracy = (options?: MetricOptions): accuracies.Accuracy => new accuracies.Accuracy(options);
export const sparseCategoricalAccuracy = (options?: MetricOptions): accuracies.SparseCategoricalAccuracy =>
  new accuracies.SparseCategoricalAccuracy(options);
export const categoricalAccuracy = (options?: MetricOptions): accuracies.CategoricalAccuracy =>
  new accuracies.CategoricalAccuracy(options);
export const binaryAccuracy = (options?: accuracies.BinaryAccuracyOptions): accuracies.BinaryAccuracy =>
  new accuracies.BinaryAccuracy(options);
export const topKCategoricalAccuracy = (options?: accuracies.TopKOptions): accuracies.TopKCategoricalAccuracy =>
  new accuracies.TopKCategoricalAccuracy(options);
export const sparseTopKCategoricalAccuracy = (
  options?: accuracies.TopKOptions,
): accuracies.SparseTopKCategoricalAccuracy => new accuracies.SparseTopKCategoricalAccuracy(options);
export const precision = (options?: ThresholdOptions): Precision => new Precision(options);
export const recall = (options?: ThresholdOptions): Recall => new Recall(options);
export const meanSquaredError = (options?: MetricOptions): LossMetric => ofLoss('MeanSquaredError', options);
export const meanAbsoluteError = (options?: MetricOptions): LossMetric => ofLoss('MeanAbsoluteError', options);
export const rootMeanSquaredError = (options?: MetricOptions): RootMeanSquaredError =>
  new RootMeanSquaredError(options);

/**
 * A metric from an instance, a name (`'accuracy'`, which it also shows in logs), a function of targets and
 * predictions, or `{ className, config }` as `serialize` and Keras write it.
 */
export function get(identifier: string | Metric | MetricFunction | Config): Metric {
  if (identifier instanceof Metric) return identifier;
  if (typeof identifier === 'function') return new CustomMetric(identifier);
  const { className, config } = described(identifier);
  if (typeof className === 'string' && !metricRegistry.has(className) && lossRegistry.has(className)) {
    return ofLoss(className, config);
  }
  const made = metricRegistry.make({ className, config });
  if (made instanceof Metric) return made;
  return metricRegistry.refuse(made.className, 'is not a metric of targets and predictions');
}

/** A name or a serialized metric as class name and configuration; a metric asked for by name is shown by that name. */
function described(identifier: string | Config): { className: string; config: Config } {
  if (typeof identifier === 'string') return { className: identifier, config: { name: identifier } };
  const { className, class_name: kerasName, config } = identifier ?? {};
  return { className: (className ?? kerasName) as string, config: (config ?? {}) as Config };
}
