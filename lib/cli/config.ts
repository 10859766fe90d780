import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { POLICY_NAMES } from '../layers/policy.js';
import { explain, WHOLE } from './config-errors.js';
import { UsageError } from './errors.js';
import { SCALES } from './pixels.js';

/** The data sets that can be named. */
export const DATA_NAMES = ['fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'image-folder', 'tf-flowers'] as const;
export type DataName = (typeof DATA_NAMES)[number];

const atLeast = (least: number) => {
  const error = `${WHOLE} of at least ${least}`;
  return z.int({ error }).min(least, { error });
};
const count = atLeast(1);
const whole = atLeast(0);
const fraction = z.number().min(0).lt(1);
const monitored = {
  monitor: z.string().min(1).optional(),
  mode: z.enum(['auto', 'min', 'max']).optional(),
  minDelta: z.number().optional(),
  patience: whole.optional(),
};

/** Schemas that have a short form, and its type. */
const SHORT = new Map<unknown, 'string' | 'boolean'>();

/** `"adam"` is short for `{ "name": "adam" }`. */
function named<T extends z.ZodType>(schema: T) {
  SHORT.set(schema, 'string');
  return z.preprocess((value) => (typeof value === 'string' ? { name: value } : value), schema);
}

/** `true` is short for `{}`, `false` for leaving it out. */
function switched<T extends z.ZodRawShape>(shape: T) {
  const schema = z.strictObject(shape);
  SHORT.set(schema, 'boolean');
  return z
    .preprocess((value) => (value === true ? {} : value === false ? undefined : value), schema.optional())
    .optional();
}

const dataSchema = z.strictObject({
  name: z.enum(DATA_NAMES),
  /** Where the files are; for `image-folder` the folder with a folder a class. */
  folder: z.string().min(1).optional(),
  /** The part of the training images that is set aside to validate with. */
  validationSplit: fraction.default(0.1),
  /** The part of an image folder that is set aside to test with; the other data sets have test images of their own. */
  testSplit: fraction.default(0.1),
  /** How pixels become inputs: 0 to 1, or as published weights want it. */
  scale: z.enum(SCALES).optional(),
  /** Height and width that images are resized to. */
  imageSize: z.tuple([count, count]).optional(),
  /** Only the first so many images. */
  limit: count.optional(),
  testLimit: count.optional(),
});

const callbacksSchema = z.strictObject({
  earlyStopping: switched({
    ...monitored,
    baseline: z.number().optional(),
    restoreBestWeights: z.boolean().optional(),
    startFromEpoch: whole.optional(),
  }),
  reduceLROnPlateau: switched({
    ...monitored,
    factor: z.number().gt(0).lt(1).optional(),
    cooldown: whole.optional(),
    minLr: z.number().min(0).optional(),
  }),
  /** The best model on the way, in `best/`. */
  modelCheckpoint: switched({ monitor: monitored.monitor, mode: monitored.mode }),
  /** Event files, in `tensorboard/`. */
  tensorBoard: switched({
    histogramFreq: whole.optional(),
    writeImages: z.boolean().optional(),
    writeStepsPerSecond: z.boolean().optional(),
    updateFreq: z.union([z.enum(['epoch', 'batch']), count]).optional(),
  }),
  terminateOnNaN: z.boolean().optional(),
});

/** The configuration of `fovea train`. */
export const trainSchema = z.strictObject({
  $schema: z.string().optional(),
  /** A network of the zoo with its options, or a saved model. */
  model: named(z.looseObject({ name: z.string().min(1) })),
  data: named(dataSchema),
  /** To begin with: `imagenet`, a publisher's name, or a file. The network gets a new classifier. */
  weights: z.string().min(1).optional(),
  /** Whether the network below the new classifier stays as it is. True unless told, with `weights`. */
  freezeBase: z.boolean().optional(),
  epochs: count.default(1),
  batchSize: count.default(32),
  /** With its options, in Keras's words. */
  optimizer: named(z.looseObject({ name: z.string().min(1), learningRate: z.number().gt(0).optional() })).default({
    name: 'adam',
  }),
  /** Of the learning rate; `cosineDecay` falls to 0 over the whole run unless told. */
  schedule: named(z.looseObject({ name: z.string().min(1) })).optional(),
  loss: named(z.looseObject({ name: z.string().min(1) })).default({ name: 'sparseCategoricalCrossentropy' }),
  metrics: z.array(z.string().min(1)).default(['accuracy']),
  seed: whole.default(42),
  precision: z.enum(POLICY_NAMES).default('float32'),
  device: z.string().min(1).optional(),
  callbacks: callbacksSchema.default({}),
  /** Every how many batches the checkpoint is written; after each epoch unless told. */
  checkpointEvery: count.optional(),
});

/** What a user writes. */
export type TrainInput = z.input<typeof trainSchema>;
/** With everything that was left out. */
export type TrainConfig = z.output<typeof trainSchema>;

/** Configurations are small; anything larger is not one. */
const MOST_BYTES = 2 ** 20;

/**
 * Checks a configuration and fills in what was left out.
 *
 * @param source - what to call it in messages: the file's name
 * @throws UsageError that names every place that is wrong, what was expected there and what was received
 */
export function checkConfig(raw: unknown, source: string): TrainConfig {
  const result = trainSchema.safeParse(raw);
  if (result.success) return result.data;
  const lines = explain(result.error.issues, raw, knownKeys);
  throw new UsageError(lines.length === 1 ? `${source}: ${lines[0]}` : `${source}:\n  ${lines.join('\n  ')}`);
}

/** Reads a file of JSON with an object in it. */
export async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MOST_BYTES) throw new UsageError(`${file}: expected at most ${MOST_BYTES} bytes, received ${size}`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the configuration ${file}: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}${placeOf(error as Error, text)}: expected JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UsageError(`${file}: expected an object, received ${JSON.stringify(value).slice(0, 60)}`);
}

/** `:3:14`, line and column of a syntax error, when the message has a position. */
function placeOf({ message }: Error, text: string): string {
  const position = /position (\d+)/.exec(message)?.[1];
  const at = position === undefined ? (/end of JSON/.test(message) ? text.length : undefined) : Number(position);
  if (at === undefined) return '';
  const before = text.slice(0, at).split('\n');
  return `:${before.length}:${before.at(-1)!.length + 1}`;
}

/** The JSON schema of configurations, for editors. */
export function jsonSchema(): unknown {
  return z.toJSONSchema(trainSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const type = SHORT.get(zodSchema);
      if (type === undefined) return;
      const long = { ...jsonSchema };
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.anyOf = [{ type }, long];
    },
  });
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let node = jsonSchema() as SchemaNode | undefined;
  for (const part of path) node = long(typeof part === 'number' ? node?.items : node?.properties?.[String(part)]);
  return Object.keys(node?.properties ?? {}).filter((key) => key !== '$schema');
}

function long(node: SchemaNode | undefined): SchemaNode | undefined {
  return node?.anyOf?.find(({ properties }) => properties) ?? node;
}
