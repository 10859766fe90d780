import { alexNet, alexNetTorchvision } from './alexnet.js';
import { bookResNet34 } from './book-resnet34.js';
import { denseNet121, denseNet169, denseNet201 } from './densenet.js';
import * as efficientnet from './efficientnet.js';
import { fashionCnn } from './fashion-cnn.js';
import { googLeNet, googLeNetTorchvision, seInception } from './googlenet.js';
import { inceptionResNetV2 } from './inception-resnet-v2.js';
import { inceptionV3 } from './inception-v3.js';
import { inceptionV4 } from './inception-v4.js';
import * as kerasResNet from './keras-resnet.js';
import { leNet5 } from './le-net5.js';
import { mobileNetV2 } from './mobilenet-v2.js';
import { mobileNet } from './mobilenet.js';
import type { ModelBuilder } from './pretrained.js';
import type { ModelInfo, Paper, Preprocessing, PublishedWeights } from './registry.js';
import { resNet101, resNet152, resNet18, resNet34, resNet50 } from './resnet.js';
import * as senet from './senet.js';
import { vgg11Torchvision, vgg16Torchvision, vgg19Torchvision } from './torch-vgg.js';
import { xceptionTimm } from './torch-xception.js';
import { vgg16, vgg19 } from './vgg.js';
import { xception } from './xception.js';

// The zoo as a table. Numbers of parameters and multiply-adds are checked by the tests of the registry.

const paper = (authors: string, year: number, title: string, url: string): Paper => ({ authors, title, year, url });
const arxiv = (authors: string, year: number, title: string, id: string): Paper =>
  paper(authors, year, title, `https://arxiv.org/abs/${id}`);

const LENET = paper(
  'Y. LeCun, L. Bottou, Y. Bengio, P. Haffner',
  1998,
  'Gradient-based learning applied to document recognition',
  'https://doi.org/10.1109/5.726791',
);
const ALEXNET = paper(
  'A. Krizhevsky, I. Sutskever, G. E. Hinton',
  2012,
  'ImageNet Classification with Deep Convolutional Neural Networks',
  'https://doi.org/10.1145/3065386',
);
const ONE_TRICK = arxiv(
  'A. Krizhevsky',
  2014,
  'One weird trick for parallelizing convolutional neural networks',
  '1404.5997',
);
const GOOGLENET = arxiv('C. Szegedy et al.', 2015, 'Going Deeper with Convolutions', '1409.4842');
const VGG = arxiv(
  'K. Simonyan, A. Zisserman',
  2015,
  'Very Deep Convolutional Networks for Large-Scale Image Recognition',
  '1409.1556',
);
const HANDS_ON = paper(
  'A. Géron',
  2022,
  'Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, third edition, chapter 14',
  'https://github.com/ageron/handson-ml3',
);
const RESNET = arxiv(
  'K. He, X. Zhang, S. Ren, J. Sun',
  2016,
  'Deep Residual Learning for Image Recognition',
  '1512.03385',
);
const RESNET_V2 = arxiv(
  'K. He, X. Zhang, S. Ren, J. Sun',
  2016,
  'Identity Mappings in Deep Residual Networks',
  '1603.05027',
);
const INCEPTION_V3 = arxiv(
  'C. Szegedy et al.',
  2016,
  'Rethinking the Inception Architecture for Computer Vision',
  '1512.00567',
);
const INCEPTION_V4 = arxiv(
  'C. Szegedy, S. Ioffe, V. Vanhoucke, A. Alemi',
  2017,
  'Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning',
  '1602.07261',
);
const XCEPTION = arxiv(
  'F. Chollet',
  2017,
  'Xception: Deep Learning with Depthwise Separable Convolutions',
  '1610.02357',
);
const DENSENET = arxiv(
  'G. Huang, Z. Liu, L. van der Maaten, K. Weinberger',
  2017,
  'Densely Connected Convolutional Networks',
  '1608.06993',
);
const MOBILENET = arxiv(
  'A. Howard et al.',
  2017,
  'MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications',
  '1704.04861',
);
const MOBILENET_V2 = arxiv(
  'M. Sandler et al.',
  2018,
  'MobileNetV2: Inverted Residuals and Linear Bottlenecks',
  '1801.04381',
);
const SENET = arxiv('J. Hu, L. Shen, S. Albanie, G. Sun, E. Wu', 2018, 'Squeeze-and-Excitation Networks', '1709.01507');
const EFFICIENTNET = arxiv(
  'M. Tan, Q. V. Le',
  2019,
  'EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks',
  '1905.11946',
);

