// Where the official weights of the zoo's networks lie, and what their files must be: facts from keras.applications 3.15,
// torchvision 0.29 and timm 1.0.29 (test/golden/pretrained-facts-*.json, compared by a test).

/** One file of published weights. */
export interface WeightsFile {
  /** Its place below a mirror and in the cache folder: `keras/vgg16_..._kernels.h5`. */
  readonly path: string;
  readonly url: string;
  /** As its publisher states it; some state none. */
  readonly md5?: string | undefined;
  /** The first digits, which PyTorch's file names carry. */
  readonly sha256Prefix?: string | undefined;
  /** Roughly, in units of 2^20 bytes; where the publisher says so. */
  readonly megabytes?: number | undefined;
}

/** How the images were prepared for the published accuracy: shorter side, crop in the middle, interpolation. */
export type Evaluation = readonly [resize: number, crop: number, interpolation: 'bilinear' | 'bicubic'];

/** Published weights of a network. */
export interface WeightsEntry {
  /** The network's name in the zoo. */
  readonly model: string;
  /** What its publisher calls them: `imagenet`, `IMAGENET1K_V2`, `seresnet50.a1_in1k`. */
  readonly name: string;
  /** Whether `weights: 'imagenet'` means these. */
  readonly preferred: boolean;
  readonly source: 'keras' | 'torchvision' | 'timm';
  /** The whole network; where there are several, they hold the same in different formats, best first. */
  readonly withTop: readonly WeightsFile[];
  /** Without the classifier; PyTorch's files are read without it. */
  readonly withoutTop: readonly WeightsFile[];
  readonly evaluation?: Evaluation;
}

const STORAGE = 'https://storage.googleapis.com';
const APPLICATIONS = `${STORAGE}/tensorflow/keras-applications`;

function keras(
  model: string,
  folder: string,
  [top, topMd5]: readonly [string, string?],
  [noTop, noTopMd5]: readonly [string, string?],
): WeightsEntry {
  const file = (name: string, md5: string | undefined): readonly WeightsFile[] => [
    { path: `keras/${name}`, url: `${folder}/${name}`, md5 },
  ];
  return {
    ...{ model, name: 'imagenet', preferred: true, source: 'keras' },
    withTop: file(top, topMd5),
    withoutTop: file(noTop, noTopMd5),
  };
}

/** Most of keras.applications: `<folder>/<stem>_weights_tf_dim_ordering_tf_kernels[_notop].h5`. */
function kernels(model: string, place: string, topMd5: string, noTopMd5: string): WeightsEntry {
  const [folder, stem] = place.split('/');
  const name = `${stem}_weights_tf_dim_ordering_tf_kernels`;
  return keras(model, `${APPLICATIONS}/${folder}`, [`${name}.h5`, topMd5], [`${name}_notop.h5`, noTopMd5]);
}

function efficientNet(model: string, topMd5: string, noTopMd5: string): WeightsEntry {
  return keras(model, `${STORAGE}/keras-applications`, [`${model}.h5`, topMd5], [`${model}_notop.h5`, noTopMd5]);
}

function torchvision(
  model: string,
  name: string,
  file: string,
  megabytes: number,
  evaluation: Evaluation,
  preferred = true,
): WeightsEntry {
  const sha256Prefix = /-([0-9a-f]{8})\.pth$/.exec(file)?.[1];
  const url = `https://download.pytorch.org/models/${file}`;
  const files = [{ path: `torchvision/${file}`, url, sha256Prefix, megabytes }];
  return { model, name, preferred, source: 'torchvision', withTop: files, withoutTop: files, evaluation };
}

/** @param release - owner and place of the file among the releases of pytorch-image-models */
function timm(model: string, name: string, release: string, evaluation: Evaluation, preferred = true): WeightsEntry {
  const [owner, ...place] = release.split('/');
  const url = `https://github.com/${owner}/pytorch-image-models/releases/download/${place.join('/')}`;
  const files = [{ path: `timm/${place.at(-1)}`, url }];
  return { model, name, preferred, source: 'timm', withTop: files, withoutTop: files, evaluation };
}

/** Weights in a repository of the Hugging Face hub, in one of two formats: which can be seen there only. */
function hub(model: string, name: string, evaluation: Evaluation): WeightsEntry {
  const files = ['model.safetensors', 'pytorch_model.bin'].map((file) => ({
    path: `timm/${name}/${file}`,
    url: `https://huggingface.co/timm/${name}/resolve/main/${file}`,
  }));
  return { model, name, preferred: true, source: 'timm', withTop: files, withoutTop: files, evaluation };
}

