import type { StepProfile } from '../backends/backend.js';
import { mismatch } from '../errors.js';
import type { CallContext, LayerOptions } from '../layers/layer.js';
import { Layer } from '../layers/layer.js';
import type { PolicyName } from '../layers/policy.js';
import type { Nest } from '../layers/nest.js';
import { registerBuiltins, serializeLayer } from '../layers/registry.js';
import type { CustomLayers, LayerConfig, SerializedLayer } from '../layers/registry.js';
import { suggestion } from '../layers/suggest.js';
import type { SymbolicShape, SymbolicTensor } from '../layers/symbolic.js';
import { trackedIn } from '../layers/tracking.js';
import { Tensor } from '../tensor/tensor.js';
import { functionalConfig, modelFromFunctionalConfig } from './config.js';
import { FunctionalGraph } from './functional.js';
import type { History } from './callbacks/history.js';
import { memoryReport, type MemoryReport, type MemoryReportOptions } from './memory-report.js';
import { asDeclared, inOrder, namesOf } from './model-inputs.js';
import { plotModel, type PlotOptions } from './plot.js';
import { profileModel, type ProfileOptions } from './profile-model.js';
import { printSummary, type SummaryOptions } from './summary.js';
import type { MatchReport } from '../weights/match.js';
import { saveModel } from '../weights/model-file.js';
import { loadWeights, saveWeights, type LoadWeightsOptions } from '../weights/model-weights.js';
import type { Optimizer } from '../optimizers/index.js';
import { stateOf } from './trainer-state.js';
import * as trainer from './trainer.js';
import type {
  BatchDataset,
  CompileModelOptions,
  DataArguments,
  DataInput,
  EvaluateOptions,
  FitOptions,
  Logs,
  OnBatchOptions,
  PredictOptions,
  TensorTree,
} from './trainer-types.js';

export interface ModelOptions extends LayerOptions {
  /** Values made by `input()`: one, a list, or a record. */
  inputs?: Nest<SymbolicTensor> | undefined;
  /** Values that follow from the inputs: one, a list, or a record. */
  outputs?: Nest<SymbolicTensor> | undefined;
}

const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;
const isShape = (value: unknown): value is SymbolicShape =>
  Array.isArray(value) && value.every((d) => d === null || typeof d === 'number');

/**
 * A network that can be trained: the way between `inputs` and `outputs`, or a subclass with layers in its fields and a
 * `call` of its own.
 *
 * @example
 * const image = input({ shape: [28, 28, 1] });
 * const scores = layers.dense({ units: 10 }).apply(layers.flatten().apply(image));
 * const model = new Model({ inputs: image, outputs: scores });
 *
 * @example
 * class Classifier extends Model {
 *   readonly flatten = layers.flatten();
 *   readonly dense = layers.dense({ units: 10 });
 *   call(x: Tensor) {
 *     return this.dense.apply(this.flatten.apply(x));
 *   }
 * }
 */
export class Model extends Layer {
  static readonly className: string = 'Functional';
  /** Set by callbacks to end training after the running batch. */
  stopTraining = false;
  readonly #graph: FunctionalGraph | undefined;

  constructor(options: ModelOptions = {}) {
    super(options);
    const { inputs, outputs } = options;
    if ((inputs === undefined) !== (outputs === undefined)) {
      const received = inputs === undefined ? 'outputs only' : 'inputs only';
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'inputs and outputs, or neither in a subclass', received);
    }
    if (inputs === undefined || outputs === undefined) return;
    this.#graph = new FunctionalGraph(this, inputs, outputs);
    // All layers are built: they were applied.
    this.build(...this.#graph.inputTensors.map(({ shape }) => shape));
    if (!this.trainable) this.trainable = false;
  }

  protected override get isModel(): boolean {
    return true;
  }

  override get sublayers(): readonly Layer[] {
    const tracked = trackedIn(this).layers;
    return this.#graph ? [...new Set([...this.#graph.layers, ...tracked])] : tracked;
  }

