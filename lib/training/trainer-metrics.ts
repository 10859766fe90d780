import { FoveaError } from '../errors.js';
import type { Metric } from '../metrics/index.js';
import { get as getMetric } from '../metrics/index.js';
import { forOutput, type Output } from './trainer-outputs.js';
import { perOutput } from './trainer-trees.js';
import type { MetricSpec, MetricsSpec } from './trainer-types.js';

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
    const flat: readonly MetricSpec[] = Object.values<OneOrMore>(spec ?? {}).flat();
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
    const listed: readonly OneOrMore[] | undefined = Array.isArray(spec) ? (spec as readonly OneOrMore[]) : undefined;
    if (listed && count === 1) return listed.flat();
    if (listed && listed.length > 0 && listed.length !== count) {
      throw new FoveaError(
        `compile: expected metrics for each of ${count} outputs, in a list or by name, received a list of ${listed.length}`,
        { op: 'compile' },
      );
    }
    const own = perOutput<OneOrMore>(spec, index, name);
    return own === undefined ? [] : [own].flat();
  }
}

type OneOrMore = MetricSpec | readonly MetricSpec[];
