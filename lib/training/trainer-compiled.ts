import { setImmediate as turn } from 'node:timers/promises';
import type { StepProfile } from '../backends/backend.js';
import { compile, type CompiledFunction } from '../graph/compile.js';
import type { PlanMemory } from '../graph/plan-memory.js';
import { withoutTrace } from '../graph/trace.js';
import { valueAndGrad } from '../autograd/grad.js';
import { get as getOptimizer, lossScale, LossScaleOptimizer, type Optimizer } from '../optimizers/index.js';
import type { Aggregate } from '../metrics/index.js';
import { concat, reshape } from '../ops/shape.js';
import { cast } from '../ops/unary.js';
import { tensor } from '../tensor/create.js';
import type { TypedArray } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { Batch } from './data-source.js';
import { LossSet } from './trainer-losses.js';
import { MetricSet } from './trainer-metrics.js';
import { outputsOf, type Output } from './trainer-outputs.js';
import { leavesOf } from './trainer-trees.js';
import type { CompileModelOptions, Logs, TensorTree, TrainableModel } from './trainer-types.js';

/** What one step is given. */
interface StepInput {
  readonly x: TensorTree;
  readonly y: TensorTree | undefined;
  readonly sampleWeight: TensorTree | undefined;
}

type Step = CompiledFunction<[StepInput], Tensor>;

/** The optimizer as asked for; that of a model of `mixed_float16` scales the loss, unless told otherwise. */
function optimizerFor(model: TrainableModel, { optimizer, autoScaleLoss = true }: CompileModelOptions): Optimizer {
  const made = getOptimizer(optimizer);
  const scales = autoScaleLoss && model.dtypePolicy === 'mixed_float16' && !(made instanceof LossScaleOptimizer);
  return scales ? lossScale(made) : made;
}

/** What `compile` made of a model: optimizer, losses, metrics, and the two step functions. */
export class CompiledModel {
  readonly optimizer: Optimizer;
  readonly #losses: LossSet;
  readonly #metrics: MetricSet;
  readonly #weighted: MetricSet;
  #trainStep: Step | undefined;
  #testStep: Step | undefined;
  /** What is trained: settled when the first step is traced, as in Keras. */
  #trained: ReadonlySet<Variable> | undefined;
  #names: readonly string[] = [];
  /** State of metrics that a checkpoint holds, until the metrics are there. */
  #awaited: Readonly<Record<string, TypedArray>> | undefined;

  constructor(
    private readonly model: TrainableModel,
    options: CompileModelOptions,
  ) {
    this.optimizer = optimizerFor(model, options);
    this.#losses = new LossSet(options);
    this.#metrics = new MetricSet(options.metrics, false);
    this.#weighted = new MetricSet(options.weightedMetrics, true);
  }

  /** Enqueues a training step; the promise is of the running means. */
  train(batch: Batch): Promise<Logs> {
    return this.#run(this.#training(), batch);
  }

  /** What the plan of a training step for batches of these shapes takes. */
  trainingMemory(x: TensorTree, y: TensorTree): PlanMemory {
    return this.#training().memory({ x, y, sampleWeight: undefined });
  }

  /** Runs a training step with a clock around every kernel. */
  profileTraining({ x, y, sampleWeight }: Batch): Promise<StepProfile[]> {
    return this.#training().profile({ x, y, sampleWeight });
  }

  /** Whether an output's targets are numbers of classes, by its loss. */
  takesClassNumbers(output: { readonly index: number; readonly name: string }, outputs: number): boolean {
    return this.#losses.takesClassNumbers(output, outputs);
  }

  /** Enqueues a step that only measures. */
  test(batch: Batch): Promise<Logs> {
    this.#testStep ??= compile((input: StepInput) => this.#traceTest(input), { name: 'evaluate' });
    return this.#run(this.#testStep, batch);
  }

  /** Whether other weights are trainable now than when the step was traced. */
  get outdated(): boolean {
    const trained = this.#trained;
    if (!trained) return false;
    const now = this.model.trainableWeights;
    return now.length !== trained.size || now.some((variable) => !trained.has(variable));
  }