const keras = (top1: number, top5: number): PublishedWeights => ({ source: 'keras', name: 'imagenet', top1, top5 });
const torchvision = (name: string, top1: number, top5: number): PublishedWeights => ({
  source: 'torchvision',
  name,
  top1,
  top5,
});
const timm = (name: string, top1: number, top5: number): PublishedWeights => ({ source: 'timm', name, top1, top5 });
const V1 = 'IMAGENET1K_V1';
const V2 = 'IMAGENET1K_V2';

const entries = new Map<string, { readonly info: ModelInfo; readonly build: ModelBuilder }>();

/** All networks by name. */
export const CATALOGUE: ReadonlyMap<string, { readonly info: ModelInfo; readonly build: ModelBuilder }> = entries;

/** Name, how it is made, paper, trained and untrained numbers, multiply-adds, image, preprocessing, published weights. */
function add(
  name: string,
  build: ModelBuilder,
  source: Paper,
  [parameters, statistics, multiplyAdds]: readonly [number, number, number],
  size: number | readonly [number, number, number],
  preprocessing: Preprocessing,
  weights: readonly PublishedWeights[] = [],
  classes = 1000,
): void {
  const inputShape = typeof size === 'number' ? ([size, size, 3] as const) : size;
  const year = source.year;
  entries.set(name, {
    build,
    info: {
      name,
      paper: source,
      year,
      parameters,
      statistics,
      multiplyAdds,
      inputShape,
      classes,
      preprocessing,
      weights,
    },
  });
}

// The book's, and the papers' own.
add('lenet5', leNet5, LENET, [61_706, 0, 416_520], [32, 32, 1], 'none', [], 10);
add('fashion_cnn', fashionCnn, HANDS_ON, [1_413_834, 0, 89_466_496], [28, 28, 1], 'none', [], 10);
add('alexnet', alexNet, ALEXNET, [62_378_344, 0, 1_135_256_096], 227, 'none');
add('googlenet', googLeNet, GOOGLENET, [6_998_552, 0, 1_582_671_872], 224, 'none');
add('resnet34_book', bookResNet34, RESNET, [21_289_802, 17_024, 3_663_254_528], 224, 'none', [], 10);
add('se_inception', seInception, SENET, [7_485_935, 14_560, 1_583_146_144], 224, 'none');

