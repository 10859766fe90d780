import type { Model } from '../../lib/index.js';
import { denseNet121, denseNet169, denseNet201 } from '../../models/densenet.js';
import * as efficientNet from '../../models/efficientnet.js';
import { inceptionResNetV2 } from '../../models/inception-resnet-v2.js';
import { inceptionV3 } from '../../models/inception-v3.js';
import * as resNet from '../../models/keras-resnet.js';
import { mobileNetV2 } from '../../models/mobilenet-v2.js';
import { mobileNet } from '../../models/mobilenet.js';
import type { ModelOptions } from '../../models/options.js';
import { vgg16, vgg19 } from '../../models/vgg.js';
import { xception } from '../../models/xception.js';

/** A network that keras.applications has too. */
export interface KerasModel {
  readonly make: (options?: ModelOptions) => Model;
  /** Files of test/golden/models-keras. */
  readonly fixtures: readonly string[];
  /** The smallest height and width of its images. */
  readonly least: number;
  /** Of the images it is trained with in tests. */
  readonly trainingSize: number;
  /** Whether it is small enough for the reference device. */
  readonly reference: boolean;
}

const model = (
  make: KerasModel['make'],
  [least, trainingSize]: [number, number],
  ...fixtures: string[]
): KerasModel => ({
  make,
  fixtures,
  least,
  trainingSize,
  reference: fixtures[0]!.startsWith('MobileNet') || fixtures[0]!.startsWith('EfficientNet'),
});

/** By the names of keras.applications, smaller ones first. */
export const KERAS_MODELS: Readonly<Record<string, KerasModel>> = {
  MobileNet: model(mobileNet, [32, 64], 'MobileNet'),
  MobileNetV2: model(mobileNetV2, [32, 64], 'MobileNetV2'),
  EfficientNetB0: model(efficientNet.efficientNetB0, [32, 64], 'EfficientNetB0'),
  DenseNet121: model(denseNet121, [32, 64], 'DenseNet121'),
  ResNet50: model(resNet.kerasResNet50, [32, 64], 'ResNet50', 'ResNet50-notop'),
  ResNet50V2: model(resNet.resNet50V2, [32, 64], 'ResNet50V2'),
  Xception: model(xception, [71, 96], 'Xception', 'Xception-notop'),
  InceptionV3: model(inceptionV3, [75, 107], 'InceptionV3'),
  VGG16: model(vgg16, [32, 32], 'VGG16'),
  ResNet101: model(resNet.kerasResNet101, [32, 64], 'ResNet101'),
  InceptionResNetV2: model(inceptionResNetV2, [75, 107], 'InceptionResNetV2'),
  ResNet152: model(resNet.kerasResNet152, [32, 64], 'ResNet152'),
  VGG19: model(vgg19, [32, 32], 'VGG19'),
};

/** Larger sizes of the same families, of which Keras publishes how many parameters and layers they have. */
export const KERAS_SIZES: Readonly<Record<string, KerasModel['make']>> = {
  ResNet101V2: resNet.resNet101V2,
  ResNet152V2: resNet.resNet152V2,
  DenseNet169: denseNet169,
  DenseNet201: denseNet201,
  EfficientNetB1: efficientNet.efficientNetB1,
  EfficientNetB2: efficientNet.efficientNetB2,
  EfficientNetB3: efficientNet.efficientNetB3,
  EfficientNetB4: efficientNet.efficientNetB4,
  EfficientNetB5: efficientNet.efficientNetB5,
  EfficientNetB6: efficientNet.efficientNetB6,
  EfficientNetB7: efficientNet.efficientNetB7,
};
