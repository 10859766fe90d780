import { FoveaError } from '../../errors.js';
import type { PolicyName } from '../../layers/policy.js';
import type { LayerConfig } from '../../layers/registry.js';
import { camelCase, type ConfigValue } from '../../util/options.js';
import { isRecord, type Json } from './json.js';

/** A layer as Keras describes it, whatever the version. */
export interface KerasLayer {
  readonly className: string;
  readonly registeredName: string | undefined;
  readonly config: Json;
}

/** Classes that older files call otherwise. */
const ALIASES: Readonly<Record<string, string>> = {
  Model: 'Functional',
  Convolution2D: 'Conv2D',
  Convolution2DTranspose: 'Conv2DTranspose',
  Deconvolution2D: 'Conv2DTranspose',
  DepthwiseConvolution2D: 'DepthwiseConv2D',
  SeparableConvolution2D: 'SeparableConv2D',
  MaxPool2D: 'MaxPooling2D',
  AvgPool2D: 'AveragePooling2D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  SyncBatchNormalization: 'BatchNormalization',
};

/** @param json - `{ class_name, config, ... }` */
export function readLayer(json: unknown): KerasLayer | undefined {
  if (!isRecord(json) || typeof json['class_name'] !== 'string') return undefined;
  // Keras 2.1 wrote the layers of a Sequential where the configuration is.
  const config = Array.isArray(json['config']) ? { layers: json['config'] as unknown[] } : json['config'];
  if (!isRecord(config)) return undefined;
  const className = ALIASES[json['class_name']] ?? json['class_name'];
  const registered = json['registered_name'];
  // Keras 2 writes the registered name as the class.
  const [, inner] = /^[^>]+>(\w+)$/.exec(className) ?? [];
  if (inner !== undefined) return { className: inner, registeredName: className, config };
  const own = typeof registered === 'string' && registered.includes('>');
  return { className, registeredName: own ? registered : undefined, config };
}

/** Options that ask for nothing: they are left out as long as they have one of these values. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  data_format: ['channels_last', null],
  activity_regularizer: [null],
  kernel_constraint: [null],
  bias_constraint: [null],
  depthwise_constraint: [null],
  pointwise_constraint: [null],
  beta_constraint: [null],
  gamma_constraint: [null],
  alpha_constraint: [null],
  quantization_config: [null],
  lora_rank: [null],
  synchronized: [false],
  renorm: [false],
  fused: [true, false, null],
  virtual_batch_size: [null],
  sparse: [false],
  ragged: [false],
  type_spec: [null],
  invert: [false],
  crop_to_aspect_ratio: [false],
  pad_to_aspect_ratio: [false],
  antialias: [false],
  autocast: [true],
  dynamic: [false],
  implementation: [1, 2],
  input_dtype: ['float32', null],
};
/** Options that say nothing of what is computed, whatever their value. */
const IGNORED = new Set([
  'renorm_clipping',
  'renorm_momentum',
  'optional',
  'sparse_input',
  'experimental_run_tf_function',
  'shared_object_id',
]);

/** Options of base classes that these classes write but do not use. */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  DepthwiseConv2D: ['groups', 'kernel_initializer', 'kernel_regularizer', 'filters'],
  SeparableConv2D: ['groups', 'kernel_initializer', 'kernel_regularizer'],
  Conv2DTranspose: ['groups'],
  // They say how images are padded, which `pad_to_aspect_ratio` has to ask for.
  Resizing: ['fill_mode', 'fill_value'],
};

/** The spelling of an option here, where it is not only another case; by class, else for all. */
const RENAMED: Readonly<Record<string, string>> = {
  batch_shape: 'batchShape',
  keepdims: 'keepDims',
  'LeakyReLU.alpha': 'negativeSlope',
  'InputLayer.batch_input_shape': 'batchShape',
  'BatchNormalization.mode': '',
};

