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
