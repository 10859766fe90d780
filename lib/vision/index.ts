/** Images: reading, resizing, preparing them for networks, naming what networks say. The `vision` namespace. */
export { augment, type Augmentable, type AugmentOptions } from './augment.js';
export { centerCrop, centralCrop, cropImage, cropOrPad, cropToAspect, flipLeftRight, type Box } from './crop.js';
export { confusionMatrix, type ClassValues } from './confusion-matrix.js';
export { decodeImage, type ColorMode, type DecodeOptions } from './decode.js';
export { decodePredictions, type DecodePredictionsOptions, type Prediction } from './decode-predictions.js';
export { gradCam, type GradCamOptions } from './grad-cam.js';
export { IMAGENET_CLASSES, type ImageNetClass } from './imagenet-classes.js';
export { loadImage, type LoadImageOptions } from './load-image.js';
export { modelPreprocessing, type ModelPreprocessing } from './models.js';
export { prepareImage, resizeShorterSide, stackImages } from './prepare-image.js';
export { IMAGENET_MEAN, IMAGENET_STD, preprocessInput, type PreprocessMode } from './preprocess-input.js';
export type { ResizeMethod } from '../ops/resize-weights.js';
export { resize, smartResize, type ResizeImagesOptions } from './resize.js';
export { resizeImage, type ImageInterpolation, type ResizeImageOptions } from './resize-image.js';
