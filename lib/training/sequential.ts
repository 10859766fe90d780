import { mismatch } from '../errors.js';
import { InputLayer } from '../layers/input.js';
import { Layer, type CallContext, type LayerOptions } from '../layers/layer.js';
import type { PolicyName } from '../layers/policy.js';
import { describe, type Nest } from '../layers/nest.js';
import { deserializeLayer, registerBuiltins, serializeLayer } from '../layers/registry.js';
import type { CustomLayers, LayerConfig, SerializedLayer } from '../layers/registry.js';
import { SymbolicTensor, type SymbolicShape } from '../layers/symbolic.js';
import { cast } from '../ops/index.js';
import { Tensor } from '../tensor/tensor.js';
import type { ConfigValue } from '../util/options.js';
import { FunctionalGraph } from './functional.js';
import { Model } from './model.js';
import { asDeclared } from './model-inputs.js';

export type SequentialOptions = Pick<LayerOptions, 'name' | 'trainable' | 'dtype'>;

/**
 * Layers one after the other, each taking what the one before it makes.
 *
 * @example
 * const model = new Sequential([
 *   layers.flatten({ inputShape: [28, 28, 1] }),
 *   layers.dense({ units: 10, activation: 'softmax' }),
 * ]);
 */
export class Sequential extends Model {
  static override readonly className: string = 'Sequential';
  readonly #layers: Layer[] = [];
  /** The symbolic input, and the output of each layer, as soon as the input's shape is known. */
  #input: SymbolicTensor | undefined;
  readonly #chain: Nest<SymbolicTensor>[] = [];
  #declared = false;
  #graphMade: FunctionalGraph | undefined;

  /**
   * @param layers - the first may be an input layer, or what `input()` returns
   */
  constructor(layers: readonly (Layer | SymbolicTensor)[] = [], options: SequentialOptions = {}) {
    super({ name: options.name, trainable: options.trainable, dtype: options.dtype });
    if (!Array.isArray(layers)) {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'a list of layers', describe(layers));
    }
    for (const layer of layers as readonly (Layer | SymbolicTensor)[]) this.add(layer);
    if (!this.trainable) this.trainable = false;
  }

  /** The layers, without the input layer. */
  override get layers(): readonly Layer[] {
    return [...this.#layers];
  }

  override get sublayers(): readonly Layer[] {
    return this.#layers;
  }

  /** Adds a layer behind the others. */
  add(layer: Layer | SymbolicTensor): void {
    const added: unknown = layer instanceof SymbolicTensor ? layer.layer : layer;
    if (!(added instanceof Layer)) {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), `a layer at position ${this.#layers.length}`, describe(added));
    }
    if (added instanceof InputLayer) {
      if (this.#layers.length > 0 || this.#input) {
        throw mismatch(
          'ERR_ARGUMENT',
          this.errorLabel(),
          'an input layer in front only',
          `"${added.name}" behind others`,
        );
      }
      this.#start(added.output);
      return;
    }
    if (this.#layers.some(({ name }) => name === added.name)) {
      const received = `two layers named "${added.name}"`;
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'layers with different names', received);
    }
    if (this.#layers.length === 0 && !this.#input) {
      const shape = declaredShape(added);
      if (shape) this.#start(new InputLayer({ batchShape: shape }).output);
    }
    if (this.#input) this.#extend(added);
    this.#layers.push(added);
    this.#graphMade = undefined;
    if (this.#input) this.build(this.#input.shape);
  }

  /** Takes the last layer away. */
  pop(): Layer {
    const layer = this.#layers.pop();
    if (!layer) throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'at least one layer', 'none');
    this.#graphMade = undefined;
    if (this.#input) {
      this.#chain.pop();
      layer.inboundNodes.pop();
    }
    return layer;
  }

  /** Makes the weights of all layers for inputs of a shape. */
  override build(inputShape: SymbolicShape): void {
    if (this.#input) return;
    this.#input = new InputLayer({ batchShape: inputShape }).output;
    for (const layer of this.#layers) this.#extend(layer);
  }

  override get graph(): FunctionalGraph | undefined {
    const output = this.#chain.at(-1);
    if (!this.#input || output === undefined) return undefined;
    this.#graphMade ??= new FunctionalGraph(this, this.#input, output);
    return this.#graphMade;
  }

  override call(inputs: Nest<Tensor>, _context: CallContext): Nest<Tensor> {
    return this.#layers.reduce<Nest<Tensor>>((x, layer) => layer.apply<Nest<Tensor>>(x), inputs);
  }

  protected override get castsInputs(): boolean {
    return false;
  }

  protected override prepareInputs(inputs: Nest<Tensor>): Nest<Tensor> {
    const x = inputs instanceof Tensor ? inputs : Object.values(inputs)[0]!;
    const { shape, dtype } = this.#input!;
    if (this.#declared) return asDeclared(this, this.#input!.layer.name, x, shape, dtype);
    return x.dtype === 'float64' ? x : cast(x, dtype);
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    if (shapes.length !== 1) {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'one input', `${shapes.length} of them`);
    }
    if (this.#layers.length === 0) throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'at least one layer', 'none');
  }

  override outputShapes(inputs: Nest<SymbolicShape>): Nest<SymbolicShape> {
    return this.#layers.reduce<Nest<SymbolicShape>>(
      (shape, layer) => layer.within(undefined, () => layer.outputShapes(shape)),
      inputs,
    );
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape | readonly SymbolicShape[] {
    return this.outputShapes(inputShape) as SymbolicShape | readonly SymbolicShape[];
  }

  override getConfig(): LayerConfig {
    const layers = this.#layers.map((layer) => serializeLayer(layer) as unknown as ConfigValue);
    const config = super.getConfig();
    if (this.#input && this.#declared) {
      return { ...config, layers: [serializeLayer(this.#input.layer) as unknown as ConfigValue, ...layers] };
    }
    return { ...config, layers, ...(this.#input ? { buildInputShape: this.#input.shape } : {}) };
  }

  static override fromConfig(config: LayerConfig, customLayers?: CustomLayers): Layer {
    const { name, trainable, dtype, layers, buildInputShape } = config as unknown as {
      name: string;
      trainable?: boolean;
      dtype?: PolicyName;
      layers: readonly SerializedLayer[];
      buildInputShape?: SymbolicShape;
    };
    if (!Array.isArray(layers)) {
      throw mismatch('ERR_DATA', { op: 'sequential', layer: name }, 'layers in the configuration', describe(layers));
    }
    const list = layers as readonly SerializedLayer[];
    const made = new this(
      list.map((layer) => deserializeLayer(layer, customLayers)),
      { name, trainable, dtype },
    );
    if (buildInputShape) made.build(buildInputShape);
    return made;
  }

  #start(input: SymbolicTensor): void {
    this.#input = input;
    this.#declared = true;
  }

  #extend(layer: Layer): void {
    const before = this.#chain.at(-1) ?? this.#input!;
    this.#chain.push(layer.apply<Nest<SymbolicTensor>>(before));
  }
}

/** The input shape that a first layer brings along. */
function declaredShape(layer: Layer): SymbolicShape | undefined {
  if (layer.declaredInputShape) return layer.declaredInputShape;
  return layer instanceof Model && layer.inputs.length === 1 ? layer.inputs[0]!.shape : undefined;
}

registerBuiltins([Sequential]);
