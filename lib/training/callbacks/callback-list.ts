import type { TrainableModel } from '../trainer-types.js';
import { Callback, type CallbackParameters, type CallbackState, type HookName } from './callback.js';

/** Several callbacks as one. Hooks that nobody overrides cost nothing. */
export class CallbackList {
  readonly #overriding = new Map<HookName, Callback[]>();

  readonly callbacks: readonly Callback[];

  constructor(callbacks: readonly Callback[], model: TrainableModel, params: CallbackParameters) {
    this.callbacks = [...callbacks.filter((c) => !c.runsLast), ...callbacks.filter((c) => c.runsLast)];
    for (const callback of callbacks) callback.attach(model, params);
  }

  /** Calls a hook of every callback, in order. Undefined when nothing has to be waited for. */
  call<H extends HookName>(hook: H, ...args: Parameters<Callback[H]>): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (const callback of this.#having(hook)) {
      const invoke = (): void | Promise<void> =>
        (callback[hook] as (...args: readonly unknown[]) => void | Promise<void>).apply(callback, args);
      if (waiting) waiting = waiting.then(invoke);
      else waiting = invoke() ?? undefined;
    }
    return waiting;
  }

  /** Whether a callback must see the model between one batch and the next. */
  get exactBatches(): boolean {
    const hooks: readonly HookName[] = ['onTrainBatchBegin', 'onTrainBatchEnd'];
    return hooks.some((hook) => this.#having(hook).some((callback) => !callback.pipelined));
  }

  /** What the callbacks want in a checkpoint: by class, and by number among those of one class. */
  saveStates(): Map<string, CallbackState> {
    const states = new Map<string, CallbackState>();
    for (const [key, callback] of this.#keyed()) {
      const state = callback.saveState();
      if (state) states.set(key, state);
    }
    return states;
  }

  /** Hands the states back to callbacks of the same class and number; others begin anew. */
  restoreStates(states: ReadonlyMap<string, CallbackState>): void {
    for (const [key, callback] of this.#keyed()) {
      const state = states.get(key);
      if (state) callback.restoreState(state);
    }
  }

  #keyed(): [key: string, callback: Callback][] {
    const counts = new Map<string, number>();
    return this.callbacks.map((callback) => {
      const { name } = callback.constructor;
      const number = counts.get(name) ?? 0;
      counts.set(name, number + 1);
      return [`${name}#${number}`, callback];
    });
  }

  #having(hook: HookName): readonly Callback[] {
    let list = this.#overriding.get(hook);
    if (!list) {
      list = this.callbacks.filter((callback) => callback[hook] !== Callback.prototype[hook]);
      this.#overriding.set(hook, list);
    }
    return list;
  }
}
