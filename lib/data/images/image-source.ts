import { stat } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { crypto } from '../../util/builtins.js';
import { rowsInOrder } from '../from-arrays.js';
import type { HostTensor } from '../host-tensor.js';
import { AGAIN, chain, type Opener, type Pulled, until } from '../pull.js';
import { indexedSource, type Source } from '../source.js';
import { openCalls } from '../stages/parallel.js';
import { type ImageReading, readImage } from './read-image.js';
import type { SkippedImages } from './skipped.js';

/** Image files with their targets. */
export interface ImageFiles {
  readonly files: readonly string[];
  /** The target of each file; absent when there are none. */
  readonly targetOf?: (row: number) => HostTensor;
  /** What the targets are, for the recipe. */
  readonly targets: string;
}

/** How image files are read. */
export interface ReadingPolicy {
  readonly op: string;
  readonly reading: ImageReading;
  /** How many files are read and decoded at once. */
  readonly parallel: number;
  /** Where corrupt and missing files are noted; without it they are errors. */
  readonly skipped?: SkippedImages | undefined;
}

const DROPPED = Symbol('dropped');

/** Leaves out what was dropped. */
function keep<T>(open: Opener<T | typeof DROPPED>): Opener<T> {
  return (pass) => {
    const source = open(pass);
    return {
      next: () => until<Pulled<T>>(() => chain(source.next(), (item) => (item === DROPPED ? AGAIN : item))),
      close: () => source.close(),
    };
  };
}

/** Names, sizes and times of change: another file under an old name is noticed. */
async function digestOf({ files, targets }: ImageFiles, { op, reading }: ReadingPolicy): Promise<string> {
  const hash = crypto()
    .createHash('sha256')
    .update(JSON.stringify([op, reading, targets]));
  for (const file of files) {
    const about = await stat(file).catch(() => undefined);
    hash.update(`${file}\n${about?.size} ${about?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * Image files as the source of a dataset. Only row numbers are shuffled, taken and skipped: a file is read when its turn
 * has come, and at most `parallel` images wait to be taken.
 */
export function imageSource<T>(images: ImageFiles, policy: ReadingPolicy): Source<T> {
  const { op, reading, parallel, skipped } = policy;
  const { files, targetOf } = images;
  const read = async (row: number): Promise<T | typeof DROPPED> => {
    const file = files[row] as string;
    try {
      const image = await readImage(op, file, reading);
      return (targetOf ? [image, targetOf(row)] : image) as T;
    } catch (error) {
      const corrupt = error instanceof FoveaError && (error.code === 'ERR_DATA' || error.code === 'ERR_NOT_FOUND');
      if (!skipped || !corrupt) throw error;
      skipped.add(file, error.message);
      return DROPPED;
    }
  };
  const elements = (order: Opener<number>): Opener<T> => {
    const opened = openCalls(order, read, parallel);
    return skipped ? keep(opened) : (opened as Opener<T>);
  };
  return indexedSource(
    { order: rowsInOrder(files.length), elements, drops: skipped !== undefined },
    {
      // How many images turn out to be corrupt is known when they have been read.
      cardinality: skipped ? 'unknown' : files.length,
      stages: [op],
      recipe: [() => digestOf(images, policy)],
    },
  );
}
