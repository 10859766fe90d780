import {
  Activation,
  ELU,
  LeakyReLU,
  PReLU,
  ReLU,
  Softmax,
  type ActivationOptions,
  type ELUOptions,
  type LeakyReLUOptions,
  type PReLUOptions,
  type ReLUOptions,
  type SoftmaxOptions,
} from './activation.js';
import { Conv2D, Conv2DTranspose, type Conv2DOptions, type Conv2DTransposeOptions } from './conv.js';
import { Dense, type DenseOptions } from './dense.js';
import {
  DepthwiseConv2D,
  SeparableConv2D,
  type DepthwiseConv2DOptions,
  type SeparableConv2DOptions,
} from './depthwise-conv.js';
import { Dropout, SpatialDropout2D, type DropoutOptions, type NoiseDropoutOptions } from './dropout.js';
import {
  Cropping2D,
  Resizing,
  UpSampling2D,
  ZeroPadding2D,
  type Cropping2DOptions,
  type ResizingOptions,
  type UpSampling2DOptions,
  type ZeroPadding2DOptions,
} from './image.js';
import { InputLayer, type InputOptions } from './input.js';
import type { LayerOptions } from './layer.js';
import { Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract, type ConcatenateOptions } from './merge.js';
import {
  BatchNormalization,
  LocalResponseNormalization,
  type BatchNormalizationOptions,
  type LocalResponseNormalizationOptions,
} from './normalization.js';
import {
  AveragePooling2D,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  MaxPooling2D,
  type GlobalPooling2DOptions,
  type Pooling2DOptions,
} from './pooling.js';
import { Normalization, Rescaling, type NormalizationOptions, type RescalingOptions } from './preprocessing.js';
import { registerBuiltins } from './registry.js';
import { Flatten, Identity, Permute, Reshape, type PermuteOptions, type ReshapeOptions } from './reshaping.js';

registerBuiltins([
  Activation,
  Add,
  Average,
  AveragePooling2D,
  BatchNormalization,
  Concatenate,
  Conv2D,
  Conv2DTranspose,
  Cropping2D,
  Dense,
  DepthwiseConv2D,
  Dropout,
  ELU,
  Flatten,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  Identity,
  InputLayer,
  LeakyReLU,
  LocalResponseNormalization,
  Maximum,
  MaxPooling2D,
  Minimum,
  Multiply,
  Normalization,
  Permute,
  PReLU,
  ReLU,
  Rescaling,
  Reshape,
  Resizing,
  SeparableConv2D,
  Softmax,
  SpatialDropout2D,
  Subtract,
  UpSampling2D,
  ZeroPadding2D,
]);

/** An {@link InputLayer}, as the first of a `Sequential`; `input()` makes the value for functional models. */
export const inputLayer = (options: InputOptions): InputLayer => new InputLayer(options);
/** activation(x · kernel + bias). */
export const dense = (options: DenseOptions): Dense => new Dense(options);
/** 2-D convolution. */
export const conv2d = (options: Conv2DOptions): Conv2D => new Conv2D(options);
/** Transposed convolution. */
export const conv2dTranspose = (options: Conv2DTransposeOptions): Conv2DTranspose => new Conv2DTranspose(options);
/** Convolution of each channel apart. */
export const depthwiseConv2d = (options: DepthwiseConv2DOptions): DepthwiseConv2D => new DepthwiseConv2D(options);
/** Depthwise, then 1x1 convolution. */
export const separableConv2d = (options: SeparableConv2DOptions): SeparableConv2D => new SeparableConv2D(options);
/** Largest of each window. */
export const maxPooling2d = (options?: Pooling2DOptions): MaxPooling2D => new MaxPooling2D(options);
/** Mean of each window. */
export const averagePooling2d = (options?: Pooling2DOptions): AveragePooling2D => new AveragePooling2D(options);
/** Mean of each channel. */
export const globalAveragePooling2d = (options?: GlobalPooling2DOptions): GlobalAveragePooling2D =>
  new GlobalAveragePooling2D(options);
/** Largest of each channel. */
export const globalMaxPooling2d = (options?: GlobalPooling2DOptions): GlobalMaxPooling2D =>
  new GlobalMaxPooling2D(options);
/** Normalization by the statistics of the batch. */
export const batchNormalization = (options?: BatchNormalizationOptions): BatchNormalization =>
  new BatchNormalization(options);
/** AlexNet's normalization across channels. */
export const localResponseNormalization = (options?: LocalResponseNormalizationOptions): LocalResponseNormalization =>
  new LocalResponseNormalization(options);
/** Zeros at random while training. */
export const dropout = (options: NoiseDropoutOptions): Dropout => new Dropout(options);
/** Channels of zeros at random while training. */
export const spatialDropout2d = (options: DropoutOptions): SpatialDropout2D => new SpatialDropout2D(options);
/** An activation by name: `layers.activation({ activation: 'relu' })`, or `layers.activation('relu')`. */
export const activation = (options: ActivationOptions | string): Activation =>
  new Activation(typeof options === 'string' ? { activation: options } : options);
/** max(x, 0), with options. */
export const relu = (options?: ReLUOptions): ReLU => new ReLU(options);
export { relu as reLU };
/** x where positive, else a part of it. */
export const leakyReLU = (options?: LeakyReLUOptions): LeakyReLU => new LeakyReLU(options);
/** Exponential below 0. */
export const elu = (options?: ELUOptions): ELU => new ELU(options);
/** Slopes below 0 that are learnt. */
export const prelu = (options?: PReLUOptions): PReLU => new PReLU(options);
/** Probabilities along an axis. */
export const softmax = (options?: SoftmaxOptions): Softmax => new Softmax(options);
/** Everything behind the batch in one axis. */
export const flatten = (options?: LayerOptions): Flatten => new Flatten(options);
/** The same elements under another shape. */
export const reshape = (options: ReshapeOptions): Reshape => new Reshape(options);
/** Other order of axes. */
export const permute = (options: PermuteOptions): Permute => new Permute(options);
/** Passes its input on. */
export const identity = (options?: LayerOptions): Identity => new Identity(options);
/** Sum of the inputs. */
export const add = (options?: LayerOptions): Add => new Add(options);
/** First input minus second. */
export const subtract = (options?: LayerOptions): Subtract => new Subtract(options);
/** Product of the inputs. */
export const multiply = (options?: LayerOptions): Multiply => new Multiply(options);
/** Mean of the inputs. */
export const average = (options?: LayerOptions): Average => new Average(options);
/** Largest of the inputs. */
export const maximum = (options?: LayerOptions): Maximum => new Maximum(options);
/** Smallest of the inputs. */
export const minimum = (options?: LayerOptions): Minimum => new Minimum(options);
/** Inputs joined along an axis. */
export const concatenate = (options?: ConcatenateOptions): Concatenate => new Concatenate(options);
/** Zeros around images. */
export const zeroPadding2d = (options?: ZeroPadding2DOptions): ZeroPadding2D => new ZeroPadding2D(options);
/** Borders cut off. */
export const cropping2d = (options: Cropping2DOptions): Cropping2D => new Cropping2D(options);
/** Images larger by whole factors. */
export const upSampling2d = (options?: UpSampling2DOptions): UpSampling2D => new UpSampling2D(options);
/** Images of one size. */
export const resizing = (options: ResizingOptions): Resizing => new Resizing(options);
/** x * scale + offset. */
export const rescaling = (options: RescalingOptions): Rescaling => new Rescaling(options);
/** (x - mean) / deviation by channel. */
export const normalization = (options?: NormalizationOptions): Normalization => new Normalization(options);
