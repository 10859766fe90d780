import { mismatch } from '../errors.js';
import { isDType, type DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkKeys, wrongArgument } from './arguments.js';
import { Layer, type LayerOptions } from './layer.js';
import type { Nest } from './nest.js';
import type { LayerConfig } from './registry.js';
import { LayerNode, SymbolicTensor, type SymbolicShape } from './symbolic.js';

export interface InputOptions extends Omit<LayerOptions, 'dtype'> {
  /** Shape of the inputs without the batch, `null` where the size may change. */
  shape?: SymbolicShape | undefined;
  /** Shape with the batch; instead of `shape`. */
  batchShape?: SymbolicShape | undefined;
  /** Size of the batch where it is fixed. */
  batchSize?: number | undefined;
  /** What inputs are cast to. `'float32'` by default. */
  dtype?: DType | undefined;
}

/** Where a functional model begins. */
export class InputLayer extends Layer {
  static readonly className: string = 'InputLayer';
  readonly batchShape: SymbolicShape;
  readonly dtype: DType;

  constructor(options: InputOptions) {
    super({ ...options, dtype: 'float32' });
    checkKeys(this, options, ['shape', 'batchShape', 'batchSize', 'dtype', 'sparse', 'ragged', 'optional']);
    const declared = options.batchShape ?? (options.shape ? [options.batchSize ?? null, ...options.shape] : undefined);
    const shape: unknown = declared ?? this.declaredInputShape;
    const fits = Array.isArray(shape) && shape.every((d) => d === null || (Number.isInteger(d) && d > 0));
    if (!fits) throw wrongArgument(this, 'shape', 'a list of sizes, null where one is open', options.shape);
    const dtype: unknown = options.dtype ?? 'float32';
    if (!isDType(dtype)) throw wrongArgument(this, 'dtype', 'a dtype', dtype);
    this.batchShape = shape as SymbolicShape;
    this.dtype = dtype;
    this.build(this.batchShape);
    const node = new LayerNode(this, [], undefined);
    node.outputs = new SymbolicTensor(this.batchShape, dtype, node, 0);
    this.inboundNodes.push(node);
  }

  /** The value that stands for the input. */
  override get output(): SymbolicTensor {
    return this.inboundNodes[0]!.outputTensors[0]!;
  }

  protected override defaultName(): string {
    return 'InputLayer';
  }

  override call(_inputs: Nest<Tensor>): Tensor {
    throw mismatch('ERR_UNSUPPORTED', this.errorLabel(), 'no call: an input layer is where a model begins', 'one');
  }

  override getConfig(): LayerConfig {
    return { name: this.name, batchShape: this.batchShape, dtype: this.dtype };
  }
}

/**
 * The first value of a functional model.
 *
 * @example
 * const image = input({ shape: [28, 28, 1] });
 * const model = new Model({ inputs: image, outputs: layers.dense({ units: 10 }).apply(layers.flatten().apply(image)) });
 */
export function input(options: InputOptions): SymbolicTensor {
  return new InputLayer(options).output;
}