  /** Starts loss and metrics anew. */
  reset(): void {
    for (const [, metric] of this.#aggregates()) metric.reset();
    this.#awaited = undefined;
  }

  /** How often steps were traced and why; how often they ran. */
  get statistics(): { train: Step['statistics'] | undefined; test: Step['statistics'] | undefined } {
    return { train: this.#trainStep?.statistics, test: this.#testStep?.statistics };
  }

  /** The state of loss and metrics, in the middle of an epoch. */
  async metricState(): Promise<Record<string, TypedArray>> {
    const variables = this.#metricVariables();
    return Object.fromEntries(await Promise.all(variables.map(async ([name, v]) => [name, await v.data()] as const)));
  }

  /** Goes on with a state of loss and metrics: at once, or when the first step has made them. */
  restoreMetrics(values: Readonly<Record<string, TypedArray>>): void {
    this.reset();
    this.#awaited = values;
    if (this.#metricVariables().length > 0) this.#assignAwaited();
  }

  dispose(): void {
    this.#trainStep?.dispose();
    this.#testStep?.dispose();
  }

  #training(): Step {
    return (this.#trainStep ??= compile((input: StepInput) => this.#traceTraining(input), { name: 'fit' }));
  }

  async #run(step: Step, batch: Batch): Promise<Logs> {
    const { x, y, sampleWeight } = batch;
    const packed = step({ x, y, sampleWeight });
    const reading = packed.data();
    packed.dispose();
    const values = await reading.catch(async (error: unknown) => {
      // The step's own failure comes in the same breath, and takes back what it counted; let it.
      await turn();
      throw error;
    });
    return Object.fromEntries(this.#names.map((name, i) => [name, values[i]!]));
  }

  #traceTraining(input: StepInput): Tensor {
    const { model, optimizer } = this;
    const { value, grads } = valueAndGrad(() => {
      const outputs = this.#outputs('fit', input, true);
      const losses = this.#losses.compute('fit', outputs, model.losses);
      return { loss: optimizer.scaleLoss(losses.total), losses, outputs };
    });
    const trained = (this.#trained ??= new Set(model.trainableWeights));
    const pairs = [...grads].filter(([variable]) => trained.has(variable));
    if (pairs.length > 0) optimizer.apply(pairs);
    else
      process.emitWarning(
        `${model.name}: there is nothing to train: no weights, or all of them frozen`,
        'FoveaWarning',
      );
    return this.#finish(input, value.outputs, value.losses);
  }

  #traceTest(input: StepInput): Tensor {
    const outputs = this.#outputs('evaluate', input, false);
    return this.#finish(input, outputs, this.#losses.compute('evaluate', outputs, this.model.losses));
  }

  #outputs(op: string, { x, y, sampleWeight }: StepInput, training: boolean): Output[] {
    const predictions = this.model.apply(x as never, { training });
    return outputsOf(op, this.model, predictions, y, sampleWeight);
  }

  /** Updates the metrics; all results together in one tensor, so that one reading brings them. */
  #finish({ x }: StepInput, outputs: readonly Output[], losses: { total: Tensor; parts: readonly Tensor[] }): Tensor {
    const batch = leavesOf(x)[0]!.value.shape[0]!;
    this.#losses.update(losses, outputs, batch);
    this.#metrics.update(outputs);
    this.#weighted.update(outputs);
    if (this.#awaited) withoutTrace(() => this.#assignAwaited());
    const aggregates = this.#aggregates();
    this.#names = aggregates.map(([name]) => name);
    return concat(
      aggregates.map(([, metric]) => reshape(cast(metric.result(), 'float32'), [1])),
      0,
    );
  }

  #aggregates(): (readonly [name: string, metric: Aggregate])[] {
    const seen = new Map<string, number>();
    return [...this.#losses.named, ...this.#metrics.named, ...this.#weighted.named].map(([name, metric]) => {
      const before = seen.get(name) ?? 0;
      seen.set(name, before + 1);
      return [before === 0 ? name : `${name}_${before}`, metric] as const;
    });
  }

  #metricVariables(): (readonly [name: string, variable: Variable])[] {
    return this.#aggregates().flatMap(([name, metric]) =>
      metric.variables.map((variable, i) => [`${name}/${i}`, variable] as const),
    );
  }

  #assignAwaited(): void {
    const values = this.#awaited ?? {};
    this.#awaited = undefined;
    for (const [name, variable] of this.#metricVariables()) {
      const data = values[name];
      if (data?.length === variable.size) variable.assign(tensor(data, variable.shape, { device: variable.device }));
    }
  }
}
