export {
  grad,
  gradsOf,
  valueAndGrad,
  vjp,
  type Gradients,
  type LossResult,
  type ValueAndGrad,
} from './autograd/grad.js';
export { customGradient, type CustomResult } from './autograd/custom-gradient.js';
export type { DeviceInfo, MissingDevice, StepProfile } from './backends/backend.js';
export { currentDevice, devices, setDevice, withDevice } from './backends/registry.js';
export { FoveaError, type FoveaErrorCode } from './errors.js';
export { compile, type CompiledFunction, type CompileOptions, type CompileStatistics } from './graph/compile.js';
export { perfettoTrace, profileTable } from './graph/profile.js';
export { withLayer } from './graph/trace.js';
export * as ops from './ops/index.js';
export {
  fill,
  hostScalar,
  ones,
  range,
  scalar,
  tensor,
  zeros,
  type TensorLike,
  type TensorOptions,
} from './tensor/create.js';
export type { DType, TypedArray } from './tensor/dtype.js';
export type { NestedArray } from './tensor/print.js';
export type { Shape } from './tensor/shape.js';
export { Tensor } from './tensor/tensor.js';
export { Variable, type VariableOptions } from './tensor/variable.js';
export * as data from './data/index.js';
export * as initializers from './initializers/index.js';
export { Initializer } from './initializers/index.js';
export * as losses from './losses/index.js';
export { Loss } from './losses/index.js';
export * as metrics from './metrics/index.js';
export { Metric } from './metrics/index.js';
export * as optimizers from './optimizers/index.js';
export { Optimizer } from './optimizers/index.js';
export { nextSeed, SeedGenerator, setRandomSeed, type SeedGeneratorOptions } from './random/seed.js';
export * as regularizers from './regularizers/index.js';
export { Regularizer } from './regularizers/index.js';
export * as schedules from './schedules/index.js';
export { LearningRateSchedule } from './schedules/index.js';
export * as layers from './layers/index.js';
export {
  deserializeLayer,
  input,
  Layer,
  policy,
  registerLayer,
  resetLayerNames,
  serializeLayer,
  setPolicy,
  SymbolicTensor,
  type CallContext,
  type CustomLayers,
  type LayerConfig,
  type LayerOptions,
  type Nest,
  type PolicyName,
  type SerializedLayer,
  type SymbolicShape,
  type WeightOptions,
} from './layers/index.js';
export * as callbacks from './training/callbacks/index.js';
export { Callback, History, LambdaCallback } from './training/callbacks/index.js';
export { cloneModel, modelFromJSON } from './training/clone.js';
export { countFlops, type FlopCount, type FlopOptions } from './training/flops.js';
export {
  InterruptError,
  interruptible,
  onInterrupt,
  type Interrupt,
  type InterruptOptions,
} from './training/interrupt.js';
export type { MemoryReport, MemoryReportOptions } from './training/memory-report.js';
export type { ProfileOptions } from './training/profile-model.js';
export { Model, type ModelOptions } from './training/model.js';
export { plotModel, writePlot, type PlotOptions } from './training/plot.js';
export { createRunFolder, type RunFolder } from './training/run-folder.js';
export { Sequential } from './training/sequential.js';
export { readEvents, SummaryWriter, type SummaryImage, type TensorBoardEvent } from './training/tensorboard/index.js';
export type * from './training/trainer-types.js';
export * as vision from './vision/index.js';
export { loadCheckpoint, saveCheckpoint } from './weights/checkpoint.js';
export {
  isPublishedName,
  listWeights,
  loadPretrained,
  publishedFor,
  pullWeights,
  verifyWeights,
  type PulledWeights,
  type PullOptions,
  type PullProgress,
  type WeightsEntry,
  type WeightsStatus,
  type WeightsVerdict,
} from './weights/hub/index.js';
export { loadModel, saveModel } from './weights/model-file.js';
export type { MatchReport } from './weights/match.js';
export { loadWeights, saveWeights, type LoadWeightsOptions } from './weights/model-weights.js';
export {
  fromStateDict,
  loadTorchWeights,
  TorchFile,
  torchWeights,
  type LoadTorchOptions,
  type TorchArray,
  type TorchTensor,
  type TorchWeight,
} from './weights/torch/index.js';
export { exportOnnx, type OnnxOptions } from './weights/onnx/index.js';
export { ShardedSafetensors, writeShardedSafetensors } from './weights/safetensors-shards.js';
export { SafetensorsFile, writeSafetensors, type NamedArray } from './weights/safetensors.js';