  /** The layers: those of the graph from inputs to outputs, or those in the fields of a subclass. */
  get layers(): readonly Layer[] {
    return this.sublayers;
  }

  /**
   * One of the layers.
   *
   * @param key - its name, or its index among `layers` (negative ones from the end)
   * @throws FoveaError ERR_NOT_FOUND
   */
  getLayer(key: string | number): Layer {
    const { layers } = this;
    const found = typeof key === 'number' ? layers.at(key) : layers.find(({ name }) => name === key);
    if (found) return found;
    const names = layers.map(({ name }) => name);
    const expected =
      typeof key === 'number' ? `an index below ${layers.length}` : `the name of one of ${names.length} layers`;
    const received = typeof key === 'number' ? String(key) : `'${key}'${suggestion(key, names)}`;
    throw mismatch('ERR_NOT_FOUND', this.errorLabel(), expected, received);
  }

  /** @internal The graph of a functional model. */
  get graph(): FunctionalGraph | undefined {
    return this.#graph;
  }

  /** The symbolic inputs; none in a subclass. */
  get inputs(): readonly SymbolicTensor[] {
    return this.graph?.inputTensors ?? [];
  }

  /** The symbolic outputs; none in a subclass. */
  get outputs(): readonly SymbolicTensor[] {
    return this.graph?.outputTensors ?? [];
  }

  override get input(): Nest<SymbolicTensor> {
    return this.graph?.inputs ?? super.input;
  }

  override get output(): Nest<SymbolicTensor> {
    return this.graph?.outputs ?? super.output;
  }

  get inputNames(): readonly string[] | undefined {
    return this.graph && namesOf(this.graph.inputs);
  }

  get outputNames(): readonly string[] | undefined {
    return this.graph && namesOf(this.graph.outputs);
  }

  /** Shape of the input, or a list of them; undefined before it is known. */
  get inputShape(): SymbolicShape | readonly SymbolicShape[] | undefined {
    return oneOrAll(this.inputs.length > 0 ? this.inputs.map(({ shape }) => shape) : this.buildShapes);
  }

  /** Shape of the output, or a list of them; undefined before it is known. */
  get outputShape(): SymbolicShape | readonly SymbolicShape[] | undefined {
    if (this.outputs.length > 0) return oneOrAll(this.outputs.map(({ shape }) => shape));
    return this.buildShapes && this.computeOutputShape(...this.buildShapes);
  }