/** What policies of Keras become here, where weights are always float32. */
const POLICIES: Readonly<Record<string, PolicyName>> = {
  float32: 'float32',
  float64: 'float32',
  float16: 'mixed_float16',
  bfloat16: 'mixed_bfloat16',
  mixed_float16: 'mixed_float16',
  mixed_bfloat16: 'mixed_bfloat16',
};

/**
 * The options of a layer of the library, from Keras's configuration of it.
 *
 * @throws FoveaError ERR_UNSUPPORTED for options that the layer does not have, such as constraints
 */
export function builtinConfig(file: string, { className, config }: KerasLayer): LayerConfig {
  const out: Record<string, ConfigValue | undefined> = {};
  for (const [key, value] of Object.entries(config)) {
    if (IGNORED.has(key) || UNUSED[className]?.includes(key)) continue;
    const neutral = NEUTRAL[key];
    if (neutral) {
      if (neutral.includes(value)) continue;
      throw new FoveaError(
        `${file}: layer "${nameOf(config)}" (${className}): ${key} ${JSON.stringify(value)} is not supported`,
        { code: 'ERR_UNSUPPORTED', op: 'loadModel', layer: nameOf(config), received: key },
      );
    }
    const name = RENAMED[`${className}.${key}`] ?? RENAMED[key] ?? camelCase(key);
    if (key === 'dtype' && className !== 'InputLayer') Object.assign(out, policyOf(value));
    else if (name !== '') out[name] = readValue(value);
  }
  if (className === 'BatchNormalization' && Array.isArray(out['axis']) && out['axis'].length === 1) {
    out['axis'] = out['axis'][0] as number;
  }
  if (className === 'InputLayer' && out['dtype'] !== undefined) out['dtype'] = inputType(out['dtype']);
  return out;
}

/** The options of a user's layer: names in camelCase, values as they are. */
export function customConfig({ config }: KerasLayer): LayerConfig {
  const out: Record<string, ConfigValue | undefined> = {};
  for (const [key, value] of Object.entries(config)) {
    if (key === 'dtype') Object.assign(out, policyOf(value));
    else out[camelCase(key)] = readValue(value);
  }
  return out;
}

function nameOf(config: Json): string {
  return typeof config['name'] === 'string' ? config['name'] : '';
}

function policyOf(value: unknown): { dtype?: string } {
  const inner = isRecord(value) && isRecord(value['config']) ? value['config']['name'] : value;
  const policy = typeof inner === 'string' ? POLICIES[inner] : undefined;
  return policy === undefined || policy === 'float32' ? {} : { dtype: policy };
}

function inputType(value: ConfigValue): ConfigValue {
  return value === 'float16' || value === 'float64' ? 'float32' : value === 'int64' ? 'int32' : value;
}

/**
 * A value as it is written here: tuples and NumPy's arrays as lists, functions by their names, objects as
 * `{ className, config }`.
 */
export function readValue(value: unknown): ConfigValue {
  if (Array.isArray(value)) return value.map(readValue);
  if (!isRecord(value)) return value as ConfigValue;
  const { class_name: className, config } = value;
  if (typeof className !== 'string') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readValue(inner)]));
  }
  if (className === '__tuple__') return readValue(value['items']);
  if (className === '__numpy__' || className === '__tensor__' || className === '__ndarray__') {
    return readValue(isRecord(config) ? config['value'] : config);
  }
  if (className === 'function') return config as ConfigValue;
  const inner = isRecord(config) ? config : {};
  const kept = Object.entries(inner).filter(([key]) => !OF_INITIALIZERS.has(key));
  return { className, config: Object.fromEntries(kept.map(([key, v]) => [camelCase(key), readValue(v)])) };
}

/** What configurations of initializers hold besides what they need: types and axes that follow from the weight. */
const OF_INITIALIZERS = new Set(['dtype', 'input_axes', 'output_axes', 'layout']);
