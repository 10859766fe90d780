import { registerBuiltins } from '../registry.js';
import { CenterCrop, type CenterCropOptions } from './center-crop.js';
import { CutMix } from './cut-mix.js';
import { MixUp } from './mix-up.js';
import type { MixingOptions } from './mixing-layer.js';
import { RandAugment, type RandAugmentOptions } from './rand-augment.js';
import { RandomBrightness, type RandomBrightnessOptions } from './random-brightness.js';
import { RandomColorPca, type RandomColorPcaOptions } from './random-color-pca.js';
import { RandomContrast, type RandomContrastOptions } from './random-contrast.js';
import { RandomCrop, type RandomCropOptions } from './random-crop.js';
import { RandomErasing, type RandomErasingOptions } from './random-erasing.js';
import { RandomFlip, type RandomFlipOptions } from './random-flip.js';
import { RandomRotation, type RandomRotationOptions } from './random-rotation.js';
import { RandomShear, type RandomShearOptions } from './random-shear.js';
import { RandomTranslation, type RandomTranslationOptions } from './random-translation.js';
import { RandomZoom, type RandomZoomOptions } from './random-zoom.js';

registerBuiltins([
  ...[CenterCrop, CutMix, MixUp, RandAugment, RandomBrightness, RandomColorPca, RandomContrast, RandomCrop],
  ...[RandomErasing, RandomFlip, RandomRotation, RandomShear, RandomTranslation, RandomZoom],
]);

/** The middle of images. */
export const centerCrop = (options: CenterCropOptions): CenterCrop => new CenterCrop(options);
/** A box of another image in each image, labels by area. */
export const cutMix = (options?: MixingOptions): CutMix => new CutMix(options);
/** Weighted means of pairs of images and of their labels. */
export const mixUp = (options?: MixingOptions): MixUp => new MixUp(options);
/** Some of many changes, drawn for each image. */
export const randAugment = (options?: RandAugmentOptions): RandAugment => new RandAugment(options);
/** Lighter or darker. */
export const randomBrightness = (options: RandomBrightnessOptions): RandomBrightness => new RandomBrightness(options);
/** AlexNet's shift of colours. */
export const randomColorPca = (options?: RandomColorPcaOptions): RandomColorPca => new RandomColorPca(options);
/** More or less contrast. */
export const randomContrast = (options: RandomContrastOptions): RandomContrast => new RandomContrast(options);
/** Parts of images, cut out at random. */
export const randomCrop = (options: RandomCropOptions): RandomCrop => new RandomCrop(options);
/** Images with a box erased. */
export const randomErasing = (options?: RandomErasingOptions): RandomErasing => new RandomErasing(options);
/** Images mirrored at random. */
export const randomFlip = (options?: RandomFlipOptions): RandomFlip => new RandomFlip(options);
/** Images turned around their middle. */
export const randomRotation = (options: RandomRotationOptions): RandomRotation => new RandomRotation(options);
/** Slanted images. */
export const randomShear = (options?: RandomShearOptions): RandomShear => new RandomShear(options);
/** Images moved. */
export const randomTranslation = (options: RandomTranslationOptions): RandomTranslation =>
  new RandomTranslation(options);
/** Larger or smaller images. */
export const randomZoom = (options: RandomZoomOptions): RandomZoom => new RandomZoom(options);
