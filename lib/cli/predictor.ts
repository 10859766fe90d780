import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createModel, modelInfo } from '../../models/index.js';
import { data, loadModel, vision, type Model } from '../index.js';
import { RUN_FILES } from '../training/run-folder.js';
import { isPublishedName, publishedFor } from '../weights/hub/index.js';
import { readConfigFile } from './config.js';
import { UsageError } from './errors.js';
import { isZooModel, savedModel, unknownModel } from './model-source.js';
import { pixelStage, SCALES, type Scale } from './pixels.js';

/** What the command line says about a model that looks at images. */
export interface PredictorOptions {
  /** For networks of the zoo: `imagenet`, a publisher's name, a file, or `none`. */
  readonly weights: string;
  /** For saved models: how pixels become inputs. */
  readonly scale?: string;
  /** For saved models: a file with the name of a class a line. */
  readonly classes?: string;
}

/** A model, and what turns the file of an image into its input. */
export interface Predictor {
  readonly model: Model;
  load(file: string): Promise<data.HostTensor>;
  /** Names of the outputs; undefined when the model's number of outputs must tell. */
  readonly classes: readonly string[] | undefined;
  readonly remarks: readonly string[];
}

/** The model that a word names, ready to look at images. */
export async function findPredictor(name: string, options: PredictorOptions, signal: AbortSignal): Promise<Predictor> {
  const classes = options.classes === undefined ? undefined : await readLines(options.classes);
  if (isZooModel(name)) return zooPredictor(name, options, classes, signal);
  const file = savedModel(name);
  if (file === undefined) throw unknownModel(name);
  const run = await factsOf(name);
  const scale = scaleOf(options.scale) ?? run.scale ?? 'unit';
  const model = await loadModel<Model>(file);
  const known = options.scale !== undefined || run.scale !== undefined;
  const remark = `the saved model does not say how pixels become inputs: 0 to 1 is assumed (--scale ${SCALES.join(', ')})`;
  return {
    ...{ model, classes: classes ?? run.classNames, remarks: known ? [] : [remark] },
    load: loader(model, scale),
  };
}

async function zooPredictor(
  name: string,
  { weights }: PredictorOptions,
  classes: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Predictor> {
  if (weights === 'none') {
    const model = createModel(name);
    const remarks = ['weights: none: the network is untrained, its answers are chance'];
    return { model, load: loader(model, modelInfo(name).preprocessing), classes, remarks };
  }
  const published = isPublishedName(name, weights);
  if (published && publishedFor(name).length === 0) {
    throw new UsageError(`predict: nobody published weights for ${name}; --weights FILE or none, or another network`);
  }
  if (publishedFor(name).length === 0) {
    const model = await createModel(name, { weights, signal });
    return { model, load: loader(model, modelInfo(name).preprocessing), classes, remarks: [] };
  }
  const entry = publishedFor(name).find((row) => row.name.toLowerCase() === weights.toLowerCase());
  const which = published && weights.toLowerCase() !== 'imagenet' ? entry!.name : 'imagenet';
  const inputShape = [...vision.modelPreprocessing(name, which).size, 3];
  const model = await createModel(name, { inputShape, weights, signal });
  const load = async (file: string): Promise<data.HostTensor> =>
    vision.prepareImage(await vision.loadImage(file), name, which);
  return { model, load, classes, remarks: [] };
}

/** Reads images in the size that a model takes. */
function loader(model: Model, scale: Scale): Predictor['load'] {
  const [, height, width, channels] = model.inputs[0]?.shape ?? [];
  if (model.inputs.length !== 1 || !height || !width || !(channels === 1 || channels === 3)) {
    throw new UsageError('predict: expected a model of one image of known size, in grey or in colour');
  }
  const colorMode = channels === 1 ? 'grayscale' : 'rgb';
  const stage = pixelStage({ scale, size: [height, width] }, 255)!;
  return async (file) => {
    const image = await vision.loadImage(file, { colorMode });
    return stage([image, data.scalar(0, 'int32')])[0];
  };
}

function scaleOf(text: string | undefined): Scale | undefined {
  if (text === undefined) return undefined;
  const found = SCALES.find((scale) => scale === text);
  if (found) return found;
  throw new UsageError(`predict: expected --scale to be one of ${SCALES.join(', ')}, received ${text}`);
}

/** What a run folder knows of its model. */
async function factsOf(folder: string): Promise<{ scale?: Scale; classNames?: readonly string[] }> {
  const file = path.join(folder, RUN_FILES.run);
  if (!existsSync(file)) return {};
  const { data: facts } = (await readConfigFile(file)) as { data?: { scale?: string; classNames?: unknown } };
  const scale = SCALES.find((known) => known === facts?.scale);
  const names = facts?.classNames;
  return {
    ...(scale ? { scale } : {}),
    ...(Array.isArray(names) ? { classNames: names.map(String) } : {}),
  };
}

async function readLines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`predict: cannot read the names of classes: ${error.message}`);
  });
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}
