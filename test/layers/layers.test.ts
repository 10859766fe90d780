import * as layers from '../../lib/layers/index.js';
import { runLayerTest } from '../support/layer-test.js';

const image = [2, 7, 6, 4];

runLayerTest('dense', {
  make: () => layers.dense({ units: 5, activation: 'tanh', kernelRegularizer: 'l2', kernelInitializer: 'heNormal' }),
  inputs: [[3, 4]],
  output: [3, 5],
  weights: { kernel: [4, 5], bias: [5] },
});
runLayerTest('dense of images, without bias', {
  make: () => layers.dense({ units: 3, useBias: false, biasInitializer: 'ones' }),
  inputs: [image],
  output: [2, 7, 6, 3],
  weights: { kernel: [4, 3] },
});
runLayerTest('conv2d', {
  make: () => layers.conv2d({ filters: 6, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'elu' }),
  inputs: [image],
  output: [2, 4, 3, 6],
  weights: { kernel: [3, 2, 4, 6], bias: [6] },
});
runLayerTest('conv2d in groups, dilated', {
  make: () => layers.conv2d({ filters: 6, kernelSize: 3, groups: 2, dilationRate: 2, useBias: false }),
  inputs: [image],
  output: [2, 3, 2, 6],
  weights: { kernel: [3, 3, 2, 6] },
});
runLayerTest('conv2d with explicit padding', {
  make: () => layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: [1, 1, 0, 1] }),
  inputs: [image],
  output: [2, 4, 3, 2],
  weights: { kernel: [3, 3, 4, 2], bias: [2] },
});
runLayerTest('conv2dTranspose', {
  make: () => layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
  inputs: [image],
  output: [2, 14, 12, 3],
  weights: { kernel: [3, 3, 3, 4], bias: [3] },
});
runLayerTest('conv2dTranspose with output padding', {
  make: () => layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, outputPadding: 1, useBias: false }),
  inputs: [image],
  output: [2, 16, 14, 3],
  weights: { kernel: [3, 3, 3, 4] },
});
runLayerTest('depthwiseConv2d', {
  make: () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
  inputs: [image],
  output: [2, 7, 6, 8],
  weights: { kernel: [3, 3, 4, 2], bias: [8] },
});
runLayerTest('separableConv2d', {
  make: () => layers.separableConv2d({ filters: 5, kernelSize: 3, strides: 2, depthMultiplier: 2 }),
  inputs: [image],
  output: [2, 3, 2, 5],
  weights: { depthwise_kernel: [3, 3, 4, 2], pointwise_kernel: [1, 1, 8, 5], bias: [5] },
});
runLayerTest('maxPooling2d', { make: () => layers.maxPooling2d(), inputs: [image], output: [2, 3, 3, 4] });
runLayerTest('maxPooling2d, overlapping', {
  make: () => layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
  inputs: [image],
  output: [2, 4, 3, 4],
});
runLayerTest('averagePooling2d', {
  make: () => layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: 'same' }),
  inputs: [image],
  output: image,
});
runLayerTest('globalAveragePooling2d', {
  make: () => layers.globalAveragePooling2d(),
  inputs: [image],
  output: [2, 4],
});
runLayerTest('globalMaxPooling2d', {
  make: () => layers.globalMaxPooling2d({ keepdims: true }),
  inputs: [image],
  output: [2, 1, 1, 4],
});
runLayerTest('batchNormalization', {
  make: () => layers.batchNormalization({ momentum: 0.9, betaInitializer: 'ones' }),
  inputs: [image],
  output: image,
  weights: { gamma: [4], beta: [4], moving_mean: [4], moving_variance: [4] },
  trainable: 2,
  trainingDiffers: true,
});
runLayerTest('batchNormalization without scale', {
  make: () => layers.batchNormalization({ scale: false }),
  inputs: [[5, 3]],
  output: [5, 3],
  weights: { beta: [3], moving_mean: [3], moving_variance: [3] },
  trainable: 1,
  trainingDiffers: true,
});
runLayerTest('batchNormalization without center', {
  make: () => layers.batchNormalization({ center: false }),
  inputs: [image],
  output: image,
  weights: { gamma: [4], moving_mean: [4], moving_variance: [4] },
  trainable: 1,
  trainingDiffers: true,
});
runLayerTest('localResponseNormalization', {
  make: () => layers.localResponseNormalization({ depthRadius: 2, alpha: 0.1 }),
  inputs: [image],
  output: image,
});
runLayerTest('dropout', {
  make: () => layers.dropout({ rate: 0.5, seed: 3 }),
  inputs: [image],
  output: image,
  trainingDiffers: true,
});
runLayerTest('spatialDropout2d', {
  make: () => layers.spatialDropout2d({ rate: 0.5, seed: 1 }),
  inputs: [image],
  output: image,
  trainingDiffers: true,
});
runLayerTest('dropout of nothing', { make: () => layers.dropout({ rate: 0 }), inputs: [image], output: image });
runLayerTest('dropout of everything', {
  make: () => layers.dropout({ rate: 1 }),
  inputs: [image],
  output: image,
  trainingDiffers: true,
  differentiable: false,
});
for (const activation of layers.activationNames) {
  runLayerTest(`activation ${activation}`, {
    make: () => layers.activation({ activation }),
    inputs: [[3, 5]],
    output: [3, 5],
  });
}
runLayerTest('relu', { make: () => layers.relu(), inputs: [image], output: image });
runLayerTest('relu with all options', {
  make: () => layers.relu({ maxValue: 0.5, negativeSlope: 0.1, threshold: 0.2 }),
  inputs: [image],
  output: image,
});
runLayerTest('leakyReLU', { make: () => layers.leakyReLU({ negativeSlope: 0.1 }), inputs: [image], output: image });
runLayerTest('elu', { make: () => layers.elu({ alpha: 0.7 }), inputs: [image], output: image });
runLayerTest('prelu', {
  make: () => layers.prelu({ sharedAxes: [1, 2], alphaInitializer: 'ones' }),
  inputs: [image],
  output: image,
  weights: { alpha: [1, 1, 4] },
});
runLayerTest('softmax', { make: () => layers.softmax({ axis: 1 }), inputs: [image], output: image });
runLayerTest('flatten', { make: () => layers.flatten(), inputs: [image], output: [2, 168] });
runLayerTest('reshape', { make: () => layers.reshape({ targetShape: [6, -1] }), inputs: [image], output: [2, 6, 28] });
runLayerTest('permute', { make: () => layers.permute({ dims: [3, 1, 2] }), inputs: [image], output: [2, 4, 7, 6] });
runLayerTest('identity', { make: () => layers.identity(), inputs: [image], output: image });
for (const merge of ['add', 'multiply', 'average', 'maximum', 'minimum'] as const) {
  runLayerTest(merge, { make: () => layers[merge](), inputs: [image, [2, 1, 1, 4], image], output: image });
}
runLayerTest('subtract', { make: () => layers.subtract(), inputs: [image, image], output: image });
runLayerTest('concatenate', {
  make: () => layers.concatenate(),
  inputs: [image, [2, 7, 6, 3]],
  output: [2, 7, 6, 7],
});
runLayerTest('concatenate of rows', {
  make: () => layers.concatenate({ axis: 1 }),
  inputs: [image, [2, 2, 6, 4]],
  output: [2, 9, 6, 4],
});
runLayerTest('zeroPadding2d', {
  make: () =>
    layers.zeroPadding2d({
      padding: [
        [0, 1],
        [2, 3],
      ],
    }),
  inputs: [image],
  output: [2, 8, 11, 4],
});
runLayerTest('cropping2d', {
  make: () => layers.cropping2d({ cropping: [1, 2] }),
  inputs: [image],
  output: [2, 5, 2, 4],
});
runLayerTest('upSampling2d', { make: () => layers.upSampling2d(), inputs: [image], output: [2, 14, 12, 4] });
runLayerTest('upSampling2d, bilinear', {
  make: () => layers.upSampling2d({ size: [1, 2], interpolation: 'bilinear' }),
  inputs: [image],
  output: [2, 7, 12, 4],
});
runLayerTest('resizing', {
  make: () => layers.resizing({ height: 3, width: 9 }),
  inputs: [image],
  output: [2, 3, 9, 4],
});
runLayerTest('rescaling', {
  make: () => layers.rescaling({ scale: 1 / 255, offset: [1, 2, 3, 4] }),
  inputs: [image],
  output: image,
});
runLayerTest('normalization', {
  make: () => layers.normalization({ mean: [1, 2, 3, 4], variance: [1, 4, 9, 16] }),
  inputs: [image],
  output: image,
});
runLayerTest('normalization to be adapted', {
  make: () => layers.normalization(),
  inputs: [image],
  output: image,
  weights: { mean: [4], variance: [4], count: [] },
  trainable: 0,
});
