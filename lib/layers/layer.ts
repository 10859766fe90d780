import { currentDevice, withDevice } from '../backends/registry.js';
import { mismatch } from '../errors.js';
import { currentTrace, layerPath, withoutTrace } from '../graph/trace.js';
import * as initializers from '../initializers/index.js';
import type { Initializer } from '../initializers/index.js';
import { RandomInitializer } from '../initializers/initializer.js';
import * as regularizers from '../regularizers/index.js';
import type { Regularizer } from '../regularizers/index.js';
import type { SeedGenerator } from '../random/seed.js';
import { withAutocast } from '../tensor/autocast.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { checkDeclaredShape, checkOutputs, describeLayer, flattenInputs, hide } from './layer-checks.js';
import { autoName, camelCase } from './names.js';
import { describe, type Nest } from './nest.js';
import type { ApplyOptions, CallContext, LayerOptions, WeightOptions } from './layer-options.js';
import { LayerPolicy, type PolicyName } from './policy.js';
import { classNameOf, type CustomLayers, type LayerConfig } from './registry.js';
import { currentLayer, enclosingTraining, inLayer } from './scope.js';
import { applySymbolic, inferShapes, outputShapes } from './symbolic-apply.js';
import { isSymbolic, type LayerNode, type SymbolicShape, type SymbolicTensor } from './symbolic.js';
import { trackedIn } from './tracking.js';
import { readWeights, writeWeights, type WeightValue } from './weights.js';

export type { ApplyOptions, CallContext, LayerOptions, WeightOptions } from './layer-options.js';

/**
 * A step of a network: weights and what is done with them. Subclasses make their weights in `build` (or hold other
 * layers in fields) and compute in `call`; users call `apply`.
 *
 * @example
 * class Scale extends Layer {
 *   factor!: Variable;
 *   build(inputShape: SymbolicShape) {
 *     this.factor = this.addWeight({ name: 'factor', shape: [inputShape.at(-1)!], initializer: 'ones' });
 *   }
 *   call(x: Tensor) {
 *     return ops.mul(x, this.factor.value);
 *   }
 * }
 */
export abstract class Layer {
  readonly name: string;
  /** The `inputShape` the layer was given, with the batch. */
  declare readonly declaredInputShape: SymbolicShape | undefined;
  /** The uses of this layer in functional models. */
  declare readonly inboundNodes: LayerNode[];
  #built = false;
  readonly #policy: LayerPolicy;
  #trainable: boolean;
  #inputShapes: readonly SymbolicShape[] | undefined;
  readonly #weights: Variable[] = [];
  readonly #regularizers = new Map<Variable, Regularizer>();
  /** Weights that were trainable before this layer was frozen. */
  readonly #frozen = new Set<Variable>();

  constructor(options: LayerOptions = {}) {
    const { name, trainable, inputShape, batchInputShape, dtype } = options;
    const owner = { className: this.className, name: typeof name === 'string' ? name : '' };
    if (name !== undefined && (typeof name !== 'string' || name === '' || name.includes('/'))) {
      throw mismatch('ERR_ARGUMENT', { op: camelCase(owner.className) }, `name to be text without '/'`, describe(name));
    }
    this.name = name ?? autoName(this.defaultName());
    if (trainable !== undefined && typeof trainable !== 'boolean') {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'trainable to be true or false', describe(trainable));
    }
    this.#trainable = trainable ?? true;
    this.#policy = new LayerPolicy(dtype, this.errorLabel());
    const declared = batchInputShape ?? (inputShape ? [null, ...inputShape] : undefined);
    if (declared) checkDeclaredShape(this, declared);
    const hook = this.build.bind(this);
    // Not enumerable: not among the fields in which sublayers are looked for.
    hide(this, 'declaredInputShape', declared);
    hide(this, 'inboundNodes', []);
    hide(this, 'build', (...shapes: SymbolicShape[]) => this.#buildOnce(hook, shapes));
  }