  /** Runs the layers between inputs and outputs. Subclasses say here what they compute. */
  override call(inputs: Nest<Tensor>, { training }: CallContext): Nest<Tensor> {
    if (this.#graph) return this.#graph.run(inputs as readonly Tensor[], training);
    throw mismatch(
      'ERR_UNSUPPORTED',
      this.errorLabel(),
      'a call method in the subclass, or inputs and outputs',
      'neither',
    );
  }

  /** The layers of a functional model cast for themselves. */
  protected override get castsInputs(): boolean {
    return this.graph === undefined;
  }

  protected override prepareInputs(inputs: Nest<Tensor>): Nest<Tensor> {
    const graph = this.#graph;
    if (!graph) return inputs;
    const names = namesOf(graph.inputs);
    return inOrder(this, graph.inputs, inputs, isTensor).map((x, i) => {
      const { shape, dtype } = graph.inputTensors[i]!;
      return asDeclared(this, names[i]!, x, shape, dtype);
    });
  }

  override outputShapes(inputs: Nest<SymbolicShape>): Nest<SymbolicShape> {
    const graph = this.#graph;
    return graph ? graph.shapes(inOrder(this, graph.inputs, inputs, isShape)) : super.outputShapes(inputs);
  }

  override computeOutputShape(...inputShapes: SymbolicShape[]): SymbolicShape | readonly SymbolicShape[] {
    if (!this.#graph) return super.computeOutputShape(...inputShapes);
    const made = this.#graph.shapes(inputShapes);
    return isShape(made) ? made : Object.values(made as Readonly<Record<string, SymbolicShape>>);
  }

  /** Prints the layers with their output shapes and parameters. */
  summary(options: SummaryOptions = {}): void {
    printSummary(this, this.graph, options);
  }

  /** Plans a prediction or a training step for a batch; prints what memory it takes, and returns the numbers. */
  memoryReport(options: MemoryReportOptions = {}): MemoryReport {
    return memoryReport(this, options);
  }

  /**
   * Where the time of a batch goes, by layer and by kernel: of a prediction, or with `y` of a training step, which trains.
   * Prints tables and returns the numbers; `trace` names a file that https://ui.perfetto.dev opens.
   */
  profile(x: DataInput, options: ProfileOptions = {}): Promise<StepProfile[]> {
    return profileModel(this, x, options);
  }

  /** A picture of the layers, as SVG. `writePlot` writes it to a file. */
  plot(options: PlotOptions = {}): string {
    return plotModel(this, options);
  }

  /** The architecture as JSON; `modelFromJSON` reads it. `JSON.stringify(model)` works too. */
  toJSON(): SerializedLayer {
    return serializeLayer(this);
  }

  override getConfig(): LayerConfig {
    const config = super.getConfig();
    return this.#graph && this.constructor === Model ? { ...config, ...functionalConfig(this.#graph) } : config;
  }

  static override fromConfig(config: LayerConfig, customLayers?: CustomLayers): Layer {
    if (this !== Model) return super.fromConfig(config, customLayers);
    const { name, trainable, dtype } = config as { name: string; trainable?: boolean; dtype?: PolicyName };
    return new Model({ ...modelFromFunctionalConfig(config, customLayers), name, trainable, dtype });
  }

  /** Says how the model is trained; call it again after changing `trainable`. */
  compile(options: CompileModelOptions): void {
    trainer.compileModel(this, options);
  }

  /** The optimizer that `compile` was given; its `learningRate` may be changed while training. */
  get optimizer(): Optimizer | undefined {
    return stateOf(this).compiled?.optimizer;
  }

  /** Trains: `model.fit(dataset, options)`, or `model.fit(x, y, options)` with data in memory. */
  fit(...args: DataArguments<FitOptions>): Promise<History> {
    return trainer.fit(this, ...args);
  }

  /** Loss and metrics over data. */
  evaluate(...args: DataArguments<EvaluateOptions>): Promise<Logs> {
    return trainer.evaluate(this, ...args);
  }

  /** The outputs for data, batch by batch. */
  predict(x: DataInput | BatchDataset, options?: PredictOptions): Promise<TensorTree> {
    return trainer.predict(this, x, options);
  }

  /** One step of training. */
  trainOnBatch(x: DataInput, y: DataInput, options?: OnBatchOptions): Promise<Logs> {
    return trainer.trainOnBatch(this, x, y, options);
  }

  /** Loss and metrics of one batch. */
  testOnBatch(x: DataInput, y: DataInput, options?: OnBatchOptions): Promise<Logs> {
    return trainer.testOnBatch(this, x, y, options);
  }

  /** The outputs for one batch. */
  predictOnBatch(x: DataInput): Promise<TensorTree> {
    return trainer.predictOnBatch(this, x);
  }

  /** Writes architecture and weights: `.keras`, `.h5`, `.safetensors`, else a folder. What was there before stays until all is written. */
  save(target: string): Promise<void> {
    return saveModel(this, target);
  }

  /** Writes the weights: as Keras's file when the name ends in `.weights.h5`, else as safetensors. */
  saveWeights(file: string): Promise<void> {
    return saveWeights(this, file);
  }

  /** Reads weights of any format, matched by name and shape; lists all that do not fit, and then changes none. */
  loadWeights(file: string, options?: LoadWeightsOptions): Promise<MatchReport> {
    return loadWeights(this, file, options);
  }
}

function oneOrAll(shapes: readonly SymbolicShape[] | undefined): SymbolicShape | readonly SymbolicShape[] | undefined {
  return shapes?.length === 1 ? shapes[0] : shapes;
}

registerBuiltins([Model]);
