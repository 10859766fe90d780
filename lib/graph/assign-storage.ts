import { sizeOf } from '../tensor/shape.js';
import type { Graph, IrValue, Step, Update } from './ir.js';

/**
 * Where a value lives: an external place of the plan, all of it or a part from element `first` on, or a block that the
 * arena will hold.
 */
export type Home =
  | { readonly kind: 'external'; readonly index: number; readonly first?: number }
  | { readonly kind: 'block'; readonly block: number };

/** A graph whose values all have a home. Outputs follow the graph's externals in the plan's list of externals. */
export interface Assigned {
  readonly values: readonly IrValue[];
  readonly steps: readonly Step[];
  /** Home of each value that a step touches. */
  readonly homes: ReadonlyMap<number, Home>;
}

/**
 * Decides where every value lives, so that updates happen in place when nobody reads the old contents any more and
 * outputs are computed where they are wanted; adds copies only where that cannot be. Elementwise steps write over an
 * input that is not needed afterwards; those of several groups, over one of the output's own group.
 */
export function assignStorage(graph: Graph): Assigned {
  const work = new Assigner(graph);
  work.snapshotExternals();
  work.placeUpdates();
  work.placeOutputs();
  return work.placeRest();
}

class Assigner {
  readonly #graph: Graph;
  readonly #values: IrValue[];
  /** The value whose bytes a value shows: itself, unless it is an alias. */
  readonly #root: number[];
  readonly #homes = new Map<number, Home>();
  /** Copies of externals taken before anything runs, the graph's steps, and copies made after them. */
  readonly #before: Step[] = [];
  readonly #body: Step[] = [];
  readonly #after: Step[] = [];
  readonly #producer = new Map<number, number>();
  #updates: readonly Update[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#values = [...graph.values];
    this.#root = graph.values.map((_, i) => i);
    for (const step of graph.steps) {
      if (step.kind === 'alias') this.#root[step.outputs[0]!] = this.#root[step.inputs[0]!]!;
      else this.#body.push(step);
    }
    this.#body.forEach((step, index) => step.outputs.forEach((o) => this.#producer.set(o, index)));
    this.#updates = graph.updates;
    graph.externals.forEach((id, index) => this.#homes.set(id, { kind: 'external', index }));
  }

  /** An external that another update takes as its new value is copied first: it may change itself in this run. */
  snapshotExternals(): void {
    const targets = new Set(this.#updates.map((u) => u.target));
    this.#updates = this.#updates
      .filter((u) => this.#root[u.value] !== u.target)
      .map((u) => {
        if (!targets.has(this.#root[u.value]!)) return u;
        const copy = this.#newLike(u.value);
        this.#before.push(copyStep(u.value, copy));
        return { ...u, value: copy };
      });
  }

  placeUpdates(): void {
    for (const { target, value } of this.#updates) {
      const home = this.#homes.get(target)!;
      const root = this.#root[value]!;
      const made = this.#producer.get(root);
      if (made !== undefined && !this.#homes.has(root) && this.#mayOverwrite(target, root, made))
        this.#homes.set(root, home);
      else this.#after.push(copyStep(value, this.#newLike(value, home)));
    }
  }

  placeOutputs(): void {
    this.#graph.outputs.forEach((value, i) => {
      const home: Home = { kind: 'external', index: this.#graph.externals.length + i };
      const root = this.#root[value]!;
      const made = this.#producer.get(root);
      if (made !== undefined && !this.#homes.has(root)) this.#homes.set(root, home);
      else (made === undefined ? this.#before : this.#after).push(copyStep(value, this.#newLike(value, home)));
    });
  }

  /** Everything else goes to blocks; an elementwise step reuses the block of an input that dies there. */
  placeRest(): Assigned {
    const steps = [...this.#before, ...this.#body, ...this.#after];
    const lastRead = new Map<number, number>();
    steps.forEach((step, index) => step.inputs.forEach((i) => lastRead.set(this.#root[i]!, index)));
    const blockEnds: number[] = []; // the last step that reads a block
    steps.forEach((step, index) => {
      for (const output of step.outputs) {
        const root = this.#root[output]!;
        if (this.#homes.has(root)) continue;
        const block = this.#dyingBlock(step, output, (b) => blockEnds[b] === index) ?? blockEnds.length;
        this.#homes.set(root, { kind: 'block', block });
        blockEnds[block] = lastRead.get(root) ?? index + 1;
      }
    });
    const homes = new Map<number, Home>();
    for (const step of steps) {
      for (const id of [...step.inputs, ...step.outputs]) homes.set(id, this.#homes.get(this.#root[id]!)!);
    }
    return { values: this.#values, steps, homes };
  }

  /** The block of an input that the step may write `output` over: same size and type, read element by element. */
  #dyingBlock(step: Step, output: number, diesHere: (block: number) => boolean): number | undefined {
    const out = this.#values[output]!;
    for (const at of inPlaceInputs(step, output)) {
      const input = step.inputs[at]!;
      const home = this.#homes.get(this.#root[input]!);
      if (home?.kind !== 'block' || !diesHere(home.block) || this.#values[input]!.dtype !== out.dtype) continue;
      if (this.#mayTake(step, output, this.#root[input]!)) return home.block;
    }
    return undefined;
  }

  /** Whether step `made` may write its output over external `target`: all others have read it, and the step itself may. */
  #mayOverwrite(target: number, output: number, made: number): boolean {
    for (let i = made + 1; i < this.#body.length; i++) {
      if (this.#body[i]!.inputs.some((input) => this.#root[input] === target)) return false;
    }
    return this.#mayTake(this.#body[made]!, output, target);
  }

  /** Whether a step may write `output` over the bytes of `root`: wherever it reads them, it reads them before. */
  #mayTake(step: Step, output: number, root: number): boolean {
    const allowed = inPlaceInputs(step, output);
    const out = this.#values[output]!;
    return step.inputs.every(
      (input, at) => this.#root[input] !== root || (allowed.includes(at) && fullShape(this.#values[input]!, out)),
    );
  }

  /** A new value of the shape and type of `value`, with a home or yet without. */
  #newLike(value: number, home?: Home): number {
    const { shape, dtype } = this.#values[value]!;
    const id = this.#values.push({ shape, dtype, kind: 'computed' }) - 1;
    this.#root.push(id);
    if (home) this.#homes.set(id, home);
    return id;
  }
}

/** Which inputs of a step one of its outputs may be written over, by index, where their shapes are alike. */
function inPlaceInputs(step: Step, output: number): readonly number[] {
  const all = step.inputs.map((_, at) => at);
  if (step.kind === 'elementwise' || (step.kind === 'kernel' && step.kernel === 'dropout')) return all;
  if (step.kind === 'updateInStrips') return all.slice(2);
  if (step.kind !== 'elementwiseGroup') return [];
  const group = Math.floor(step.outputs.indexOf(output) / step.program.results.length);
  const own = (step.inputs.length - step.shared) / (step.outputs.length / step.program.results.length);
  const first = step.shared + group * own;
  return all.slice(first, first + own);
}

/** Whether an input has an element for each of the output's, in the same order. */
function fullShape(input: IrValue, output: IrValue): boolean {
  return input.shape.length <= output.shape.length && sizeOf(input.shape) === sizeOf(output.shape);
}

function copyStep(from: number, to: number): Step {
  return { kind: 'kernel', kernel: 'copy', attributes: {}, inputs: [from], outputs: [to], op: 'copy', layer: '' };
}