  /** The class's name in configurations: `Conv2D`. */
  get className(): string {
    return classNameOf(this);
  }

  /** What automatic names are made from. */
  protected defaultName(): string {
    return this.className;
  }

  /** Whether the weights are there. */
  get built(): boolean {
    return this.#built;
  }

  /**
   * Makes the weights. Called once, before the first `call`; calling it again does nothing.
   *
   * @param inputShapes - a shape for each input, `null` where the size may change (the batch)
   */
  build(..._inputShapes: SymbolicShape[]): void {
    // Layers without weights, and those whose weights are all in sublayers, have nothing to do.
  }

  /**
   * Computes the outputs. Must not wait for values.
   *
   * @param inputs - as `apply` was given them
   */
  abstract call(inputs: Nest<Tensor>, context: CallContext): Nest<Tensor>;

  /**
   * Uses the layer: on tensors it computes (lazily, as ops do), on symbolic tensors it extends a functional model. The
   * weights are made at the first use.
   *
   * @param inputs - a tensor, or a list or record of them for layers that take several
   * @returns what `call` returns; name the type for several outputs: `layer.apply<Tensor[]>(x)`
   * @throws FoveaError when the inputs do not fit, with the layer's path
   */
  apply(inputs: Nest<Tensor>, options?: ApplyOptions): Tensor;
  apply(inputs: Nest<SymbolicTensor>, options?: ApplyOptions): SymbolicTensor;
  apply<Out extends Nest<Tensor>>(inputs: Nest<Tensor>, options?: ApplyOptions): Out;
  apply<Out extends Nest<SymbolicTensor>>(inputs: Nest<SymbolicTensor>, options?: ApplyOptions): Out;
  apply(inputs: Nest<Tensor> | Nest<SymbolicTensor>, options: ApplyOptions = {}): Nest<Tensor> | Nest<SymbolicTensor> {
    const flat = flattenInputs(this, inputs);
    if (flat.every(isSymbolic)) return applySymbolic(this, inputs as Nest<SymbolicTensor>, options.training);
    const training = options.training ?? enclosingTraining() ?? false;
    return inLayer(this, this.#scopeName(), training, () => {
      const shapes = flat.map(({ shape }) => [null, ...shape.slice(1)]);
      this.checkInputs(flat.map(({ shape }) => shape));
      if (!this.#built) withDevice((flat[0] as Tensor).device, () => this.build(...shapes));
      const prepared = this.prepareInputs(inputs as Nest<Tensor>);
      const given = this.castsInputs ? this.#policy.castInputs(prepared) : prepared;
      const outputs = this.#policy.run(() => this.call(given, { training }));
      checkOutputs(this, outputs);
      return outputs;
    });
  }

  /** Throws when the layer cannot take inputs of these shapes. Called before the layer is built, and at every use. */
  checkInputs(_shapes: readonly SymbolicShape[]): void {
    // Ops check what `call` gives them.
  }

  /** What is done to inputs before `call`; models cast them here. */
  protected prepareInputs(inputs: Nest<Tensor>): Nest<Tensor> {
    return inputs;
  }

  /** The policy of types: what the layer computes in. */
  get dtypePolicy(): PolicyName {
    return this.#policy.name;
  }

  /** Whether `call` gets float inputs in the type that the policy computes in. Models leave that to their layers. */
  protected get castsInputs(): boolean {
    return true;
  }

  /** Models at the top add nothing to the paths of their layers. */
  protected get isModel(): boolean {
    return false;
  }

  /**
   * The shape of the output, or a list of them, for inputs of the given shapes. Found out by calling the layer on
   * placeholders (nothing is computed) unless a subclass knows better.
   */
  computeOutputShape(...inputShapes: SymbolicShape[]): SymbolicShape | readonly SymbolicShape[] {
    const shapes = inferShapes(this, inputShapes.length === 1 ? inputShapes[0]! : inputShapes);
    return shapes.length === 1 ? shapes[0]! : shapes;
  }

