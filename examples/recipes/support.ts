import { parseArgs } from 'node:util';
import { data, FoveaError, setRandomSeed } from '../../lib/index.js';

// What the recipes share: flags, and images to try them on without ImageNet at hand.

/** An example: image float32 [imageSize, imageSize, 3] around 0, label int32 []. */
export type Example = [image: data.HostTensor, label: data.HostTensor];

export interface Recipe {
  readonly train: data.Dataset<Example>;
  readonly test: data.Dataset<Example>;
  readonly classes: number;
  /** Height and width of what the network is given. */
  readonly size: number;
  /** Of the images; more than `size` where the recipe cuts windows. */
  readonly imageSize: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Batches in an epoch. */
  readonly steps: number;
}

const FLAGS = ['epochs', 'batch-size', 'size', 'images'] as const;
type Numbers = Readonly<Record<(typeof FLAGS)[number], number>>;

/** What a recipe's augmentation asks of the data. */
interface ImageNeeds {
  /** Height and width of the images over `size`: room for random windows. 1 unless given. */
  readonly room?: number;
  /** Whether a mirrored image is one of the same class. */
  readonly mirrored?: boolean;
}

/**
 * Reads the flags and makes the data.
 *
 * @param usual - the values of flags that are not given
 */
export async function readRecipe(usual: Numbers, { room = 1, mirrored = false }: ImageNeeds = {}): Promise<Recipe> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: 'synthetic' },
      folder: { type: 'string' },
      ...Object.fromEntries(FLAGS.map((name) => [name, { type: 'string' as const, default: String(usual[name]) }])),
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    const numbers = FLAGS.map((name) => `[--${name} ${usual[name]}]`).join(' ');
    console.log(`flags: [--data synthetic|fashion] [--folder where Fashion-MNIST is] ${numbers}`);
    process.exit(0);
  }
  const number = (name: keyof Numbers): number => {
    const value = Number((values as Record<string, unknown>)[name]);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new FoveaError(`--${name}: expected a whole number of at least 1, received ${String(value)}`);
  };
  setRandomSeed(42);
  const [size, count] = [number('size'), number('images')];
  const imageSize = Math.round(room * size);
  const [train, test] =
    values.data === 'fashion'
      ? await fashion(imageSize, count, values.folder)
      : synthetic(imageSize, count, mirrored ? Math.PI / 2 : Math.PI);
  const [epochs, batchSize] = [number('epochs'), number('batch-size')];
  return { train, test, classes: 10, size, imageSize, epochs, batchSize, steps: Math.ceil(count / batchSize) };
}

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Stripes of ten directions, with colours, widths and noise that say nothing of the class.
 *
 * @param turn - between the first direction and what would be an eleventh; up to a right angle they rise to the left or
 *   to the right, so that a mirrored image is of the same class
 */
function synthetic(size: number, count: number, turn: number): [data.Dataset<Example>, data.Dataset<Example>] {
  const make = (images: number, seed: number): data.Dataset<Example> => {
    const next = random(seed);
    const pixels = new Float32Array(images * size * size * 3);
    const labels = Int32Array.from({ length: images }, (_, i) => i % 10);
    let at = 0;
    for (const label of labels) {
      const angle = ((label * turn) / 10) * (turn < Math.PI && next() < 0.5 ? -1 : 1);
      const pitch = (2 * Math.PI * (3 + 3 * next())) / size;
      const phase = 2 * Math.PI * next();
      const colour = [next() + 0.3, next() + 0.3, next() + 0.3];
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const wave = Math.sin(pitch * (x * Math.cos(angle) + y * Math.sin(angle)) + phase);
          for (const strength of colour) pixels[at++] = strength * wave + 0.5 * (next() - 0.5);
        }
      }
    }
    return data.fromArrays({ data: pixels, shape: [images, size, size, 3] }, { data: labels, shape: [images] });
  };
  return [make(count, 1), make(Math.max(10, Math.floor(count / 4)), 2)];
}

/** Fashion-MNIST, enlarged to the nearest pixel, grey in three channels. */
async function fashion(
  size: number,
  count: number,
  folder: string | undefined,
): Promise<[data.Dataset<Example>, data.Dataset<Example>]> {
  const [train, test] = await data.fashionMnist(folder === undefined ? {} : { folder });
  const enlarge = ([image, label]: data.FashionMnistExample): Example => {
    const pixels = new Float32Array(size * size * 3);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const value = image.data[Math.floor((y * 28) / size) * 28 + Math.floor((x * 28) / size)] as number;
        pixels.fill(2 * value - 1, 3 * (y * size + x), 3 * (y * size + x) + 3);
      }
    }
    return [data.hostTensor(pixels, [size, size, 3]), label];
  };
  const some = train.shuffle(60_000, { seed: 1 }).take(count);
  return [
    some.map(enlarge).cache(),
    test
      .take(Math.max(10, Math.floor(count / 4)))
      .map(enlarge)
      .cache(),
  ];
}
