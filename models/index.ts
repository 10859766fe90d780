export { alexNet, alexNetTorchvision } from './alexnet.js';
export { bookResNet34, ResidualUnit, type ResidualUnitOptions } from './book-resnet34.js';
export { denseNet121, denseNet169, denseNet201 } from './densenet.js';
export {
  efficientNetB0,
  efficientNetB1,
  efficientNetB2,
  efficientNetB3,
  efficientNetB4,
  efficientNetB5,
  efficientNetB6,
  efficientNetB7,
  type EfficientNetOptions,
} from './efficientnet.js';
export { fashionCnn, type FashionCnnOptions } from './fashion-cnn.js';
export { googLeNet, googLeNetTorchvision, seInception, type GoogLeNetOptions } from './googlenet.js';
export { inceptionResNetV2 } from './inception-resnet-v2.js';
export { inceptionV3 } from './inception-v3.js';
export { inceptionV4 } from './inception-v4.js';
export { kerasResNet101, kerasResNet152, kerasResNet50, resNet101V2, resNet152V2, resNet50V2 } from './keras-resnet.js';
export { leNet5 } from './le-net5.js';
export { mobileNetV2 } from './mobilenet-v2.js';
export { mobileNet, type MobileNetOptions } from './mobilenet.js';
export type { ModelOptions } from './options.js';
export { type ModelBuilder, type PretrainedOptions } from './pretrained.js';
export {
  createModel,
  listModels,
  modelInfo,
  type ModelInfo,
  type Paper,
  type Preprocessing,
  type PublishedWeights,
} from './registry.js';
export {
  residualBlock,
  residualStages,
  resNet101,
  resNet152,
  resNet18,
  resNet34,
  resNet50,
  type BlockDesign,
} from './resnet.js';
export { seNet154, seResNet101, seResNet152, seResNet18, seResNet34, seResNet50, seResNet50Timm } from './senet.js';
export { AdaptiveAveragePooling2D, squeezeExcite } from './torch-blocks.js';
export { fromStateDict, torchWeights, type TorchTensor, type TorchWeight } from './torch-names.js';
export { vgg11Torchvision, vgg16Torchvision, vgg19Torchvision } from './torch-vgg.js';
export { xceptionTimm } from './torch-xception.js';
export { vgg16, vgg19 } from './vgg.js';
export { xception } from './xception.js';