// As torchvision draws them.
add('alexnet_torchvision', alexNetTorchvision, ONE_TRICK, [61_100_840, 0, 714_188_480], 224, 'torch', [
  torchvision(V1, 56.522, 79.066),
]);
// Its weights expect inputs in [-1, 1]; torchvision rescales them inside the model.
add('googlenet_torchvision', googLeNetTorchvision, GOOGLENET, [6_624_904, 14_560, 1_498_376_192], 224, 'tf', [
  torchvision(V1, 69.778, 89.53),
]);
add('vgg11_torchvision', vgg11Torchvision, VGG, [132_863_336, 0, 7_609_090_048], 224, 'torch', [
  torchvision(V1, 69.02, 88.628),
]);
add('vgg16_torchvision', vgg16Torchvision, VGG, [138_357_544, 0, 15_470_264_320], 224, 'torch', [
  torchvision(V1, 71.592, 90.382),
]);
add('vgg19_torchvision', vgg19Torchvision, VGG, [143_667_240, 0, 19_632_062_464], 224, 'torch', [
  torchvision(V1, 72.376, 90.876),
]);
add('resnet18', resNet18, RESNET, [11_689_512, 9_600, 1_814_073_344], 224, 'torch', [torchvision(V1, 69.758, 89.078)]);
add('resnet34', resNet34, RESNET, [21_797_672, 17_024, 3_663_761_408], 224, 'torch', [torchvision(V1, 73.314, 91.42)]);
add('resnet50', resNet50, RESNET, [25_557_032, 53_120, 4_089_184_256], 224, 'torch', [
  torchvision(V1, 76.13, 92.862),
  torchvision(V2, 80.858, 95.434),
]);
add('resnet101', resNet101, RESNET, [44_549_160, 105_344, 7_801_405_440], 224, 'torch', [
  torchvision(V1, 77.374, 93.546),
  torchvision(V2, 81.886, 95.78),
]);
add('resnet152', resNet152, RESNET, [60_192_808, 151_424, 11_513_626_624], 224, 'torch', [
  torchvision(V1, 78.312, 94.046),
  torchvision(V2, 82.284, 96.002),
]);

// As timm draws them.
add('inception_v4', inceptionV4, INCEPTION_V4, [42_679_816, 63_168, 12_253_974_624], 299, 'tf', [
  timm('inception_v4.tf_in1k', 80.144, 94.982),
]);
add('xception_timm', xceptionTimm, XCEPTION, [22_855_952, 54_528, 8_357_403_496], 299, 'tf', [
  timm('legacy_xception.tf_in1k', 79.058, 94.396),
]);
add('seresnet18', senet.seResNet18, SENET, [11_778_592, 9_600, 1_814_160_384], 224, 'torch', [
  timm('legacy_seresnet18.in1k', 71.742, 90.34),
]);
add('seresnet34', senet.seResNet34, SENET, [21_958_868, 17_024, 3_663_918_592], 224, 'torch', [
  timm('legacy_seresnet34.in1k', 74.788, 92.134),
]);
add('seresnet50', senet.seResNet50, SENET, [28_088_024, 53_120, 3_860_488_192], 224, 'torch', [
  timm('legacy_seresnet50.in1k', 77.65, 93.732),
]);
add('seresnet101', senet.seResNet101, SENET, [49_326_872, 105_344, 7_574_937_600], 224, 'torch', [
  timm('legacy_seresnet101.in1k', 78.37, 94.264),
]);
add('seresnet152', senet.seResNet152, SENET, [66_821_848, 151_424, 11_288_993_792], 224, 'torch', [
  timm('legacy_seresnet152.in1k', 78.662, 94.37),
]);
add('senet154', senet.seNet154, SENET, [115_088_984, 247_552, 20_688_363_520], 224, 'torch', [
  timm('legacy_senet154.in1k', 81.32, 95.502),
]);
add('seresnet50_timm', senet.seResNet50Timm, SENET, [28_088_024, 53_120, 4_091_699_200], 224, 'torch', [
  timm('seresnet50.a1_in1k', 80.012, 94.704),
  timm('seresnet50.a2_in1k', 80.102, 94.72),
  timm('seresnet50.a3_in1k', 77.036, 93.072),
  timm('seresnet50.ra2_in1k', 80.26, 95.068),
]);

