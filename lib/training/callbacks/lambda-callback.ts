import { Callback, type HookName } from './callback.js';

/** Hooks given as functions. */
export type Hooks = { readonly [H in HookName]?: Callback[H] } & {
  /** See {@link Callback.pipelined}. */
  readonly pipelined?: boolean;
};

/**
 * A callback made of functions.
 *
 * @example
 * new LambdaCallback({ onEpochEnd: (epoch, logs) => console.log(epoch, logs.loss) });
 */
export class LambdaCallback extends Callback {
  readonly #pipelined: boolean;

  constructor({ pipelined = false, ...hooks }: Hooks) {
    super();
    this.#pipelined = pipelined;
    // Own properties hide the hooks of the base class: those that were not given stay unoverridden, and cost nothing.
    Object.assign(this, hooks);
  }

  override get pipelined(): boolean {
    return this.#pipelined;
  }
}
