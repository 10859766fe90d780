import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../errors.js';
import { writeFileAtomic, writeJsonAtomic } from '../util/atomic-file.js';
import { curvesSpec, renderSvg } from './curves.js';
import { historyToCsv, type TrainingHistory } from './history.js';

/** Options of {@link createRunFolder}. */
export interface RunFolderOptions {
  /** The folder of all runs. `runs` in the working folder unless told. */
  readonly root?: string;
  /** What the run is, for its name. `run` unless told. */
  readonly name?: string;
  /** When it began. Now unless told. */
  readonly date?: Date;
}

/** Names of the files in a run folder. */
export const RUN_FILES = {
  config: 'config.json',
  /** Versions, device, command line, data and how the run ended. */
  run: 'run.json',
  /** Where training goes on when it is resumed. */
  checkpoint: 'checkpoint.safetensors',
  /** The model in the end, and the best one on the way. */
  model: 'model',
  best: 'best',
  tensorboard: 'tensorboard',
  historyCsv: 'history.csv',
  historyJson: 'history.json',
  curves: 'curves.svg',
  curvesSpec: 'curves.vl.json',
} as const;

/**
 * The folder in which a training leaves what it did. Every file is written atomically: killed at any moment, the run has
 * its last complete state.
 */
export class RunFolder {
  /** @param path - of the folder, which exists */
  constructor(readonly path: string) {}

  /** The path of a file in the folder. */
  file(...parts: readonly string[]): string {
    return path.join(this.path, ...parts);
  }

  /** Writes what the run was made with: `config.json`. */
  async saveConfig(config: unknown): Promise<void> {
    await writeJsonAtomic(this.file(RUN_FILES.config), config);
  }

  /** Writes facts about the run: `run.json`. */
  async saveRun(facts: unknown): Promise<void> {
    await writeJsonAtomic(this.file(RUN_FILES.run), facts);
  }

  /**
   * Writes `history.csv` and `history.json`; call it after each epoch. NaN and Infinity, which JSON has not, are null there.
   *
   * @throws FoveaError ERR_ARGUMENT when a series has not one value per epoch, ERR_FILE when it cannot be written
   */
  async saveHistory(history: TrainingHistory): Promise<void> {
    const csv = historyToCsv(history);
    await writeFileAtomic(this.file(RUN_FILES.historyCsv), csv);
    await writeJsonAtomic(this.file(RUN_FILES.historyJson), { epoch: history.epoch, history: history.history });
  }

  /**
   * Draws the training curves: `curves.svg`, and its Vega-Lite specification `curves.vl.json`.
   *
   * @returns the path of the picture
   * @throws FoveaError ERR_UNSUPPORTED when vega is not installed; the specification is then written all the same
   */
  async saveCurves(history: TrainingHistory, title?: string): Promise<string> {
    const spec = curvesSpec(history, title);
    await writeJsonAtomic(this.file(RUN_FILES.curvesSpec), spec);
    const picture = this.file(RUN_FILES.curves);
    await writeFileAtomic(picture, await renderSvg(spec));
    return picture;
  }
}

function slug(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/[^\w]+/g, '-');
  return (
    plain
      .replaceAll(/^-+|-+$/g, '')
      .toLowerCase()
      .slice(0, 60) || 'run'
  );
}

function day(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The highest number among folders of this name, or 0. */
async function lastNumber(root: string, name: string): Promise<number> {
  const numbers = (await readdir(root)).map((entry) => {
    const number = entry.startsWith(`${name}-`) ? entry.slice(name.length + 1) : '';
    return /^\d{3,}$/.test(number) ? Number(number) : 0;
  });
  return numbers.reduce((last, number) => Math.max(last, number), 0);
}

/**
 * Makes a new folder for a run: `runs/2026-11-24-fashion-001`. Runs that begin at once get folders of their own.
 *
 * @throws FoveaError ERR_FILE when it cannot be made
 */
export async function createRunFolder(options: RunFolderOptions = {}): Promise<RunFolder> {
  const { root = 'runs', name = 'run', date = new Date() } = options;
  const prefix = `${day(date)}-${slug(name)}`;
  try {
    await mkdir(root, { recursive: true });
    for (let number = (await lastNumber(root, prefix)) + 1; ; number++) {
      const folder = path.resolve(root, `${prefix}-${String(number).padStart(3, '0')}`);
      try {
        await mkdir(folder);
        return new RunFolder(folder);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  } catch (cause) {
    throw new FoveaError(`cannot make a run folder in ${root}: ${(cause as Error).message}`, {
      code: 'ERR_FILE',
      op: 'createRunFolder',
      cause,
    });
  }
}

/**
 * A run folder that is there, to go on with it.
 *
 * @throws FoveaError ERR_NOT_FOUND when it is not, or has no `config.json`
 */
export async function openRunFolder(folder: string): Promise<RunFolder> {
  const run = new RunFolder(path.resolve(folder));
  const found = await stat(run.file(RUN_FILES.config)).catch(() => undefined);
  if (found?.isFile()) return run;
  throw new FoveaError(`expected a run folder with ${RUN_FILES.config}, received ${folder}`, {
    code: 'ERR_NOT_FOUND',
    op: 'openRunFolder',
    received: folder,
  });
}
