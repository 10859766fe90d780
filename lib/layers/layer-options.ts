import type * as initializers from '../initializers/index.js';
import type * as regularizers from '../regularizers/index.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { PolicyName } from './policy.js';
import type { SymbolicShape } from './symbolic.js';

/** Options every layer takes. */
export interface LayerOptions {
  /** Unique in a model; `conv2d`, `conv2d_1`, ... unless given. */
  name?: string | undefined;
  /** Whether training changes the weights. True unless told. */
  trainable?: boolean | undefined;
  /** Shape of the inputs without the batch: makes the first layer of a `Sequential` known its input. */
  inputShape?: SymbolicShape | undefined;
  /** Shape of the inputs with the batch. */
  batchInputShape?: SymbolicShape | undefined;
  /** Name of the policy of types, as {@link setPolicy} takes it; that of the time when the layer is made, unless given. */
  dtype?: PolicyName | undefined;
}

/** What `call` is told besides its inputs. */
export interface CallContext {
  /** Whether the layer behaves as in training (dropout, batch statistics) or as in inference. */
  readonly training: boolean;
}

export interface ApplyOptions {
  /** Training or inference; that of the layer that applies this one, at the top false, unless given. */
  training?: boolean | undefined;
}

export interface WeightOptions {
  /** The weight's part of its name: `kernel` in `conv2d/kernel`. */
  name: string;
  shape: Shape;
  /** Name, configuration or object. Glorot uniform unless given. */
  initializer?: Parameters<typeof initializers.get>[0] | undefined;
  /** A penalty that is added to the loss while the weight is trained. */
  regularizer?: Parameters<typeof regularizers.get>[0] | undefined;
  /** False for state that training does not change by gradients. True unless told. */
  trainable?: boolean | undefined;
  /** `'float32'` unless given. */
  dtype?: DType | undefined;
  /** Whether a layer of mixed precision reads it in its compute type. True unless told. */
  autocast?: boolean | undefined;
}
