import { FoveaError } from '../errors.js';
import { published } from '../weights/hub/facts.js';
import type { PreprocessMode } from './preprocess-input.js';

/** How images become inputs of a network with published weights. */
export interface ModelPreprocessing {
  readonly mode: PreprocessMode;
  /** Height and width of the inputs. */
  readonly size: readonly [number, number];
  /**
   * torchvision and timm: the shorter side is brought to this many pixels (Pillow, antialiased), then `size` is cut out
   * of the middle. Keras has no such step: images are resized to `size`, whatever their proportions.
   */
  readonly shorterSide?: number;
  /** `'nearest'` is the default of Keras's `load_img`. */
  readonly interpolation: 'nearest' | 'bilinear' | 'bicubic';
}

/** Networks with Keras's weights: mode and side of the inputs, as keras.applications 3.15 has them. */
const KERAS: Readonly<Record<string, readonly [PreprocessMode, number]>> = {
  vgg16: ['caffe', 224],
  vgg19: ['caffe', 224],
  resnet50_keras: ['caffe', 224],
  resnet101_keras: ['caffe', 224],
  resnet152_keras: ['caffe', 224],
  resnet50v2: ['tf', 224],
  resnet101v2: ['tf', 224],
  resnet152v2: ['tf', 224],
  inception_v3: ['tf', 299],
  inception_resnet_v2: ['tf', 299],
  xception: ['tf', 299],
  mobilenet: ['tf', 224],
  mobilenet_v2: ['tf', 224],
  densenet121: ['torch', 224],
  densenet169: ['torch', 224],
  densenet201: ['torch', 224],
  efficientnetb0: ['none', 224],
  efficientnetb1: ['none', 240],
  efficientnetb2: ['none', 260],
  efficientnetb3: ['none', 300],
  efficientnetb4: ['none', 380],
  efficientnetb5: ['none', 456],
  efficientnetb6: ['none', 528],
  efficientnetb7: ['none', 600],
};

/** Networks of torchvision and timm with mean and deviation 0.5, which is -1 to 1. */
const HALVES: ReadonlySet<string> = new Set(['googlenet_torchvision', 'inception_v4', 'xception_timm']);

/**
 * How images become inputs of a network of the zoo.
 *
 * @param model - its name there: `'resnet50'`
 * @param weights - which of the published weights, `'imagenet'` for the preferred ones
 * @throws FoveaError ERR_NOT_FOUND when nobody published such weights
 */
export function modelPreprocessing(model: string, weights = 'imagenet'): ModelPreprocessing {
  return preprocessingOf('modelPreprocessing', model, weights);
}

/** @internal As {@link modelPreprocessing}, for messages of `op`. */
export function preprocessingOf(op: string, model: string, weights = 'imagenet'): ModelPreprocessing {
  const keras = Object.hasOwn(KERAS, model) ? KERAS[model] : undefined;
  if (keras && weights === 'imagenet') {
    return { mode: keras[0], size: [keras[1], keras[1]], interpolation: 'nearest' };
  }
  const entry = published().find((e) => {
    return e.model === model && (weights === 'imagenet' ? e.preferred : e.name === weights);
  });
  if (!entry?.evaluation) {
    const known = [...new Set(published().map((e) => e.model))].join(', ');
    const received = `'${String(model)}'${weights === 'imagenet' ? '' : ` with weights '${weights}'`}`;
    throw new FoveaError(`${op}: expected a network with published weights (${known}), received ${received}`, {
      code: 'ERR_NOT_FOUND',
      ...{ op, expected: known, received: model },
    });
  }
  const [shorterSide, side, interpolation] = entry.evaluation;
  return { mode: HALVES.has(model) ? 'tf' : 'torch', size: [side, side], shorterSide, interpolation };
}
