import { parseArgs } from 'node:util';
import { data, FoveaError, setRandomSeed, type Model, type optimizers } from '../../lib/index.js';

// What the programs of this folder share: a part of Fashion-MNIST, and training on it.

export interface Lesson {
  readonly train: data.Dataset<data.FashionMnistExample>;
  readonly test: data.Dataset<data.FashionMnistExample>;
  /** Height and width that the network wants; the images, 28x28, are enlarged in the network. */
  readonly size: number;
  readonly epochs: number;
  readonly batchSize: number;
}

/**
 * Reads `--images`, `--epochs`, `--batch-size`, `--size` and `--folder`, and opens that part of Fashion-MNIST.
 *
 * @param usual - the values of flags that are not given
 */
export async function lesson(usual: { images?: number; epochs?: number; size?: number } = {}): Promise<Lesson> {
  const { images = 4000, epochs = 2, size = 28 } = usual;
  const defaults = { images, epochs, size, 'batch-size': 32 };
  const { values } = parseArgs({
    options: {
      folder: { type: 'string' },
      help: { type: 'boolean', default: false },
      images: { type: 'string', default: String(images) },
      epochs: { type: 'string', default: String(epochs) },
      size: { type: 'string', default: String(size) },
      'batch-size': { type: 'string', default: '32' },
    },
  });
  if (values.help) {
    const flags = Object.entries(defaults).map(([name, value]) => `[--${name} ${value}]`);
    console.log(`flags: ${flags.join(' ')} [--folder where Fashion-MNIST is]`);
    process.exit(0);
  }
  const number = (name: keyof typeof defaults): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new FoveaError(`--${name}: expected a whole number of at least 1, received ${values[name]}`);
  };
  setRandomSeed(42);
  const count = number('images');
  const fashion = await data.fashionMnist(values.folder === undefined ? {} : { folder: values.folder });
  return {
    train: fashion.train.shuffle(60_000, { seed: 42 }).take(count),
    test: fashion.test.take(Math.max(10, Math.floor(count / 4))),
    size: number('size'),
    epochs: number('epochs'),
    batchSize: number('batch-size'),
  };
}

/** Trains a classifier on the lesson's images, and prints its accuracy on images that it has not seen. */
export async function train(model: Model, optimizer: optimizers.Optimizer, lesson: Lesson): Promise<void> {
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  await model.fit(lesson.train.batch(lesson.batchSize).prefetch(2), { epochs: lesson.epochs });
  const { accuracy } = await model.evaluate(lesson.test.batch(lesson.batchSize), { verbose: 0 });
  console.log(`${model.name}: test accuracy ${accuracy!.toFixed(4)}`);
}
