import { bytesPerElement } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Assigned, Home } from './assign-storage.js';
import type { IrValue, KernelStep, Step, UpdateInStripsStep } from './ir.js';
import { STRIP_BYTES } from './strip-bytes.js';

/** Puts the kernels of each update in strips in its place: a strip's columns of x, their product, its update. */
export function expandStrips(assigned: Assigned): Assigned {
  if (!assigned.steps.some((step) => step.kind === 'updateInStrips')) return assigned;
  const work = new Expander(assigned);
  const steps = assigned.steps.flatMap((step) => (step.kind === 'updateInStrips' ? work.expanded(step) : [step]));
  return { steps, values: work.values, homes: work.homes };
}

class Expander {
  readonly values: IrValue[];
  readonly homes: Map<number, Home>;
  #blocks: number;

  constructor({ values, homes }: Assigned) {
    this.values = [...values];
    this.homes = new Map(homes);
    this.#blocks = Math.max(-1, ...[...homes.values()].map((home) => (home.kind === 'block' ? home.block : -1))) + 1;
  }

  expanded({ gradient, update }: UpdateInStripsStep): Step[] {
    const whole = gradient.outputs[0]!;
    const strip = this.#block();
    const { shape, dtype } = this.values[whole]!;
    // An update that is not made in place, since its variable's old value is wanted too, needs the gradient as it was.
    if (update.outputs.some((id) => this.homes.get(id)!.kind !== 'external')) {
      this.homes.set(whole, strip);
      return [gradient, update];
    }
    const [rows, columns] = shape as [number, number];
    const columnsOfX = this.#block();
    return stripsOf(rows, stripRows(columns * bytesPerElement(dtype))).flatMap(({ first, count }): Step[] => {
      const product = this.#value([count, columns], dtype, strip);
      const take = (id: number): number => {
        if (id === whole) return product;
        const { shape: own, dtype: type } = this.values[id]!;
        if (own.length < 2) return id;
        const { index } = this.homes.get(id) as Extract<Home, { kind: 'external' }>;
        return this.#value([count, columns], type, { kind: 'external', index, first: first * columns });
      };
      return [
        ...this.#productOf(gradient, first, count, product, columnsOfX),
        { ...update, inputs: update.inputs.map(take), outputs: update.outputs.map(take) },
      ];
    });
  }

  /** Rows `first` and on of the product xᵀ · dy: the columns of x by themselves, times dy. */
  #productOf(gradient: KernelStep, first: number, count: number, product: number, columnsOfX: Home): Step[] {
    const [x, dy] = gradient.inputs as [number, number];
    const { shape, dtype } = this.values[x]!;
    const taken = this.#value([shape[0]!, count], dtype, columnsOfX);
    const { op, layer } = gradient;
    return [
      { kind: 'kernel', kernel: 'slice', attributes: { begin: [0, first] }, inputs: [x], outputs: [taken], op, layer },
      { ...gradient, inputs: [taken, dy], outputs: [product] },
    ];
  }

  #block(): Home {
    return { kind: 'block', block: this.#blocks++ };
  }

  #value(shape: Shape, dtype: IrValue['dtype'], home: Home): number {
    const id = this.values.push({ shape, dtype, kind: 'computed' }) - 1;
    this.homes.set(id, home);
    return id;
  }
}

/** Rows of a strip, a multiple of 32: each then starts at a multiple of 64 bytes, whatever the type and the columns. */
function stripRows(rowBytes: number): number {
  return Math.max(32, Math.floor(STRIP_BYTES / rowBytes / 32) * 32);
}

function stripsOf(rows: number, most: number): { first: number; count: number }[] {
  const strips = [];
  for (let first = 0; first < rows; first += most) strips.push({ first, count: Math.min(most, rows - first) });
  return strips;
}
