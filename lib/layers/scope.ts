import { FoveaError } from '../errors.js';
import { layerPath, withLayer } from '../graph/trace.js';

/** What the layers being applied right now have in common; one per JavaScript thread. */
const state = { layer: undefined as object | undefined, training: undefined as boolean | undefined };

/** The layer whose code is running. */
export function currentLayer(): object | undefined {
  return state.layer;
}

/** The `training` of the layer that is being applied; what the layers it uses follow unless told otherwise. */
export function enclosingTraining(): boolean | undefined {
  return state.training;
}

/**
 * Runs a layer's code: nodes and errors carry its path, layers it applies follow its `training`.
 *
 * @param name - added to the path; undefined adds nothing
 */
export function inLayer<T>(layer: object, name: string | undefined, training: boolean | undefined, fn: () => T): T {
  const before = { ...state };
  state.layer = layer;
  state.training = training;
  try {
    return name === undefined ? fn() : withLayer(name, () => withPath(fn));
  } finally {
    Object.assign(state, before);
  }
}

/** Adds the layer's path to errors of ops that did not know it. */
function withPath<T>(fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    const path = layerPath();
    if (!(error instanceof FoveaError) || error.layer !== undefined || error.op === undefined) throw error;
    if (!error.message.startsWith(`${error.op}:`)) throw error;
    const { code, op, expected, received, cause } = error;
    const message = error.message.replace(`${op}:`, `${op} "${path}":`);
    const named = new FoveaError(message, { code, op, layer: path, expected, received, cause });
    if (error.stack !== undefined) named.stack = error.stack.replace(error.message, message);
    throw named;
  }
}
