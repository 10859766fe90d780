import { FoveaError } from '../errors.js';
import type { CompiledFunction } from '../graph/compile.js';
import type { CallbackState } from './callbacks/callback.js';
import type { CallbackList } from './callbacks/callback-list.js';
import type { CompiledModel } from './trainer-compiled.js';
import type { DataPosition } from './data-source.js';
import type { Logs, TensorTree, TrainableModel } from './trainer-types.js';

/** Where a training stands, between two batches. */
export interface TrainingPosition {
  /** The epoch that is running or comes next, from 0. */
  readonly epoch: number;
  /** Batches of it that are done. */
  readonly step: number;
  readonly data: DataPosition;
  /** What the order of data in memory is derived from. */
  readonly shuffleSeed: number | undefined;
  /** Of the last batch that was done; an epoch that is resumed after its last batch has no other. */
  readonly logs?: Logs;
}

/** What the trainer knows of a model. */
export interface TrainerState {
  compiled?: CompiledModel;
  predict?: CompiledFunction<[TensorTree], TensorTree>;
  /** Of the training that is running. */
  position?: TrainingPosition;
  /** Where the next `fit` goes on, after a checkpoint was loaded. */
  resume?: TrainingPosition;
  /** Of the training that is running. */
  callbacks?: CallbackList;
  /** What they go on from, after a checkpoint was loaded. */
  resumeCallbacks?: ReadonlyMap<string, CallbackState>;
  /** Passes over data so far: later ones have other orders, also in another `fit`. */
  passes: number;
  fitting: boolean;
}

const states = new WeakMap<TrainableModel, TrainerState>();

export function stateOf(model: TrainableModel): TrainerState {
  let state = states.get(model);
  if (!state) states.set(model, (state = { passes: 0, fitting: false }));
  return state;
}

/** @throws FoveaError when the model was not compiled */
export function compiledOf(model: TrainableModel, op: string): CompiledModel {
  const { compiled } = stateOf(model);
  if (compiled) return compiled;
  throw new FoveaError(`${op} "${model.name}": expected compile({ optimizer, loss }) to be called before`, { op });
}
