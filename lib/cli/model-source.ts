import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { createModel, listModels, modelInfo, type ModelInfo, type ModelOptions } from '../../models/index.js';
import { loadModel, type Model } from '../index.js';
import { suggestion } from '../layers/suggest.js';
import { RUN_FILES } from '../training/run-folder.js';
import { UsageError } from './errors.js';

/** A model that the command line names. */
export interface FoundModel {
  readonly model: Model;
  /** When it is a network of the zoo. */
  readonly info?: ModelInfo;
  /** When it was saved: where it was found. */
  readonly file?: string;
}

/** Whether a word is a network of the zoo. */
export function isZooModel(name: string): boolean {
  return listModels().some((model) => model.name === name);
}

/** The saved model that a word names: a file, a folder, or a run folder; undefined when there is nothing of that name. */
export function savedModel(name: string): string | undefined {
  if (!existsSync(name)) return undefined;
  const inRun = path.join(name, RUN_FILES.model);
  return statSync(name).isDirectory() && existsSync(inRun) ? inRun : name;
}

/**
 * The model that a word names: a network of the zoo (with random weights), else a saved one.
 *
 * @throws UsageError when it is neither, with the name that was probably meant
 */
export async function findModel(name: string, options: ModelOptions = {}): Promise<FoundModel> {
  if (isZooModel(name)) return { model: createModel(name, options), info: modelInfo(name) };
  const file = savedModel(name);
  if (file === undefined) throw unknownModel(name);
  const given = Object.keys(options).find((key) => options[key as keyof ModelOptions] !== undefined);
  if (given !== undefined) throw new UsageError(`${name} is a saved model: ${given} is for networks of the zoo`);
  return { model: await loadModel<Model>(file), file };
}

/** @throws UsageError for a name that is neither a network of the zoo nor a file or folder */
export function checkModelName(name: string): void {
  if (!isZooModel(name) && savedModel(name) === undefined) throw unknownModel(name);
}

/** The error for a name that is no model. */
export function unknownModel(name: string): UsageError {
  const near = suggestion(
    name,
    listModels().map((model) => model.name),
  );
  const looksLikePath = /[\\/.]/.test(name);
  const hint = looksLikePath ? 'no such file or folder' : `no network of that name${near}`;
  return new UsageError(
    `expected a model: a name from \`fovea models\`, or a saved model; received '${name}' (${hint})`,
  );
}
