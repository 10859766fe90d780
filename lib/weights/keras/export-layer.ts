import { FoveaError } from '../../errors.js';
import { InputLayer } from '../../layers/input.js';
import type { Layer } from '../../layers/layer.js';
import { serializeLayer } from '../../layers/registry.js';
import { getActivation } from '../../layers/activations.js';
import type { ConfigValue } from '../../util/options.js';

/** JSON as Keras reads it. */
export type KerasJson = { [key: string]: unknown };

/** Classes that Keras has under the same names, in `keras.layers`. */
const KERAS_CLASSES = new Set([
  ...['Activation', 'Add', 'Average', 'AveragePooling2D', 'BatchNormalization', 'Concatenate', 'Conv2D'],
  ...['Conv2DTranspose', 'Cropping2D', 'Dense', 'DepthwiseConv2D', 'Dropout', 'ELU', 'Flatten'],
  ...['GlobalAveragePooling2D', 'GlobalMaxPooling2D', 'Identity', 'InputLayer', 'LeakyReLU', 'MaxPooling2D'],
  ...['Maximum', 'Minimum', 'Multiply', 'Normalization', 'PReLU', 'Permute', 'ReLU', 'Rescaling', 'Reshape'],
  ...['Resizing', 'SeparableConv2D', 'Softmax', 'SpatialDropout2D', 'Subtract', 'UpSampling2D', 'ZeroPadding2D'],
]);
/** Layers that take windows of images: Keras knows paddings by name only. */
const PADDING_BY_NAME = /Conv2D|Pooling2D/;

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A layer that is no model, as `serialize_keras_object` writes it. */
export function kerasLayer(file: string, layer: Layer): KerasJson {
  const { className, config, registeredName } = serializeLayer(layer);
  if (layer instanceof InputLayer) {
    const { batchShape: batch_shape, dtype, name } = layer;
    const config = { batch_shape, dtype, sparse: false, ragged: false, name };
    return { module: 'keras.layers', class_name: className, config, registered_name: null };
  }
  const builtin = KERAS_CLASSES.has(className) && registeredName === undefined;
  const options = Object.entries(config).filter(([key]) => key !== 'dtype');
  const written = Object.fromEntries(options.map(([key, value]) => [optionName(key), optionValue(key, value)]));
  if (builtin && PADDING_BY_NAME.test(className) && Array.isArray(config['padding'])) {
    throw new FoveaError(
      `${file}: layer "${layer.name}" (${className}): Keras has no padding ${JSON.stringify(config['padding'])}; ` +
        `put a zeroPadding2d in front and use padding 'valid'`,
      { code: 'ERR_UNSUPPORTED', op: 'saveModel', layer: layer.name },
    );
  }
  const shapes = layer.buildShapes;
  return {
    module: builtin ? 'keras.layers' : null,
    class_name: className,
    config: { ...written, dtype: policyJson(layer) },
    registered_name: builtin ? null : (registeredName ?? `fovea>${className}`),
    ...(shapes ? { build_config: { input_shape: shapes.length === 1 ? shapes[0] : shapes } } : {}),
  };
}

export function policyJson(layer: Layer): KerasJson {
  const config = { name: layer.dtypePolicy };
  return { module: 'keras', class_name: 'DTypePolicy', config, registered_name: null };
}

function optionName(key: string): string {
  return key === 'keepDims' ? 'keepdims' : snake(key);
}

function optionValue(key: string, value: ConfigValue | undefined): unknown {
  if (key === 'activation' && typeof value === 'string') return snake(getActivation(value).name);
  if (isObject(value)) {
    const kind = key.endsWith('Regularizer')
      ? 'regularizers'
      : key.endsWith('Initializer')
        ? 'initializers'
        : undefined;
    if (kind) return objectJson(`keras.${kind}`, value);
  }
  return value;
}

function isObject(value: ConfigValue | undefined): value is { className: string; config: Record<string, ConfigValue> } {
  return typeof value === 'object' && value !== null && 'className' in value;
}

/** An initializer, regularizer, optimizer or the like. */
export function objectJson(
  module: string,
  { className, config }: { readonly className: string; readonly config: object },
): KerasJson {
  const entries = Object.entries(config).map(([key, value]: [string, unknown]) => [
    snake(key),
    // Words for modes are spelled as options are: fan_in, truncated_normal.
    typeof value === 'string' && key !== 'name' ? snake(value) : value,
  ]);
  return { module, class_name: className, config: Object.fromEntries(entries) as KerasJson, registered_name: null };
}
