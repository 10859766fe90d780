/** Layers that change images at random in training. */
export { AugmentationLayer, type AugmentationOptions } from './augmentation-layer.js';
export { RandomColorPca, type RandomColorPcaOptions } from './random-color-pca.js';
export { RandomCrop, type RandomCropOptions } from './random-crop.js';
export { RandomFlip, type FlipMode, type RandomFlipOptions } from './random-flip.js';
export * from './factories.js';
