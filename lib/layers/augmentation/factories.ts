import { registerBuiltins } from '../registry.js';
import { RandomColorPca, type RandomColorPcaOptions } from './random-color-pca.js';
import { RandomCrop, type RandomCropOptions } from './random-crop.js';
import { RandomFlip, type RandomFlipOptions } from './random-flip.js';

registerBuiltins([RandomColorPca, RandomCrop, RandomFlip]);

/** Images mirrored at random. */
export const randomFlip = (options?: RandomFlipOptions): RandomFlip => new RandomFlip(options);
/** Parts of images, cut out at random. */
export const randomCrop = (options: RandomCropOptions): RandomCrop => new RandomCrop(options);
/** AlexNet's shift of colours. */
export const randomColorPca = (options?: RandomColorPcaOptions): RandomColorPca => new RandomColorPca(options);
