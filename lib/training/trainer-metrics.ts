import { FoveaError } from '../errors.js';
import { get as getMetric, Metric } from '../metrics/index.js';
import { forOutput, type Output } from './trainer-outputs.js';
import { isList, perOutput } from './trainer-trees.js';
import type { MetricSpec, MetricsSpec, PerOutput } from './trainer-types.js';

/** The metrics of a model's outputs. */
export class MetricSet {
  readonly #made = new Map<number, readonly Metric[]>();
  readonly #named: [name: string, metric: Metric][] = [];

  /**
   * @param spec - as `compile` was given it
   * @param weighted - whether sample weights count
   */
  constructor(
    private readonly spec: MetricsSpec | undefined,
    private readonly weighted: boolean,
  ) {
    const flat = Object.values(spec ?? {}).flat() as MetricSpec[];
    // A wrong name is told at `compile`, not at the first batch.
    for (const metric of flat) getMetric(metric);
  }

  /** Takes a batch into account. */
  update(outputs: readonly Output[]): void {
    const several = outputs.length > 1;
    for (const output of outputs) {
      for (const metric of this.#metricsOf(output, outputs.length)) {
        const { yTrue, yPred, sampleWeight } = output;
        if (!yTrue) throw new FoveaError(`${metric.name}: expected targets for output "${output.name}", received none`);
        forOutput(output, several, () => metric.updateState(yTrue, yPred, this.weighted ? sampleWeight : undefined));
      }
    }
  }

  /** The metrics by the names they are shown under; known after the first update. */
  get named(): readonly (readonly [name: string, metric: Metric])[] {
    return this.#named;
  }

  #metricsOf(output: Output, count: number): readonly Metric[] {
    let made = this.#made.get(output.index);
    if (!made) {
      made = this.#specsOf(output, count).map((spec) => getMetric(spec));
      this.#made.set(output.index, made);
      for (const metric of made) {
        const name = count > 1 ? `${output.name}_${metric.name}` : metric.name;
        this.#named.push([name, metric]);
      }
    }
    return made;
  }

  #specsOf({ index, name }: Output, count: number): readonly MetricSpec[] {
    const { spec } = this;
    if (spec === undefined) return [];
    if (isList(spec) && count === 1)
      return (spec as readonly (MetricSpec | readonly MetricSpec[])[]).flat() as MetricSpec[];
    if (Array.isArray(spec) && spec.length > 0 && spec.length !== count) {
      throw new FoveaError(
        `compile: expected metrics for each of ${count} outputs, in a list or by name, received a list of ${spec.length}`,
        { op: 'compile' },
      );
    }
    const own = perOutput(spec as PerOutput<MetricSpec | readonly MetricSpec[]>, index, name);
    if (own === undefined) return [];
    return (Array.isArray(own) ? own : [own]) as readonly MetricSpec[];
  }
}