// As Keras draws them.
add('vgg16', vgg16, VGG, [138_357_544, 0, 15_470_264_320], 224, 'caffe', [keras(71.3, 90.1)]);
add('vgg19', vgg19, VGG, [143_667_240, 0, 19_632_062_464], 224, 'caffe', [keras(71.3, 90.0)]);
add('resnet50_keras', kerasResNet.kerasResNet50, RESNET, [25_583_592, 53_120, 3_857_973_248], 224, 'caffe', [
  keras(74.9, 92.1),
]);
add('resnet101_keras', kerasResNet.kerasResNet101, RESNET, [44_601_832, 105_344, 7_570_194_432], 224, 'caffe', [
  keras(76.4, 92.8),
]);
add('resnet152_keras', kerasResNet.kerasResNet152, RESNET, [60_268_520, 151_424, 11_282_415_616], 224, 'caffe', [
  keras(76.6, 93.1),
]);
add('resnet50v2', kerasResNet.resNet50V2, RESNET_V2, [25_568_360, 45_440, 3_482_255_360], 224, 'tf', [
  keras(76.0, 93.0),
]);
add('resnet101v2', kerasResNet.resNet101V2, RESNET_V2, [44_577_896, 97_664, 7_194_476_544], 224, 'tf', [
  keras(77.2, 93.8),
]);
add('resnet152v2', kerasResNet.resNet152V2, RESNET_V2, [60_236_904, 143_744, 10_906_697_728], 224, 'tf', [
  keras(78.0, 94.2),
]);
add('inception_v3', inceptionV3, INCEPTION_V3, [23_817_352, 34_432, 5_713_216_096], 299, 'tf', [keras(77.9, 93.7)]);
add('inception_resnet_v2', inceptionResNetV2, INCEPTION_V4, [55_813_192, 60_544, 13_155_794_016], 299, 'tf', [
  keras(80.3, 95.3),
]);
add('xception', xception, XCEPTION, [22_855_952, 54_528, 8_357_403_496], 299, 'tf', [keras(79.0, 94.5)]);
add('mobilenet', mobileNet, MOBILENET, [4_231_976, 21_888, 568_740_352], 224, 'tf', [keras(70.4, 89.5)]);
add('mobilenet_v2', mobileNetV2, MOBILENET_V2, [3_504_872, 34_112, 300_774_272], 224, 'tf', [keras(71.3, 90.1)]);
add('densenet121', denseNet121, DENSENET, [7_978_856, 83_648, 2_834_161_664], 224, 'torch', [keras(75.0, 92.3)]);
add('densenet169', denseNet169, DENSENET, [14_149_480, 158_400, 3_359_843_328], 224, 'torch', [keras(76.2, 93.2)]);
add('densenet201', denseNet201, DENSENET, [20_013_928, 229_056, 4_291_365_888], 224, 'torch', [keras(77.3, 93.6)]);
// They rescale pixels themselves.
add('efficientnetb0', efficientnet.efficientNetB0, EFFICIENTNET, [5_288_548, 42_023, 385_814_752], 224, 'none', [
  keras(77.1, 93.3),
]);
add('efficientnetb1', efficientnet.efficientNetB1, EFFICIENTNET, [7_794_184, 62_055, 686_802_832], 240, 'none', [
  keras(79.1, 94.4),
]);
add('efficientnetb2', efficientnet.efficientNetB2, EFFICIENTNET, [9_109_994, 67_575, 993_561_872], 260, 'none', [
  keras(80.1, 94.9),
]);
add('efficientnetb3', efficientnet.efficientNetB3, EFFICIENTNET, [12_233_232, 87_303, 1_827_141_392], 300, 'none', [
  keras(81.6, 95.7),
]);
add('efficientnetb4', efficientnet.efficientNetB4, EFFICIENTNET, [19_341_616, 125_207, 4_393_771_024], 380, 'none', [
  keras(82.9, 96.4),
]);
add('efficientnetb5', efficientnet.efficientNetB5, EFFICIENTNET, [30_389_784, 172_743, 10_266_384_752], 456, 'none', [
  keras(83.6, 96.7),
]);
add('efficientnetb6', efficientnet.efficientNetB6, EFFICIENTNET, [43_040_704, 224_439, 19_067_593_536], 528, 'none', [
  keras(84.0, 96.8),
]);
add('efficientnetb7', efficientnet.efficientNetB7, EFFICIENTNET, [66_347_960, 310_727, 37_745_884_192], 600, 'none', [
  keras(84.3, 97.0),
]);
