export * from './activation.js';
export { activationNames, activations, getActivation, type Activation as ActivationFunction } from './activations.js';
export type { ActivationLike } from './activations.js';
export * from './augmentation/index.js';
export type { ConvOptions } from './conv-base.js';
export { Conv2D, Conv2DTranspose, type Conv2DOptions, type Conv2DTransposeOptions } from './conv.js';
export * from './dense.js';
export * from './depthwise-conv.js';
export * from './dropout.js';
export * from './factories.js';
export * from './image.js';
export * from './input.js';
export { Layer, type ApplyOptions, type CallContext, type LayerOptions, type WeightOptions } from './layer.js';
export * from './merge.js';
export { resetLayerNames } from './names.js';
export type { Nest } from './nest.js';
export * from './normalization.js';
export type { InitializerLike, RegularizerLike } from './parts.js';
export { policy, setPolicy, type PolicyName } from './policy.js';
export * from './pooling.js';
export * from './preprocessing.js';
export {
  deserializeLayer,
  registerLayer,
  serializeLayer,
  type CustomLayers,
  type LayerClass,
  type LayerConfig,
  type SerializedLayer,
} from './registry.js';
export * from './reshaping.js';
export { formatSymbolicShape, LayerNode, SymbolicTensor, type SymbolicShape } from './symbolic.js';
export { UnaryLayer } from './unary.js';
export type { WeightValue } from './weights.js';
