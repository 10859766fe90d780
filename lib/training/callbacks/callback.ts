import { FoveaError } from '../../errors.js';
import type { NamedArray } from '../../weights/safetensors.js';
import type { Logs, TrainableModel } from '../trainer-types.js';

/** What a run consists of; set before `onTrainBegin`. */
export interface CallbackParameters {
  readonly epochs: number;
  /** Batches an epoch, when known. */
  readonly steps: number | undefined;
  readonly verbose: 0 | 1 | 2;
}

/** What a hook may answer: training waits for promises. */
export type HookResult = void | Promise<void>;

/** What a callback must know to go on after a checkpoint. Numbers that are not finite are allowed. */
export interface CallbackState {
  readonly values: { readonly [name: string]: CallbackValue };
  readonly arrays?: Readonly<Record<string, NamedArray>>;
}
export type CallbackValue =
  number | string | boolean | null | readonly CallbackValue[] | { readonly [name: string]: CallbackValue };

/**
 * Something that watches or steers `fit`, `evaluate` and `predict`: subclass and override hooks. Hooks may be
 * asynchronous; training waits for them. To end training, set `this.model.stopTraining = true`.
 *
 * `logs` are the running means, so those of the last batch are the epoch's; `onEpochEnd` adds the `val_` ones.
 */
export abstract class Callback {
  #model: TrainableModel | undefined;
  #params: CallbackParameters | undefined;

  /**
   * Whether `onTrainBatchEnd` may come when the next batch has been started. True lets the device work without a
   * pause; false (the default) guarantees that the weights are those after exactly this batch. Matters only to callbacks
   * that override a batch hook.
   */
  get pipelined(): boolean {
    return false;
  }

  /** Whether its hooks come after those of callbacks that say false: for what must see what they did. */
  get runsLast(): boolean {
    return false;
  }

  /** The model at work; only inside a run. */
  get model(): TrainableModel {
    if (!this.#model) throw new FoveaError(`${this.constructor.name}: expected to be used in a run, has no model yet`);
    return this.#model;
  }

  get params(): CallbackParameters {
    if (!this.#params) throw new FoveaError(`${this.constructor.name}: expected to be used in a run, has none yet`);
    return this.#params;
  }

  /** Called by the trainer before the first hook. */
  attach(model: TrainableModel, params: CallbackParameters): void {
    this.#model = model;
    this.#params = params;
  }

  onTrainBegin(_logs?: Logs): HookResult {}
  onTrainEnd(_logs?: Logs): HookResult {}
  onEpochBegin(_epoch: number, _logs?: Logs): HookResult {}
  onEpochEnd(_epoch: number, _logs: Logs): HookResult {}
  onTrainBatchBegin(_batch: number, _logs?: Logs): HookResult {}
  /** @param _samples - how many samples the batch had */
  onTrainBatchEnd(_batch: number, _logs: Logs, _samples: number): HookResult {}
  onTestBegin(_logs?: Logs): HookResult {}
  onTestEnd(_logs: Logs): HookResult {}
  onTestBatchBegin(_batch: number, _logs?: Logs): HookResult {}
  onTestBatchEnd(_batch: number, _logs: Logs): HookResult {}
  onPredictBegin(_logs?: Logs): HookResult {}
  onPredictEnd(_logs?: Logs): HookResult {}
  onPredictBatchBegin(_batch: number, _logs?: Logs): HookResult {}
  onPredictBatchEnd(_batch: number, _logs?: Logs): HookResult {}
  /**
   * Called when `fit` is ended by its signal, after the running batch and before {@link onFailure}: the model is whole, and
   * a checkpoint written here is one to go on from.
   */
  onInterrupt(_reason: unknown, _logs: Logs): HookResult {}
  /** Called when a run ends by an error or an abort, instead of the end hooks: close files here. */
  onFailure(_error: unknown): HookResult {}

  /** What goes into checkpoints; asked for between batches. Undefined when there is nothing to remember. */
  saveState(): CallbackState | undefined {
    return undefined;
  }
  /** Goes on from {@link saveState}; called after `onTrainBegin` of a run that resumes. */
  restoreState(_state: CallbackState): void {}
}

/** The hooks, by name. */
export type HookName = {
  [K in keyof Callback]: K extends `on${string}` ? K : never;
}[keyof Callback];
