import { bytesPerElement } from '../../tensor/dtype.js';
import { sizeOf } from '../../tensor/shape.js';
import { exactJson } from '../build.js';
import {
  rootsOf,
  type ElementwiseGroupStep,
  type ElementwiseStep,
  type Graph,
  type Program,
  type Step,
} from '../ir.js';
import { FALLIBLE, onlyForUpdates } from './early-updates.js';

/**
 * The most bytes of gradients, in all buckets together, that wait for company while other steps run: training takes at
 * most so much more memory. An update of so many bytes is long beside a launch, and they fit the caches of a processor; one
 * of more has no company.
 */
const MOST_WAITING = 4 << 20;

/**
 * Runs updates of variables that have the same program as one step: one launch on a GPU, one parallel region on a
 * processor, where each variable would have one by itself (the multi-tensor kernels of other libraries, found instead of
 * written). Updates join a bucket in the order in which their gradients are made, and the bucket runs where its last
 * member stood. None is moved to before a step that could fail, behind a reader of its results or to before a reader of
 * the old value, so updates remain all or nothing.
 */
export function groupUpdates(graph: Graph): Graph {
  if (graph.updates.length === 0) return graph;
  const late = onlyForUpdates(graph);
  const buckets = new Buckets(graph);
  graph.steps.forEach((step, index) => {
    if (step.kind === 'elementwise' && late.has(step)) buckets.add(step, index);
    else if (step.kind === 'kernel' && FALLIBLE.has(step.kernel)) buckets.closeAll();
    else if (step.kind !== 'alias') buckets.closeDownTo(MOST_WAITING);
  });
  buckets.closeAll();
  return { ...graph, steps: graph.steps.flatMap((step, i) => (late.has(step) ? buckets.stepsAt(i) : [step])) };
}

/** Updates of one program that will be one step. */
interface Bucket {
  readonly key: string;
  readonly members: ElementwiseStep[];
  /** Buckets that have to run first: what they make is read here, or what they read is overwritten. */
  readonly after: Set<Bucket>;
  /** The index of the update in whose place it runs: its last member, or a later one that has to run first. */
  at: number;
  /** Bytes that are in memory for it alone. */
  waiting: number;
}

