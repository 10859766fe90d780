/**
 * Times our side of one workload in this process and prints one JSON line, like the peers' scripts:
 * `workload.ts NAME [--steps N] [--batch B] [--dtype f32|bf16|f16] [--floor] [--ops] [--profile [FILE]]`.
 *
 * NAME is one of the peers' (`fashion`, `resnet34`, ..., `infer-resnet50`). The zoo's model is timed through `Model`;
 * `--ops` takes the network of `nets.ts` instead. `--floor` adds what its convolutions and dense layers take alone;
 * `--profile` prints where the time goes and writes a trace for https://ui.perfetto.dev.
 */
import { alexNet, fashionCnn, resNet34, resNet50, vgg16, xceptionTimm } from '../models/index.js';
import { losses, optimizers, setPolicy, Tensor, type Model, type PolicyName, type StepProfile } from '../lib/index.js';
import { fastestSteps, perfettoTrace, profileTable } from '../lib/graph/profile.js';
import { writeFileAtomic } from '../lib/util/atomic-file.js';
import { median, options } from './measure.js';
import { fixedBatch, network, prediction, trainingStep, type Network } from './nets.js';

const linear = { classifierActivation: null } as const;
const MODELS: Record<string, () => Model> = {
  fashion: () => fashionCnn({ classifierActivation: 'linear' }),
  resnet34: () => resNet34({ ...linear, classes: 10 }),
  resnet50: () => resNet50(linear),
  vgg16: () => vgg16(linear),
  alexnet: () => alexNet(linear),
  xception: () => xceptionTimm(linear),
};

const WARM_UP = 3;
const PROFILES = 5;
/** What a step cannot do without, whatever is fused around it. */
const FLOOR = new Set(['conv2d', 'conv2dBackwardInput', 'conv2dBackwardKernel', 'matmul']);

const [workload = 'fashion'] = process.argv.slice(2);
const flags = options(process.argv.slice(3));
const dtype = flags.get('dtype') ?? 'f32';
const inference = workload.startsWith('infer-');
const name = workload.replace('infer-', '');
// As autocast in the peers: weights, losses and the optimizer stay float32.
const POLICIES: Readonly<Record<string, PolicyName>> = {
  f32: 'float32',
  bf16: 'mixed_bfloat16',
  f16: 'mixed_float16',
};
const policy = POLICIES[dtype];
if (policy === undefined) throw new Error(`${workload}: expected --dtype f32, bf16 or f16, received ${dtype}`);
setPolicy(policy);
if (dtype !== 'f32' && flags.has('ops')) throw new Error(`${workload}: --ops is for f32`);

const net = network(name);
const batch = Number(flags.get('batch') ?? (inference ? 1 : net.batch));
const { x, y } = fixedBatch(net, batch);
await x.data();

const { run, profile } = flags.has('ops') ? opsTimed(net) : modelTimed(name);
for (let i = 0; i < WARM_UP; i++) await run();
const times: number[] = [];
for (let i = 0; i < Number(flags.get('steps') ?? 15); i++) {
  const start = performance.now();
  await run();
  times.push(performance.now() - start);
}
const ms = median(times);
const peak = Math.round(process.resourceUsage().maxRSS / 1024);
const result: Record<string, unknown> = {
  peer: 'fovea',
  workload,
  batch,
  dtype,
  ms: Number(ms.toFixed(2)),
  img_s: Number(((1000 * batch) / ms).toFixed(1)),
  peak_mb: peak,
};
if (flags.has('floor') || flags.has('profile')) {
  const steps = await profile();
  const floor = steps.filter((s) => FLOOR.has(s.kernel)).reduce((sum, s) => sum + s.milliseconds, 0);
  result['floor_ms'] = Number(floor.toFixed(2));
  const trace = flags.get('profile');
  if (trace !== undefined) console.log(profileTable(steps));
  if (trace) await writeFileAtomic(trace, perfettoTrace(steps));
}
console.log(JSON.stringify(result));

interface Timed {
  /** One step, until its results are there. */
  readonly run: () => Promise<unknown>;
  /** Every kernel of a step with its best time of several runs. */
  readonly profile: () => Promise<StepProfile[]>;
}

/** One step of the zoo's model: SGD with momentum on logits, one fixed batch, as in bench/peers. */
function modelTimed(name: string): Timed {
  const model = MODELS[name]!();
  const runs = { runs: PROFILES, printFn: () => undefined };
  if (inference) {
    const run = async (): Promise<void> => {
      const scores = await model.predictOnBatch(x);
      if (!(scores instanceof Tensor)) throw new Error(`${name}: expected one output`);
      await scores.data();
      scores.dispose();
    };
    return { run, profile: () => model.profile(x, runs) };
  }
  model.compile({
    optimizer: optimizers.sgd({ learningRate: 1e-3, momentum: 0.9 }),
    loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
  });
  return { run: () => model.trainOnBatch(x, y), profile: () => model.profile(x, { ...runs, y }) };
}

/** One step of the same network in plain ops. */
function opsTimed(net: Network): Timed {
  const [train, predict] = [trainingStep(net), prediction(net)];
  const run = async (): Promise<void> => {
    const made = inference ? predict(x) : train(x, y);
    await made.data();
    made.dispose();
  };
  const once = (): Promise<StepProfile[]> => (inference ? predict.profile(x) : train.profile(x, y));
  return {
    run,
    profile: async () => {
      const runs: StepProfile[][] = [];
      for (let i = 0; i < PROFILES; i++) runs.push(await once());
      return fastestSteps(runs);
    },
  };
}
