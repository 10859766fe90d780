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
  /** Files of test/golden/models-keras; those marked are only compared in full runs. */
  readonly fixtures: readonly { readonly name: string; readonly full?: boolean }[];
  /** Of the images it is trained with in tests. */
  readonly trainingSize: number;
}

const model = (make: KerasModel['make'], trainingSize: number, ...fixtures: KerasModel['fixtures']): KerasModel => ({
  make,
  fixtures,
  trainingSize,
});

/** By the names of keras.applications, smaller ones first. */
export const KERAS_MODELS: Readonly<Record<string, KerasModel>> = {
  MobileNet: model(mobileNet, 64, { name: 'MobileNet' }),
  MobileNetV2: model(mobileNetV2, 64, { name: 'MobileNetV2' }),
  EfficientNetB0: model(efficientNet.efficientNetB0, 64, { name: 'EfficientNetB0' }),
  DenseNet121: model(denseNet121, 64, { name: 'DenseNet121' }),
  ResNet50: model(resNet.kerasResNet50, 64, { name: 'ResNet50' }, { name: 'ResNet50-notop' }),
  ResNet50V2: model(resNet.resNet50V2, 64, { name: 'ResNet50V2' }),
  Xception: model(xception, 96, { name: 'Xception' }, { name: 'Xception-notop', full: true }),
  InceptionV3: model(inceptionV3, 107, { name: 'InceptionV3' }),
  VGG16: model(vgg16, 32, { name: 'VGG16' }),
  ResNet101: model(resNet.kerasResNet101, 64, { name: 'ResNet101', full: true }),
  InceptionResNetV2: model(inceptionResNetV2, 107, { name: 'InceptionResNetV2', full: true }),
  ResNet152: model(resNet.kerasResNet152, 64, { name: 'ResNet152', full: true }),
  VGG19: model(vgg19, 32, { name: 'VGG19', full: true }),
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