class Buckets {
  readonly #graph: Graph;
  readonly #root: readonly number[];
  /** The variables that take a value, by the root of the value. */
  readonly #targets = new Map<number, number[]>();
  /** In the order they were opened. */
  readonly #open = new Map<string, Bucket>();
  readonly #makers = new Map<number, Bucket>();
  readonly #readers = new Map<number, Set<Bucket>>();
  readonly #writers = new Map<number, Bucket>();
  readonly #placed = new Map<number, Step[]>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#root = rootsOf(graph);
    for (const { target, value } of graph.updates) {
      const root = this.#root[value]!;
      this.#targets.set(root, [...(this.#targets.get(root) ?? []), target]);
    }
  }

  add(step: ElementwiseStep, index: number): void {
    const reads = new Set(step.inputs.map((i) => this.#root[i]!));
    const writes = step.outputs.flatMap((o) => this.#targets.get(this.#root[o]!) ?? []);
    const after = this.#before(reads, writes);
    const bytes = [...reads].reduce((sum, id) => sum + this.#bytes(id), 0);
    const key = bytes > MOST_WAITING ? `alone ${index}` : this.#keyOf(step);
    let bucket = this.#open.get(key);
    if (bucket && [...after].some((b) => comesAfter(b, bucket!))) {
      this.#close(bucket);
      bucket = undefined;
    }
    if (!bucket) {
      bucket = { key, members: [], after: new Set(), at: index, waiting: 0 };
      this.#open.set(key, bucket);
    }
    bucket.members.push(step);
    bucket.at = index;
    bucket.waiting += bytes;
    for (const b of after) bucket.after.add(b);
    for (const output of step.outputs) this.#makers.set(this.#root[output]!, bucket);
    for (const target of writes) this.#writers.set(target, bucket);
    for (const id of reads) this.#readers.set(id, (this.#readers.get(id) ?? new Set<Bucket>()).add(bucket));
  }

  /** Closes the buckets for which most waits, until what is left is within the limit. */
  closeDownTo(limit: number): void {
    for (;;) {
      const open = [...this.#open.values()];
      if (open.reduce((sum, b) => sum + b.waiting, 0) <= limit) return;
      this.#close(open.reduce((a, b) => (b.waiting > a.waiting ? b : a)));
    }
  }

  closeAll(): void {
    for (const bucket of this.#open.values()) this.#close(bucket);
  }

  /** What runs in the place of step `index` of the graph, an update. */
  stepsAt(index: number): readonly Step[] {
    return this.#placed.get(index) ?? [];
  }

  #close(bucket: Bucket): void {
    if (this.#open.get(bucket.key) !== bucket) return;
    this.#open.delete(bucket.key);
    for (const b of bucket.after) {
      this.#close(b);
      bucket.at = Math.max(bucket.at, b.at);
    }
    const step = bucket.members.length === 1 ? bucket.members[0]! : joined(bucket.members);
    this.#placed.set(bucket.at, [...(this.#placed.get(bucket.at) ?? []), step]);
  }

  /** Open buckets that a step has to come after, and can therefore not be in. */
  #before(reads: ReadonlySet<number>, writes: readonly number[]): Set<Bucket> {
    const found: (Bucket | undefined)[] = [];
    for (const id of reads) found.push(this.#makers.get(id), this.#writers.get(id));
    for (const target of writes) found.push(...(this.#readers.get(target) ?? []), this.#writers.get(target));
    return new Set(found.filter((b): b is Bucket => b !== undefined && this.#open.get(b.key) === b));
  }

  #keyOf(step: ElementwiseStep): string {
    const types = [step.inputs, step.outputs].map((ids) => ids.map((id) => this.#graph.values[id]!.dtype));
    return exactJson([step.program, types]);
  }

  /** Bytes of the arena that a value takes. */
  #bytes(id: number): number {
    const { shape, dtype, kind } = this.#graph.values[id]!;
    return kind === 'external' ? 0 : sizeOf(shape) * bytesPerElement(dtype);
  }
}

/** Whether bucket `a` is `b`, or has to run after it. */
function comesAfter(a: Bucket, b: Bucket): boolean {
  return a === b || [...a.after].some((earlier) => comesAfter(earlier, b));
}

/** The members as one step: operands that are the same value in all of them are handed over once. */
function joined(members: readonly ElementwiseStep[]): ElementwiseGroupStep {
  const first = members[0]!;
  const positions = first.inputs.map((_, k) => k);
  const isShared = (k: number): boolean => members.every((m) => m.inputs[k] === first.inputs[k]);
  const shared = positions.filter(isShared);
  const own = positions.filter((k) => !isShared(k));
  const ops = new Set(members.map((m) => m.op));
  return {
    kind: 'elementwiseGroup',
    inputs: [...shared.map((k) => first.inputs[k]!), ...members.flatMap((m) => own.map((k) => m.inputs[k]!))],
    outputs: members.flatMap((m) => m.outputs),
    op: ops.size === 1 ? first.op : 'elementwiseGroup',
    layer: commonLayer(members.map((m) => m.layer)),
    program: withInputs(first.program, [...shared, ...own]),
    shared: shared.length,
  };
}

/** The program with its inputs in another order: `order[k]` was the place of what is input k now. */
function withInputs(program: Program, order: readonly number[]): Program {
  const move = (register: number): number => (register < order.length ? order.indexOf(register) : register);
  return {
    ...program,
    instructions: program.instructions.map((i) => ({ ...i, args: i.args.map(move) })),
    results: program.results.map(move),
  };
}

/** The path that all layers are under, or how many they are. */
function commonLayer(layers: readonly string[]): string {
  const paths = layers.map((layer) => layer.split('/'));
  const first = paths[0]!;
  const end = first.findIndex((name, i) => paths.some((path) => path[i] !== name));
  const prefix = (end < 0 ? first : first.slice(0, end)).join('/');
  return prefix === '' && layers.some((layer) => layer !== '') ? `${new Set(layers).size} layers` : prefix;
}
