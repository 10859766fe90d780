import { bytesPerElement } from '../../tensor/dtype.js';
import { sizeOf } from '../../tensor/shape.js';
import type { Graph, IrValue, Step } from '../ir.js';

/** A value is worth computing twice when it is at least this share of the memory in use at the peak. */
const WORTH = 0.003;

/**
 * Computes large normalized or elementwise values a second time where the backward pass reads them, instead of keeping
 * them through the peak of memory use (Chen et al. 2016, arXiv:1604.06174, for the cheap steps only): their inputs are
 * kept anyway. The second computation is the same kernel on the same inputs, so its result is the same bit for bit. Only
 * for graphs that train.
 */
export function recompute(graph: Graph): Graph {
  if (graph.updates.length === 0) return graph;
  const uses = new Uses(graph);
  const peak = uses.peak();
  const values: IrValue[] = [...graph.values];
  const inserted = new Map<number, Step[]>(); // before which step
  const renamed = graph.steps.map((): Map<number, number> => new Map());

  graph.steps.forEach((step, index) => {
    if (index >= peak.at || !isCheap(step)) return;
    const [y] = step.outputs as [number, ...number[]];
    if (uses.bytes(y) < WORTH * peak.bytes || uses.isKept(y)) return;
    const late = uses.readers(y).filter((r) => r > peak.at);
    const first = late[0];
    if (first === undefined || !step.inputs.every((i) => uses.isThere(i, first))) return;
    // Under another shape it would have to be followed further.
    if (graph.steps.some((s) => s.kind === 'alias' && uses.root(s.inputs[0]!) === uses.root(y))) return;
    const outputs = step.outputs.map((o) => values.push({ ...values[o]! }) - 1);
    inserted.set(first, [...(inserted.get(first) ?? []), { ...step, outputs }]);
    for (const r of late) renamed[r]!.set(y, outputs[0]!);
  });
  const steps = graph.steps.flatMap((step, i) => {
    const names = renamed[i]!;
    const next = names.size === 0 ? step : { ...step, inputs: step.inputs.map((id) => names.get(id) ?? id) };
    return [...(inserted.get(i) ?? []), next];
  });
  return { ...graph, values, steps };
}

function isCheap(step: Step): boolean {
  if (step.kind === 'kernel') return step.kernel === 'batchNorm';
  return step.kind === 'elementwise' && step.outputs.length === 1 && step.inputs.length > 0;
}

/** When the bytes of each value are made and read. */
class Uses {
  readonly #graph: Graph;
  readonly #root: number[];
  readonly #made = new Map<number, number>();
  readonly #readers = new Map<number, number[]>();
  readonly #kept: Set<number>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#root = graph.values.map((_, id) => id);
    graph.steps.forEach((step, index) => {
      if (step.kind === 'alias') {
        this.#root[step.outputs[0]!] = this.#root[step.inputs[0]!]!;
        return;
      }
      for (const output of step.outputs) this.#made.set(output, index);
      for (const input of new Set(step.inputs.map((i) => this.#root[i]!))) {
        const list = this.#readers.get(input);
        if (list) list.push(index);
        else this.#readers.set(input, [index]);
      }
    });
    this.#kept = new Set([...graph.outputs, ...graph.updates.map((u) => u.value)].map((id) => this.#root[id]!));
  }

  root(id: number): number {
    return this.#root[id]!;
  }
  readers(id: number): readonly number[] {
    return this.#readers.get(this.#root[id]!) ?? [];
  }
  isKept(id: number): boolean {
    return this.#kept.has(this.#root[id]!);
  }
  bytes(id: number): number {
    const { shape, dtype } = this.#graph.values[id]!;
    return sizeOf(shape) * bytesPerElement(dtype);
  }
  /** Whether a value is in memory at step `index` anyway. */
  isThere(id: number, index: number): boolean {
    return this.#graph.values[this.#root[id]!]!.kind === 'external' || (this.readers(id).at(-1) ?? -1) >= index;
  }

  /** The step at which most memory is in use, and how much. */
  peak(): { at: number; bytes: number } {
    const change = new Array<number>(this.#graph.steps.length + 1).fill(0);
    for (const [id, made] of this.#made) {
      const end = this.isKept(id) ? this.#graph.steps.length - 1 : (this.readers(id).at(-1) ?? made);
      change[made]! += this.bytes(id);
      change[end + 1]! -= this.bytes(id);
    }
    let [at, most, bytes] = [0, 0, 0];
    change.forEach((delta, i) => {
      bytes += delta;
      if (bytes > most) [at, most] = [i, bytes];
    });
    return { at, bytes: most };
  }
}
