/**
 * The networks of `bench/peers/torch_bench.py`, written with ops alone: the same layers, shapes and FLOPs, NHWC. They
 * measure the graph compiler and the kernels without the layers above them.
 */
import {
  compile,
  ops,
  optimizers,
  tensor,
  valueAndGrad,
  Variable,
  withLayer,
  zeros,
  type Tensor,
} from '../lib/index.js';
import { ones } from '../lib/index.js';

type Module = (x: Tensor, training: boolean) => Tensor;
type Padding = 'same' | 'valid' | readonly [number, number, number, number];

interface ConvOptions {
  strides?: number;
  padding?: number;
  bias?: boolean;
  depthwise?: boolean;
}

/** A network with its weights. */
export interface Network {
  readonly name: string;
  readonly input: readonly [number, number, number];
  readonly classes: number;
  readonly batch: number;
  readonly apply: Module;
}

let seed = 0;
function normal(shape: number[], fanIn: number): Variable {
  using initial = ops.randomNormal(shape, ++seed, { stddev: Math.sqrt(2 / fanIn) });
  return new Variable(initial);
}

const chain =
  (...modules: readonly Module[]): Module =>
  (x, training) =>
    modules.reduce((y, module) => module(y, training), x);

/** Names what a module makes in profiles. */
const named =
  (name: string, module: Module): Module =>
  (x, training) =>
    withLayer(name, () => module(x, training));

const relu: Module = (x) => ops.relu(x);

function conv(i: number, o: number, kernel: number, options: ConvOptions = {}): Module {
  const { strides = 1, padding = (kernel - 1) / 2, bias = false, depthwise = false } = options;
  const shape = depthwise ? [kernel, kernel, i, 1] : [kernel, kernel, i, o];
  const w = normal(shape, kernel * kernel * (depthwise ? 1 : i));
  const b = bias ? new Variable(zeros([o])) : undefined;
  const explicit: Padding = [padding, padding, padding, padding];
  const run = depthwise ? ops.depthwiseConv2d : ops.conv2d;
  return (x) => run(x, w.value, { strides, padding: explicit, bias: b?.value });
}

function norm(channels: number): Module {
  const [gamma, beta] = [new Variable(ones([channels])), new Variable(zeros([channels]))];
  const mean = new Variable(zeros([channels]), { trainable: false });
  const variance = new Variable(ones([channels]), { trainable: false });
  const moved = (v: Variable, to: Tensor): void => v.assign(ops.add(ops.mul(v.value, 0.9), ops.mul(to, 0.1)));
  return (x, training) => {
    const [g, b] = [gamma.value, beta.value];
    if (!training) {
      const statistics = { mean: mean.value, variance: variance.value, gamma: g, beta: b };
      return ops.batchNormInference(x, statistics, { epsilon: 1e-5 });
    }
    const result = ops.batchNorm(x, g, b, { epsilon: 1e-5 });
    moved(mean, result.mean);
    moved(variance, result.variance);
    return result.y;
  };
}

const convNorm = (i: number, o: number, kernel: number, strides = 1): Module =>
  chain(conv(i, o, kernel, { strides }), norm(o));

function dense(i: number, o: number): Module {
  const [w, b] = [normal([i, o], i), new Variable(zeros([o]))];
  return (x) => ops.dense(x, w.value, b.value);
}

const maxPool =
  (size: number, strides: number, padding = 0): Module =>
  (x) =>
    ops.maxPool2d(x, { poolSize: size, strides, padding: [padding, padding, padding, padding] });
const globalPool: Module = (x) => ops.globalAvgPool2d(x);
const flatten: Module = (x) => ops.reshape(x, [x.shape[0]!, x.size / x.shape[0]!]);
const lrn: Module = (x) => ops.lrn(x, { depthRadius: 2, bias: 2, alpha: 1e-4 / 5, beta: 0.75 });

function dropout(): Module {
  const key = tensor(Int32Array.of(1, 2, 3, ++seed));
  return (x, training) => (training ? ops.dropout(x, 0.5, key) : x);
}

const sum =
  (main: Module, skip: Module | undefined, after?: Module): Module =>
  (x, training) => {
    const y = ops.add(main(x, training), skip ? skip(x, training) : x);
    return after ? after(y, training) : y;
  };

function basicBlock(i: number, o: number, strides: number): Module {
  const main = chain(convNorm(i, o, 3, strides), relu, convNorm(o, o, 3));
  return sum(main, strides > 1 || i !== o ? convNorm(i, o, 1, strides) : undefined, relu);
}

function bottleneck(i: number, o: number, strides: number): Module {
  const main = chain(convNorm(i, o, 1), relu, convNorm(o, o, 3, strides), relu, convNorm(o, 4 * o, 1));
  return sum(main, strides > 1 || i !== 4 * o ? convNorm(i, 4 * o, 1, strides) : undefined, relu);
}

function resnet(block: typeof basicBlock, expansion: number, classes: number): Module {
  const modules = [named('stem', chain(convNorm(3, 64, 7, 2), relu, maxPool(3, 2, 1)))];
  let i = 64;
  for (const [stage, count] of [3, 4, 6, 3].entries()) {
    const o = 64 << stage;
    for (let j = 0; j < count; j++) {
      modules.push(named(`stage${stage}.${j}`, block(i, o, j === 0 && stage > 0 ? 2 : 1)));
      i = o * expansion;
    }
  }
  return chain(...modules, named('head', chain(globalPool, dense(i, classes))));
}