let all: readonly WeightsEntry[] | undefined;

/** Everything `weights` may name, by network. Made when it is first asked for: most programs never do. */
export function published(): readonly WeightsEntry[] {
  return (all ??= list());
}

const list = (): readonly WeightsEntry[] => [
  kernels('vgg16', 'vgg16/vgg16', '64373286793e3c8b2b4e3219cbf3544b', '6d6bbae143d832006294945121d1f1fc'),
  kernels('vgg19', 'vgg19/vgg19', 'cbe5617147190e668d6c5d5026f83318', '253f8cb515780f3b799900260a226db6'),
  kernels('resnet50_keras', 'resnet/resnet50', '2cb95161c43110f7111970584f804107', '4d473c1dd8becc155b73f8504c6f6626'),
  kernels(
    'resnet101_keras',
    'resnet/resnet101',
    'f1aeb4b969a6efcfb50fad2f0c20cfc5',
    '88cf7a10940856eca736dc7b7e228a21',
  ),
  kernels(
    'resnet152_keras',
    'resnet/resnet152',
    '100835be76be38e30d865e96f2aaae62',
    'ee4c566cf9a93f14d82f913c2dc6dd0c',
  ),
  kernels('resnet50v2', 'resnet/resnet50v2', '3ef43a0b657b3be2300d5770ece849e0', 'fac2f116257151a9d068a22e544a4917'),
  kernels('resnet101v2', 'resnet/resnet101v2', '6343647c601c52e1368623803854d971', 'c0ed64b8031c3730f411d2eb4eea35b5'),
  kernels('resnet152v2', 'resnet/resnet152v2', 'a49b44d1979771252814e80f8ec446f9', 'ed17cf2e0169df9d443503ef94b23b33'),
  kernels(
    'inception_v3',
    'inception_v3/inception_v3',
    '9a0d58056eeedaa3f26cb7ebd46da564',
    'bcbd6486424b2319ff4ef7d526e38f63',
  ),
  kernels(
    'inception_resnet_v2',
    'inception_resnet_v2/inception_resnet_v2',
    'e693bd0210a403b3192acc6073ad2e96',
    'd19885ff4a710c122648d3b5c3b684e4',
  ),
  kernels('xception', 'xception/xception', '0a58e3b7378bc2990ea3b43d5981f1f6', 'b0042744bf5b25fce3cb969f33bebb97'),
  keras('mobilenet', `${APPLICATIONS}/mobilenet`, ['mobilenet_1_0_224_tf.h5'], ['mobilenet_1_0_224_tf_no_top.h5']),
  keras(
    'mobilenet_v2',
    `${APPLICATIONS}/mobilenet_v2`,
    ['mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5'],
    ['mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5'],
  ),
  kernels(
    'densenet121',
    'densenet/densenet121',
    '9d60b8095a5708f2dcce2bca79d332c7',
    '30ee3e1110167f948a6b9946edeeb738',
  ),
  kernels(
    'densenet169',
    'densenet/densenet169',
    'd699b8f76981ab1b30698df4c175e90b',
    'b8c4d4c20dd625c148057b9ff1c1176b',
  ),
  kernels(
    'densenet201',
    'densenet/densenet201',
    '1ceb130c1ea1b78c3bf6114dbdfd8807',
    'c13680b51ded0fb44dff2d8f86ac8bb1',
  ),
  efficientNet('efficientnetb0', '902e53a9f72be733fc0bcb005b3ebbac', '50bc09e76180e00e4465e1a485ddc09d'),
  efficientNet('efficientnetb1', '1d254153d4ab51201f1646940f018540', '74c4e6b3e1f6a1eea24c589628592432'),
  efficientNet('efficientnetb2', 'b15cce36ff4dcbd00b6dd88e7857a6ad', '111f8e2ac8aa800a7a99e3239f7bfb39'),
  efficientNet('efficientnetb3', 'ffd1fdc53d0ce67064dc6a9c7960ede0', 'af6d107764bb5b1abb91932881670226'),
  efficientNet('efficientnetb4', '18c95ad55216b8f92d7e70b3a046e2fc', 'ebc24e6d6c33eaebbd558eafbeedf1ba'),
  efficientNet('efficientnetb5', 'ace28f2a6363774853a83a0b21b9421a', '38879255a25d3c92d5e44e04ae6cec6f'),
  efficientNet('efficientnetb6', '165f6e37dce68623721b423839de8be5', '9ecce42647a20130c1f39a5d4cb75743'),
  efficientNet('efficientnetb7', '8c03f828fec3ef71311cd463b6759d99', 'cbcfe4450ddf6f3ad90b1b398090fe4a'),
  torchvision('alexnet_torchvision', 'IMAGENET1K_V1', 'alexnet-owt-7be5be79.pth', 233.087, [256, 224, 'bilinear']),
  torchvision('googlenet_torchvision', 'IMAGENET1K_V1', 'googlenet-1378be20.pth', 49.731, [256, 224, 'bilinear']),
  torchvision('vgg11_torchvision', 'IMAGENET1K_V1', 'vgg11-8a719046.pth', 506.84, [256, 224, 'bilinear']),
  torchvision('vgg16_torchvision', 'IMAGENET1K_V1', 'vgg16-397923af.pth', 527.796, [256, 224, 'bilinear']),
  torchvision('vgg19_torchvision', 'IMAGENET1K_V1', 'vgg19-dcbb9e9d.pth', 548.051, [256, 224, 'bilinear']),
  torchvision('resnet18', 'IMAGENET1K_V1', 'resnet18-f37072fd.pth', 44.661, [256, 224, 'bilinear']),
  torchvision('resnet34', 'IMAGENET1K_V1', 'resnet34-b627a593.pth', 83.275, [256, 224, 'bilinear']),
  torchvision('resnet50', 'IMAGENET1K_V1', 'resnet50-0676ba61.pth', 97.781, [256, 224, 'bilinear'], false),
  torchvision('resnet50', 'IMAGENET1K_V2', 'resnet50-11ad3fa6.pth', 97.79, [232, 224, 'bilinear']),
  torchvision('resnet101', 'IMAGENET1K_V1', 'resnet101-63fe2227.pth', 170.511, [256, 224, 'bilinear'], false),
  torchvision('resnet101', 'IMAGENET1K_V2', 'resnet101-cd907fc2.pth', 170.53, [232, 224, 'bilinear']),
  torchvision('resnet152', 'IMAGENET1K_V1', 'resnet152-394f9c45.pth', 230.434, [256, 224, 'bilinear'], false),
  torchvision('resnet152', 'IMAGENET1K_V2', 'resnet152-f82ba261.pth', 230.474, [232, 224, 'bilinear']),
  hub('inception_v4', 'inception_v4.tf_in1k', [341, 299, 'bicubic']),
  timm('xception_timm', 'legacy_xception.tf_in1k', 'rwightman/v0.1-cadene/xception-43020ad28.pth', [
    333,
    299,
    'bicubic',
  ]),
  timm('seresnet18', 'legacy_seresnet18.in1k', 'rwightman/v0.1-weights/seresnet18-4bb0ce65.pth', [256, 224, 'bicubic']),
  timm('seresnet34', 'legacy_seresnet34.in1k', 'rwightman/v0.1-weights/seresnet34-a4004e63.pth', [
    256,
    224,
    'bilinear',
  ]),
  timm('seresnet50', 'legacy_seresnet50.in1k', 'rwightman/v0.1-cadene/se_resnet50-ce0d4300.pth', [
    256,
    224,
    'bilinear',
  ]),
  timm('seresnet101', 'legacy_seresnet101.in1k', 'rwightman/v0.1-cadene/se_resnet101-7e38fcc6.pth', [
    256,
    224,
    'bilinear',
  ]),
  timm('seresnet152', 'legacy_seresnet152.in1k', 'rwightman/v0.1-cadene/se_resnet152-d17c99b7.pth', [
    256,
    224,
    'bilinear',
  ]),
  timm('senet154', 'legacy_senet154.in1k', 'rwightman/v0.1-weights/legacy_senet154-e9eb9fe6.pth', [
    256,
    224,
    'bilinear',
  ]),
  timm('seresnet50_timm', 'seresnet50.a1_in1k', 'huggingface/v0.1-rsb-weights/seresnet50_a1_0-ffa00869.pth', [
    235,
    224,
    'bicubic',
  ]),
  timm(
    'seresnet50_timm',
    'seresnet50.a2_in1k',
    'huggingface/v0.1-rsb-weights/seresnet50_a2_0-850de0d9.pth',
    [235, 224, 'bicubic'],
    false,
  ),
  timm(
    'seresnet50_timm',
    'seresnet50.a3_in1k',
    'huggingface/v0.1-rsb-weights/seresnet50_a3_0-317ecd56.pth',
    [168, 160, 'bicubic'],
    false,
  ),
  timm(
    'seresnet50_timm',
    'seresnet50.ra2_in1k',
    'rwightman/v0.1-weights/seresnet50_ra_224-8efdb4bb.pth',
    [256, 224, 'bicubic'],
    false,
  ),
];