  /** Adds a weight named `layer/name`, to be called in `build`. */
  addWeight(options: WeightOptions): Variable {
    const { name, shape, trainable = true, dtype = 'float32', autocast = true } = options;
    const initializer: Initializer = initializers.get(options.initializer ?? 'glorotUniform');
    const path = layerPath();
    const initial = initializer.call(shape, { dtype });
    const weight = new Variable(initial, {
      name: path === '' ? name : `${path}/${name}`,
      trainable,
      autocast,
    });
    // What was drawn for this weight belongs to it alone: the first training step writes it in place, without a copy.
    if (initializer instanceof RandomInitializer) initial.dispose();
    this.#weights.push(weight);
    const regularizer = options.regularizer === undefined ? null : regularizers.get(options.regularizer);
    if (regularizer) this.#regularizers.set(weight, regularizer);
    if (trainable && !this.#trainable) this.#freeze(weight);
    return weight;
  }

  /** The layers this one is made of, in the order in which they were stored in its fields. */
  get sublayers(): readonly Layer[] {
    return trackedIn(this).layers;
  }

  /** This layer and all those in it, outermost first. */
  flattenLayers(): Layer[] {
    const found = new Set<Layer>();
    const visit = (layer: Layer): void => {
      if (found.has(layer)) return;
      found.add(layer);
      layer.sublayers.forEach(visit);
    };
    visit(this);
    return [...found];
  }

  /** Weights of this layer itself: those that training changes first. */
  get ownWeights(): Variable[] {
    const all = [...new Set([...this.#weights, ...trackedIn(this).variables])];
    return [...all.filter((weight) => this.isTrained(weight)), ...all.filter((weight) => !this.isTrained(weight))];
  }

  /** @internal Whether training changes a weight of this layer itself, when the layer is not frozen. */
  isTrained(weight: Variable): boolean {
    return weight.trainable || this.#frozen.has(weight);
  }

  /** All weights, those of sublayers behind the own ones: Keras's order. */
  get weights(): Variable[] {
    return [...new Set(this.flattenLayers().flatMap((layer) => layer.ownWeights))];
  }

  /** The weights that training changes. */
  get trainableWeights(): Variable[] {
    return this.#trainable ? this.weights.filter((weight) => weight.trainable) : [];
  }

  get nonTrainableWeights(): Variable[] {
    return this.#trainable ? this.weights.filter((weight) => !weight.trainable) : this.weights;
  }

  /** The random generators of this layer and those in it: state that a checkpoint keeps besides the weights. */
  get seedGenerators(): SeedGenerator[] {
    return [...new Set(this.flattenLayers().flatMap((layer) => trackedIn(layer).seeds))];
  }

  /** Whether training changes the weights. Setting it goes down to all sublayers. */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(value: boolean) {
    if (typeof value !== 'boolean') {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'trainable to be true or false', describe(value));
    }
    for (const layer of this.flattenLayers()) layer.#setTrainable(value);
  }

  /** The regularization penalties of the weights that are trained, each a scalar, computed anew at every reading. */
  get losses(): Tensor[] {
    const penalties = new Map(this.flattenLayers().flatMap((layer) => [...layer.#regularizers]));
    return this.trainableWeights.flatMap((weight) => {
      const regularizer = penalties.get(weight);
      return regularizer ? [regularizer.call(weight.value)] : [];
    });
  }

  /** Number of elements of all weights. */
  countParams(): number {
    if (this.flattenLayers().some((layer) => !layer.#built && layer.#builds)) {
      throw mismatch(
        'ERR_ARGUMENT',
        this.errorLabel(),
        'a layer that is built, to count its parameters',
        'one without inputs',
      );
    }
    return this.weights.reduce((sum, weight) => sum + weight.size, 0);
  }

  /** Copies of the weights' elements, in the order of `weights`. */
  async getWeights(): Promise<TypedArray[]> {
    return readWeights(this);
  }

  /** Sets all weights. @throws FoveaError ERR_SHAPE that lists every value that does not fit; then nothing is changed */
  setWeights(values: readonly WeightValue[]): void {
    writeWeights(this, values);
  }

  /** The constructor's options, as JSON. Subclasses add theirs to `super.getConfig()`. */
  getConfig(): LayerConfig {
    return { name: this.name, trainable: this.#trainable, ...this.#policy.config };
  }

  /** A new layer with the options that `getConfig()` returned. */
  static fromConfig(config: LayerConfig, _customLayers?: CustomLayers): Layer {
    const made = this as unknown as new (options: LayerConfig) => Layer;
    return new made(config);
  }

  /** The input of the layer's only use in a functional model. */
  get input(): Nest<SymbolicTensor> {
    return this.#onlyNode('input').inputs;
  }

  /** The output of the layer's only use in a functional model. */
  get output(): Nest<SymbolicTensor> {
    return this.#onlyNode('output').outputs;
  }

  /** `Conv2D "conv2d" [null,28,28,1] -> [null,28,28,64], 3200 parameters`. */
  toString(): string {
    return describeLayer(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** @internal The shapes of the outputs, in the structure in which `call` returns them. */
  outputShapes(inputs: Nest<SymbolicShape>): Nest<SymbolicShape> {
    return outputShapes(this, inputs);
  }

  /** @internal The shapes the layer was built for. */
  get buildShapes(): readonly SymbolicShape[] | undefined {
    return this.#inputShapes;
  }

  /** @internal Op and path for errors about this layer. */
  errorLabel(): { op: string; layer: string } {
    const path = layerPath();
    const inside = path === this.name || path.endsWith(`/${this.name}`);
    return { op: camelCase(this.className), layer: inside ? path : path === '' ? this.name : `${path}/${this.name}` };
  }

  /** @internal Runs `fn` with this layer's name in the paths. */
  within<T>(training: boolean | undefined, fn: () => T): T {
    return inLayer(this, currentLayer() === this ? undefined : this.name, training, fn);
  }

  /** @internal The type of symbolic outputs. */
  outputDType(_inputs: readonly DType[]): DType {
    return 'float32';
  }

  get #builds(): boolean {
    return (Object.getPrototypeOf(this) as Layer).build !== Layer.prototype.build;
  }

  /** What is added to the path: nothing by models at the top, and nothing twice. */
  #scopeName(): string | undefined {
    const current = currentLayer();
    return current === this || (this.isModel && current === undefined) ? undefined : this.name;
  }

  #buildOnce(hook: (...shapes: SymbolicShape[]) => void, shapes: readonly SymbolicShape[]): void {
    if (this.#built) return;
    const device = currentTrace()?.device ?? currentDevice();
    const run = (): void =>
      withoutTrace(() => withDevice(device, () => withAutocast(undefined, () => hook(...shapes))));
    try {
      inLayer(this, this.#scopeName(), enclosingTraining(), run);
    } catch (error) {
      this.#weights.splice(0).forEach((weight) => weight.dispose());
      throw error;
    }
    this.#built = true;
    this.#inputShapes = shapes;
    if (!this.#trainable) this.trainable = false;
  }

  #setTrainable(value: boolean): void {
    const own = this.ownWeights;
    this.#trainable = value;
    for (const weight of own) {
      if (!value && weight.trainable) this.#freeze(weight);
      else if (value && this.#frozen.delete(weight)) weight.trainable = true;
    }
  }

  #freeze(weight: Variable): void {
    weight.trainable = false;
    this.#frozen.add(weight);
  }

  #onlyNode(what: string): LayerNode {
    const count = this.inboundNodes.length;
    if (count === 1) return this.inboundNodes[0]!;
    throw mismatch(
      'ERR_ARGUMENT',
      this.errorLabel(),
      `one use in a functional model, to have an ${what}`,
      `${count} uses`,
    );
  }
}
