import type { TrainableModel } from '../trainer-types.js';
import { Callback, type CallbackParameters, type HookName } from './callback.js';

/** Several callbacks as one. Hooks that nobody overrides cost nothing. */
export class CallbackList {
  readonly #overriding = new Map<HookName, Callback[]>();

  constructor(
    readonly callbacks: readonly Callback[],
    model: TrainableModel,
    params: CallbackParameters,
  ) {
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

  #having(hook: HookName): readonly Callback[] {
    let list = this.#overriding.get(hook);
    if (!list) {
      list = this.callbacks.filter((callback) => callback[hook] !== Callback.prototype[hook]);
      this.#overriding.set(hook, list);
    }
    return list;
  }
}
