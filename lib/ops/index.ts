import './methods.js';

export { affineTransform, type AffineTransformOptions, type FillMode } from './affine-transform.js';
export * from './binary.js';
export * from './conv.js';
export { opTable, type OpDefinition } from './define.js';
export type { Padding, Pair } from './geometry.js';
export * from './indexing.js';
export * from './matmul.js';
export * from './normalization.js';
export * from './pool.js';
export * from './random.js';
export * from './reduce.js';
export * from './resize.js';
export * from './shape.js';
export * from './softmax.js';
export * from './unary.js';