function fashion(): Module {
  const c = (i: number, o: number, kernel: number): Module => chain(conv(i, o, kernel, { bias: true }), relu);
  const features = chain(c(1, 64, 7), maxPool(2, 2), c(64, 128, 3), c(128, 128, 3), maxPool(2, 2));
  const more = chain(c(128, 256, 3), c(256, 256, 3), maxPool(2, 2), flatten);
  return chain(features, more, dense(2304, 128), relu, dropout(), dense(128, 64), relu, dropout(), dense(64, 10));
}

const denseHead = (i: number): Module =>
  chain(flatten, dense(i, 4096), relu, dropout(), dense(4096, 4096), relu, dropout(), dense(4096, 1000));

function vgg16(): Module {
  const modules: Module[] = [];
  let i = 3;
  for (const o of [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]) {
    if (o === 0) modules.push(maxPool(2, 2));
    else modules.push(named(`conv${modules.length}`, chain(conv(i, o, 3, { bias: true }), relu)));
    if (o > 0) i = o;
  }
  return chain(...modules, named('head', denseHead(25088)));
}

function alexnet(): Module {
  const c = (i: number, o: number, kernel: number, strides = 1, padding = (kernel - 1) / 2): Module =>
    chain(conv(i, o, kernel, { strides, padding, bias: true }), relu);
  const first = chain(c(3, 96, 11, 4, 0), lrn, maxPool(3, 2), c(96, 256, 5), lrn, maxPool(3, 2));
  return chain(first, c(256, 384, 3), c(384, 384, 3), c(384, 256, 3), maxPool(3, 2), denseHead(9216));
}

const separable = (i: number, o: number): Module => chain(conv(i, i, 3, { depthwise: true }), conv(i, o, 1), norm(o));

function xceptionBlock(i: number, widths: readonly number[], strides: number, reluFirst = true): Module {
  const modules: Module[] = [];
  let c = i;
  for (const [index, o] of widths.entries()) {
    if (reluFirst || index > 0) modules.push(relu);
    modules.push(separable(c, o));
    c = o;
  }
  if (strides > 1) modules.push(maxPool(3, strides, 1));
  return sum(chain(...modules), strides > 1 || i !== c ? convNorm(i, c, 1, strides) : undefined);
}

function xception(): Module {
  const stem = chain(conv(3, 32, 3, { strides: 2, padding: 0 }), norm(32), relu);
  const modules = [stem, conv(32, 64, 3, { padding: 0 }), norm(64), relu, xceptionBlock(64, [128, 128], 2, false)];
  modules.push(xceptionBlock(128, [256, 256], 2), xceptionBlock(256, [728, 728], 2));
  for (let k = 0; k < 8; k++) modules.push(named(`middle${k}`, xceptionBlock(728, [728, 728, 728], 1)));
  modules.push(xceptionBlock(728, [728, 1024], 2), separable(1024, 1536), relu, separable(1536, 2048), relu);
  return chain(...modules, globalPool, dense(2048, 1000));
}

const NETWORKS: Record<string, Omit<Network, 'name' | 'apply'> & { make: () => Module }> = {
  fashion: { make: fashion, input: [28, 28, 1], classes: 10, batch: 32 },
  resnet34: { make: () => resnet(basicBlock, 1, 10), input: [224, 224, 3], classes: 10, batch: 32 },
  resnet50: { make: () => resnet(bottleneck, 4, 1000), input: [224, 224, 3], classes: 1000, batch: 16 },
  vgg16: { make: vgg16, input: [224, 224, 3], classes: 1000, batch: 8 },
  alexnet: { make: alexnet, input: [227, 227, 3], classes: 1000, batch: 32 },
  xception: { make: xception, input: [299, 299, 3], classes: 1000, batch: 8 },
};

export const NETWORK_NAMES = Object.keys(NETWORKS);

/** A network with fresh weights. */
export function network(name: string): Network {
  const entry = NETWORKS[name];
  if (!entry) throw new Error(`unknown workload ${name}; there are: ${NETWORK_NAMES.join(', ')}`);
  const { make, ...rest } = entry;
  return { name, ...rest, apply: make() };
}

/** A compiled training step: logits, cross-entropy, gradients, SGD with momentum, as the peers' scripts do. */
export function trainingStep({ name, apply }: Network) {
  const optimizer = optimizers.sgd({ learningRate: 1e-3, momentum: 0.9 });
  return compile(
    (x: Tensor, y: Tensor): Tensor => {
      const { value, grads } = valueAndGrad(() => ops.mean(ops.sparseSoftmaxCrossEntropy(apply(x, true), y)));
      optimizer.apply(grads);
      return value;
    },
    { name: `train ${name}` },
  );
}

/** A compiled prediction: logits. */
export function prediction({ name, apply }: Network) {
  return compile((x: Tensor): Tensor => apply(x, false), { name: `predict ${name}` });
}

/** A fixed batch of random images and labels. */
export function fixedBatch({ input, classes }: Network, batch: number): { x: Tensor; y: Tensor } {
  return {
    x: ops.randomNormal([batch, ...input], 1),
    y: tensor(Int32Array.from({ length: batch }, (_, i) => i % classes)),
  };
}
