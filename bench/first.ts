import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peer } from './rows.js';

/** @file Programs that load a saved CNN and predict one image, timed from their start to their end. */

const here = path.dirname(fileURLToPath(import.meta.url));

/** Which program of `bench/first` each side runs; Keras, PyTorch and tfjs are the peers here. */
const SCRIPTS: Readonly<Partial<Record<Peer | 'fovea', string>>> = {
  fovea: 'fovea.mjs',
  torch: 'torch_first.py',
  keras: 'keras_first.py',
  tfjs: 'tfjs.mjs',
};

export interface FirstPrediction {
  /** Milliseconds of one whole process, in turn with the others'. */
  once(side: Peer | 'fovea'): number;
  dispose(): void;
}

/**
 * Builds the package and saves the model with every side's own means. `interpreterOf` gives a peer's; `environmentOf`
 * the folder it lives in.
 *
 * @throws Error where the package does not build, or a side cannot save its model
 */
export function firstPrediction(
  sides: readonly (Peer | 'fovea')[],
  interpreterOf: (peer: Peer) => string,
  environmentOf: (peer: Peer) => string,
): FirstPrediction {
  // The package as it is published, of the sources as they are.
  const built = spawnSync(process.execPath, [path.join(here, '../scripts/build-ts.mjs')], { encoding: 'utf8' });
  if (built.status !== 0)
    throw new Error(`first-prediction: the package does not build: ${built.stdout}${built.stderr}`);
  const folder = mkdtempSync(path.join(tmpdir(), 'fovea-first-'));
  const run = (side: Peer | 'fovea', mode: 'save' | 'run'): number => {
    const script = SCRIPTS[side];
    if (script === undefined) throw new Error(`first-prediction: ${side} has no program for it`);
    const interpreter = side === 'fovea' ? process.execPath : interpreterOf(side);
    // Node reads such certificates at every start: no work of ours or of tfjs, and longer than the start itself.
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    if (side === 'tfjs') env['TFJS_ENVIRONMENT'] = environmentOf(side);
    const start = performance.now();
    const result = spawnSync(interpreter, [path.join(here, 'first', script), mode, folder], { env, encoding: 'utf8' });
    const ms = performance.now() - start;
    if (result.status !== 0) throw new Error(`first-prediction: ${side} failed to ${mode}: ${result.stderr}`);
    return ms;
  };
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const side of sides) run(side, 'save');
  } catch (error) {
    dispose();
    throw error;
  }
  return { once: (side) => run(side, 'run'), dispose };
}
