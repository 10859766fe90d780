import { FoveaError, mismatch } from '../errors.js';
import { fill, tensor } from '../tensor/create.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import { formatShape, sameShape, type Shape } from '../tensor/shape.js';
import { Variable } from '../tensor/variable.js';

/** The elements of a variable on the host. */
export interface HostArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

interface Slot {
  readonly variable: Variable;
  /** What the slot holds before the first update. */
  readonly initial: number;
}

/** The state variables an optimizer keeps for each variable it updates: `adam/momentum/conv2d/kernel`. */
export class Slots {
  readonly #byVariable = new Map<Variable, Map<string, Variable>>();
  readonly #byName = new Map<string, Slot>();
  /** Restored values of slots that are not there yet. */
  #pending = new Map<string, HostArray>();

  constructor(readonly owner: string) {}

  /** All slots, in the order they were made. */
  get variables(): Variable[] {
    return [...this.#byName.values()].map((s) => s.variable);
  }

  /** The slot of a variable, if it has one of that name. */
  find(variable: Variable, slot: string): Variable | undefined {
    return this.#byVariable.get(variable)?.get(slot);
  }

  /** The slots of a variable, made at the first call. */
  ensure(variable: Variable, initial: Readonly<Record<string, number>>): ReadonlyMap<string, Variable> {
    let slots = this.#byVariable.get(variable);
    if (!slots) this.#byVariable.set(variable, (slots = new Map<string, Variable>()));
    for (const [slot, value] of Object.entries(initial)) {
      if (!slots.has(slot)) slots.set(slot, this.#make(variable, slot, value));
    }
    return slots;
  }

  #make(variable: Variable, slot: string, initial: number): Variable {
    const base = `${this.owner}/${slot}/${variable.name}`;
    let name = base;
    for (let n = 1; this.#byName.has(name); n++) name = `${base}_${n}`;
    const { shape, dtype, device } = variable;
    const restored = this.#pending.get(name);
    if (restored) checkFits(this.owner, name, variable, restored);
    // Disposed at the end: the variable alone holds the value then, and the first update writes it in place.
    using value = restored ? tensor(restored.data, shape, { dtype, device }) : fill(shape, initial, { dtype, device });
    const made = new Variable(value, { name, trainable: false });
    this.#pending.delete(name);
    this.#byName.set(name, { variable: made, initial });
    return made;
  }

  /** Copies of all slots, by name, as they are after everything asked for so far. */
  async read(): Promise<Record<string, HostArray>> {
    const entries = [...this.#byName].map(async ([name, { variable }]) => {
      const { shape, dtype } = variable;
      return [name, { shape, dtype, data: await variable.data() }] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /**
   * Gives slots the values that `read` found; those of slots not made yet are kept for them. Without any values, slots
   * start anew. Nothing is changed when a value does not fit.
   */
  restore(values: Readonly<Record<string, HostArray>>): void {
    const fresh = Object.keys(values).length === 0;
    for (const [name, { variable }] of this.#byName) {
      const value = values[name];
      if (value) checkFits(this.owner, name, variable, value);
      else if (!fresh) {
        const message = `${this.owner}: expected the state to hold ${name}, received ${Object.keys(values).join(', ')}`;
        throw new FoveaError(message, { code: 'ERR_DATA', op: this.owner, expected: name });
      }
    }
    this.#pending = new Map(Object.entries(values).filter(([name]) => !this.#byName.has(name)));
    for (const [name, { variable, initial }] of this.#byName) {
      const { shape, dtype, device } = variable;
      const value = values[name];
      variable.assign(value ? tensor(value.data, shape, { dtype, device }) : fill(shape, initial, { dtype, device }));
    }
  }
}

function checkFits(owner: string, name: string, variable: Variable, value: HostArray): void {
  if (!sameShape(value.shape, variable.shape) || value.dtype !== variable.dtype) {
    const expected = `${name} of ${variable.dtype} ${formatShape(variable.shape)}`;
    throw mismatch('ERR_SHAPE', { op: owner }, expected, `${value.dtype} ${formatShape(value.shape)}`);
  }
}
